"""Flatten nested tuples, lists and dictionaries of tensors, and rebuild them."""


def leaves(tree):
    """The leaves of nested tuples, lists and dictionaries, in order."""
    if isinstance(tree, (tuple, list)):
        return [x for part in tree for x in leaves(part)]
    if isinstance(tree, dict):
        return [x for part in tree.values() for x in leaves(part)]
    return [tree]


def rebuild(tree, values):
    """tree with its leaves replaced by values, in order."""
    return _rebuild(tree, iter(values))


def _rebuild(tree, values):
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*(_rebuild(part, values) for part in tree))
    if isinstance(tree, (tuple, list)):
        return type(tree)(_rebuild(part, values) for part in tree)
    if isinstance(tree, dict):
        return {k: _rebuild(part, values) for k, part in tree.items()}
    return next(values)


def mapped(fn, tree):
    """tree with fn applied to every leaf."""
    return rebuild(tree, [fn(x) for x in leaves(tree)])
