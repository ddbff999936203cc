"""Rules: how the parts of a program are made for other sizes of its arguments.

A part without a Rule is the same for all sizes.
"""

from .formulas import NotGeneral


class Rule:
    """What gives a part of the program: a function of a Sized.  Parts without a Rule are the same for all sizes."""

    def __init__(self, make):
        self.make = make


class Sized:
    """Makes the parts of the program for one choice of the symbols."""

    def __init__(self, sizes):
        self.sizes, self.made = sizes, {}

    def of(self, rule):
        """The part that a rule gives."""
        return rule.make(self) if isinstance(rule, Rule) else rule

    def list(self, rules):
        """The parts that rules give."""
        return [rule.make(self) if isinstance(rule, Rule) else rule for rule in rules]

    def number(self, fitted):
        """A number by its Formula."""
        found = fitted.at(self.sizes)
        if found is None:
            raise NotGeneral("a number is not whole")
        return found

    def size(self, rule):
        """The size of a dimension that differs."""
        found = self.of(rule)
        if found < 2:
            raise NotGeneral("a size is 0 or 1")
        return found

    def offset(self, rule, base):
        """An offset."""
        found = self.of(rule) + base
        if found < 0:
            raise NotGeneral("an offset is negative")
        return found


def once(make):
    """make, called once for each Sized."""
    def known(at):
        if make not in at.made:
            at.made[make] = make(at)
        return at.made[make]

    return known
