"""PyTorch's files: zip archives and the older stream of pickles, read by a machine of its own that runs nothing; and written."""
