"""Elementwise ops: arithmetic, elementary and special functions."""
