"""Unchanged: one function that compares by identity what guards look at, for the calls that find all of it as it was.

It says no more often than the guards do, since equal objects need not be the same; they are asked then.
"""

import functools
import re
from typing import NamedTuple

_OF_TENSOR = ("_storage", "_spec", "_offset", "_req", "_hooks", "_post_hooks", "_end_hooks")
_TABLES = ("_forward_pre_hooks", "_forward_hooks", "_backward_hooks", "_backward_pre_hooks")


_WORD = re.compile(r"\w*")


class Term(NamedTuple):
    """A condition: text with a {} for each object.  Two Terms are the same where text and objects are."""

    text: str
    objects: tuple


def unchanged(terms):
    """A function of nothing that says whether all Terms hold; one that raises for want of an attribute or a key does not."""
    numbers, texts = {}, {}
    for term in terms:
        names = [f"o{numbers.setdefault(id(o), (len(numbers), o))[0]}" for o in term.objects]
        texts[term.text.format(*names)] = None
    return _maker("\n                    and ".join(texts) or "True", len(numbers))([o for _, o in numbers.values()])


_TEXT = """
def make(objects):
    {names} = objects
    def unchanged():
        try:
            return ({condition})
        except (AttributeError, IndexError, KeyError, ValueError):
            return False
    return unchanged
"""


@functools.lru_cache(64)
def _maker(condition, count):
    """Programs that see objects of the same kinds share the text."""
    space = {}
    names = "".join(f"o{i}, " for i in range(count)) or "()"
    exec(compile(_TEXT.format(names=names, condition=condition), "<guards by identity>", "exec"), space)
    return space["make"]


def same(text, owner, value):
    """The Term that what `text` gives of its owner is a value itself."""
    named = value is None or isinstance(value, bool)
    return Term(f"{text} is {value}", (owner,)) if named else Term(f"{text} is {{}}", (owner, value))


def of_watch(watch, state):
    """The Term that a watch gives an equal state: for what has no identity to compare."""
    return Term("{}() == {}", (watch, state))


def of_dict(d, names=None):
    """Terms that a dict has as many entries, and the same for these keys, or for all; None where a key is no word."""
    names = list(d) if names is None else names
    if not all(isinstance(name, str) and _WORD.fullmatch(name) for name in names):
        return None
    if not d:
        return [Term("not {}", (d,))]
    return [Term(f"len({{}}) == {len(d)}", (d,)), *(same(f"{{}}['{name}']", d, d[name]) for name in names)]


def of_list(found):
    """Terms that a list holds the same objects."""
    return [Term(f"len({{}}) == {len(found)}", (found,)), *(same(f"{{}}[{i}]", found, x) for i, x in enumerate(found))]


def of_tensor(t):
    """Terms that a tensor has the same memory and layout and no hooks; None where it has hooks, or shares its base's history."""
    if t._hooks or t._post_hooks or t._end_hooks or t._base is not None:
        return None
    return of_dict(vars(t), [name for name in vars(t) if name in _OF_TENSOR])


def of_gradient(t):
    """Terms that the .grad of a tensor is laid out as it is."""
    g = t._grad
    if g is None:
        return [Term("{}['_grad'] is None", (vars(t),))] if "_grad" in vars(t) else [Term("'_grad' not in {}", (vars(t),))]
    return [same("{}._grad._spec", t, g._spec), Term(f"{{}}._grad._offset == {g._offset}", (t,))]


def of_module(m):
    """Terms that a module has the same attributes and members and no hooks; None where it has hooks."""
    own, members = vars(m), (m._parameters, m._buffers, m._modules)
    seen = [name for name, value in own.items() if not (name.startswith("_") and isinstance(value, dict))]
    found = [of_dict(own, seen), *map(of_dict, members)]
    if m._is_hooked() or None in found:
        return None
    hooks = " or ".join(f"{{0}}['{name}']" for name in _TABLES)
    return [Term(f"not ({hooks})", (own,)), *(Term("not {}", (table,)) for table in m._running_hooks()[::2]),
            *(term for terms in found for term in terms)]
