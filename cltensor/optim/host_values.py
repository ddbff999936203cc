"""The numbers of an optimiser that change from call to call: its settings, and the counts in its state."""

from ..base.host_values import HostValue, of_item
from ..tensor import Tensor


def host_values(groups, state, counts):
    """The HostValues of parameter groups, and of the counts in the state of their parameters; equal counts are one number."""
    for i, group in enumerate(groups):
        for name, value in group.items():
            if type(value) is tuple:
                yield from (_of_part(f"param_groups.{i}.{name}.{k}", group, name, k) for k, v in enumerate(value) if _is_setting(v))
            elif _is_setting(value) or (name == "lr" and type(value) is int):
                yield HostValue(path := f"param_groups.{i}.{name}", path, lambda group=group, name=name: _number(group[name]),
                                lambda n, group=group, name=name: group.__setitem__(name, n))
    known = {}
    for kept in state.values():
        for name in counts:
            if type(kept.get(name)) in (int, float):
                shared = name, kept[name]
                number = known.setdefault(shared, sum(key[0] == name for key in known))
                yield of_item(f"{name}.{number}" if number else name, kept, name, shared)


def host_state(groups, state):
    """What `restore` puts back."""
    return [(d, dict(d)) for d in (*groups, *state.values())], state, dict(state)


def restore(found):
    """Put settings and counts back."""
    kept, state, entries = found
    state.clear()
    state.update(entries)
    for d, before in kept:
        d.clear()
        d.update(before)


def _is_setting(value):
    return type(value) is float or (isinstance(value, Tensor) and value.numel() == 1)


def _number(value):
    value = value.item() if isinstance(value, Tensor) else value
    return float(value) if type(value) is int else value


def _of_part(path, group, name, k):
    def put(n):
        group[name] = (*group[name][:k], n, *group[name][k + 1:])

    return HostValue(path, path, lambda: _number(group[name][k]), put)
