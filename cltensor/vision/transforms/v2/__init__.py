"""transforms.v2."""
