"""The updates of optimisers."""
