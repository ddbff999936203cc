"""Shapes: views, joining, padding, grids."""
