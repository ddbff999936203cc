"""Files written by hand, in which anything can be wrong."""
