"""Kinds of ops: what an op of each kind is declared by, and how it is planned and run."""
