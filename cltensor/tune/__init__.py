"""Tunable constants of launch rules, which differ between devices: values to try, values found, and the search.

Independent of ops: a launch rule asks its Space (space.py), which looks into the databases (lookup.py, database.py).
The command `cltensor tune` measures and fills them.
"""
