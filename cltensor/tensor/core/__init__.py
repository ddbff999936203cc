"""Tensor itself, and what declares its functions and methods."""
