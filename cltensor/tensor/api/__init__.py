"""Making tensors, and what is asked of one as an object."""
