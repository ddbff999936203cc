"""Views, indexing and concatenation."""
