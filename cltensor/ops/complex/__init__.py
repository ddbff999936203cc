"""Ops over complex numbers that are made of real ops: matrix products and convolutions."""
