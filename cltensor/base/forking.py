"""Locks must not pass into forked children: a thread that the child lacks may hold them."""

import os


class Lazy:
    """functools.cached_property without a lock: two threads may both compute the value, and a forked child cannot deadlock."""

    def __init__(self, compute):
        self.compute, self.__doc__ = compute, compute.__doc__

    def __set_name__(self, owner, name):
        self.name = name

    def __get__(self, instance, owner=None):
        if instance is None:
            return self
        value = instance.__dict__[self.name] = self.compute(instance)
        return value


class OfInstances(Lazy):
    """A Lazy value of instances only: None on the class itself."""

    def __get__(self, instance, owner=None):
        return None if instance is None else super().__get__(instance, owner)


def in_forked_children(renew):
    """Call renew() in every forked child, to replace inherited locks by fresh ones."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=renew)
    return renew
