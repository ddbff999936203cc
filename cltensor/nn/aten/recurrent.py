"""Recurrent layers and cells as functions of a flat list of parameters."""

import inspect

from ...base.errors import ArgumentError
from ...ops.nn.recurrent_gradient import stepped
from ..functional.recurrent import layers

#: arguments for a padded batch, and for a packed one
_PADDED = inspect.signature(lambda input, hx, params, has_biases, num_layers, dropout, train, bidirectional, batch_first: None)
_PACKED = inspect.signature(lambda data, batch_sizes, hx, params, has_biases, num_layers, dropout, train, bidirectional: None)


def _groups(params, each, has_biases, name):
    """Group params as tuples (w_ih, w_hh, b_ih, b_hh, w_hr), one for each of the `each` layers and directions."""
    size, rest = divmod(len(params), each)
    if rest or size not in ((4, 5) if has_biases else (2, 3)):
        raise ArgumentError(f"{name}: expected {4 if has_biases else 2} parameters for each of {each} layers and directions, or "
                            f"one more with a projection, got {len(params)}")
    rows = [tuple(params[i * size : (i + 1) * size]) for i in range(each)]
    return [(*row[:2], *((None, None) if not has_biases else row[2:4]), *row[4 if has_biases else 2 :], None)[:5] for row in rows]


def _over_sequences(name, mode):
    def function(*args, **kwargs):
        second = args[1] if len(args) > 1 else None
        packed = "batch_sizes" in kwargs or (hasattr(second, "dtype") and second.dtype.category == "int")
        given = (_PACKED if packed else _PADDED).bind(*args, **kwargs).arguments
        directions = 2 if given["bidirectional"] else 1
        parameters = _groups(list(given["params"]), given["num_layers"] * directions, given["has_biases"], name)
        states = tuple(given["hx"]) if mode == "lstm" else (given["hx"],)
        x = given["data" if packed else "input"]
        first = not packed and given["batch_first"]
        x = x.transpose(0, 1) if first else x
        sizes = tuple(given["batch_sizes"].tolist()) if packed else (x.shape[1],) * x.shape[0]
        y, last = layers(x if packed else x.reshape(-1, x.shape[2]), states, parameters, mode=mode, batch_sizes=sizes,
                         directions=directions, dropout=given["dropout"] if given["train"] else 0)
        y = y if packed else y.view(len(sizes), sizes[0], y.shape[1])
        return (y.transpose(0, 1) if first else y, *last)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = (f"{name}{_PADDED}, or for packed sequences {name}{_PACKED}.\n\n    Returns (y, the last states), as "
                        f"nn.{name.split('_')[0].upper()} does; params are the layers' own, in order.")
    return function


def _cell(name, mode):
    def cell(input, hx, w_ih, w_hh, b_ih=None, b_hh=None):
        made = stepped(mode, input, tuple(hx) if mode == "lstm" else (hx,), w_ih, w_hh, b_ih, b_hh)
        return made if mode == "lstm" else made[0]

    cell.__name__ = cell.__qualname__ = name
    cell.__doc__ = f"One step from input (B, inputs) and the state (B, hidden){', a pair,' if mode == 'lstm' else ''} to the next."
    return cell


_NAMES = ("lstm", "gru", "rnn_tanh", "rnn_relu")
lstm, gru, rnn_tanh, rnn_relu = (_over_sequences(name, name.removeprefix("rnn_")) for name in _NAMES)
lstm_cell, gru_cell, rnn_tanh_cell, rnn_relu_cell = (_cell(f"{name}_cell", name.removeprefix("rnn_")) for name in _NAMES)
