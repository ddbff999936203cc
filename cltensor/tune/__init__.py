"""Constants of launch rules that differ from device to device: what may be tried, what was found, how it is searched.

Knows no op: a launch rule asks its Space (space.py), which looks into the databases (lookup.py, database.py).  The
command `cltensor tune` measures and fills them.
"""
