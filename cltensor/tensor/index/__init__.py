"""Reading and writing by index, and sorting."""
