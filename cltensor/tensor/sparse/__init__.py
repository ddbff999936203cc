"""Sparse tensors: which elements there are and their values, two or three dense tensors; all else follows from dense ops."""
