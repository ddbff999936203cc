"""What is measured: the cases of families at their sizes, and which of them the sizes given do not fit."""

import argparse
import math

from ..parser import UsageError
from ..values import count
from .cases import FAMILIES


def numbers(text):
    """"64x784x512" as a tuple of positive ints, as argparse's `type`."""
    if text in FAMILIES:  # --sizes takes all that follows it
        raise argparse.ArgumentTypeError(f"{text!r} is no size; name families first, as in {text} --sizes 512")
    return tuple(count(part) for part in text.lower().split("x"))


def shown(size):
    """(64, 784, 512) as "64x784x512"; a large power of two as 2^20."""
    if len(size) == 1 and size[0] > 4096 and math.log2(size[0]).is_integer():
        return f"2^{int(math.log2(size[0]))}"
    return "x".join(map(str, size))


def families(names):
    """The names of families, without repetition; "all" stands for every one."""
    return list(FAMILIES if "all" in names else dict.fromkeys(names))


def plan(names, sizes, caller="bench"):
    """(family name, case, size) of every measurement.

    Raises UsageError for a size that fits no case of a family, or means something else in one family than in another.
    """
    found = [(name, case, given, case.size(given)) for name in families(names) for case in FAMILIES[name].cases
             for given in sizes or case.sizes]
    for given in sizes or ():
        _check(names, given, [(name, case) for name, case, g, size in found if g == given and size is not None], caller)
    return [(name, case, size) for name, case, _, size in found if size is not None]


def left_out(names, sizes):
    """{case name: the forms of its sizes} of the cases that none of the sizes given fits."""
    return {case.name: case.forms for name in families(names) for case in FAMILIES[name].cases
            if sizes and not any(map(case.size, sizes))}


def _check(names, given, fitting, caller):
    for name in families(names):
        if name not in {n for n, _ in fitting} and "all" not in names:
            raise UsageError(f"{caller} {name}: no case has a size such as {shown(given)}; sizes are {forms(name)}")
    if not fitting:
        raise UsageError(f"{caller}: no case has a size such as {shown(given)}; {caller} --help has the forms of each family")
    meanings = {case.meaning(given): f"{case.name!r} of {name}" for name, case in reversed(fitting)}
    if len(meanings) > 1:
        told = ", ".join(f"a {meaning} for {where}" for meaning, where in sorted(meanings.items()))
        raise UsageError(f"{caller}: {shown(given)} would be {told}; give one of these families at a time")


def forms(name):
    """The forms of a family's sizes, in words, each with the cases that have it unless all do."""
    found = {}
    for case in FAMILIES[name].cases:
        found.setdefault(case.forms, []).append(repr(case.name))
    if len(found) == 1:
        return next(iter(found))
    return "; ".join(f"{form} for {', '.join(dict.fromkeys(cases))}" for form, cases in found.items())


def described(names=FAMILIES):
    """Lines for --help: each family with what it is and the forms of its sizes."""
    for name in names:
        family = FAMILIES[name]
        of = ", ".join(dict.fromkeys(case.forms.removeprefix("N or ") for case in family.cases))
        yield f"  {name:<13}{family.about} ({of})"


#: what --help says about --sizes
SIZES = ("sizes, in one of the forms below, such as 512 or 64x784x512; one number stands for every letter of a form; cases that it "
         "does not fit are left out")
