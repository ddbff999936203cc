"""Kinds of ops: how an op of each kind is declared, planned and run."""
