"""Views, indexing, and tensors joined along a dimension."""
