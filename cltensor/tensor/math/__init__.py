"""Functions of values: arithmetic, reductions, products, statistics."""
