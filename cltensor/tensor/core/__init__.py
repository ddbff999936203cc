"""Tensor itself, and the declaration of its functions and methods."""
