"""Recurrent layers: RNN, GRU and LSTM, step by step, and by the public layers where those compute the same."""

import itertools

from ....nn.aten import gru as public_gru
from ....nn.aten import lstm as public_lstm
from ..operators import operator
from ..public import ct

_DEFAULTS = {"Affine": (1.0, 0.0), "LeakyRelu": (0.01,), "ThresholdedRelu": (1.0,), "ScaledTanh": (1.0, 1.0),
             "HardSigmoid": (0.2, 0.5),
          "Elu": (1.0,)}


def _activation(name, alpha, beta):
    """A function by the name of an activation and its numbers."""
    default = _DEFAULTS.get(name, ())
    a = default[0] if alpha is None and default else alpha
    b = default[1] if beta is None and len(default) > 1 else beta
    found = {
        "Relu": ct.relu, "Tanh": ct.tanh, "Sigmoid": ct.sigmoid, "Softsign": lambda x: x / (1 + ct.abs(x)),
        "Softplus": lambda x: ct.log1p(ct.exp(x)), "Affine": lambda x: a * x + b,
        "LeakyRelu": lambda x: ct.where(x < 0, a * x, x), "ThresholdedRelu": lambda x: ct.where(x > a, x, ct.zeros_like(x)),
        "ScaledTanh": lambda x: a * ct.tanh(b * x), "HardSigmoid": lambda x: ct.clamp(a * x + b, 0, 1),
        "Elu": lambda x: ct.where(x < 0, a * (ct.exp(x) - 1), x),
    }.get(name)
    if found is None:
        raise ValueError(f"there is no activation {name!r}")
    return found


class Layer:
    """What the three have in common: directions, layouts, lengths of sequences, clipping and activations."""

    def __init__(self, x, r, hidden_size, direction, layout, clip, names, default, alpha, beta):
        self.x = x.transpose(0, 1) if layout else x
        self.steps, self.batch = self.x.shape[:2]
        self.hidden = r.shape[-1] if hidden_size is None else hidden_size
        self.directions, self.layout, self.clip = 2 if direction == "bidirectional" else 1, layout, clip
        self.backward = [direction == "reverse"] if self.directions == 1 else [False, True]
        names = names or default * self.directions
        if len(names) != len(default) * self.directions:
            raise ValueError(f"{len(names)} activations where there should be {len(default) * self.directions}")
        numbers = itertools.zip_longest((alpha or ())[: len(names)], (beta or ())[: len(names)], (), (None,) * len(names))
        made = [_activation(name, *pair[:2]) for name, pair in zip(names, numbers, strict=True)]
        self.activations = [made[i * len(default) : (i + 1) * len(default)] for i in range(self.directions)]

    def initial(self, state, d):
        """The state that a direction begins with."""
        if state is None:
            return ct.zeros(self.batch, self.hidden, dtype=self.x.dtype, device=self.x.device)
        return state[:, d] if self.layout else state[d]

    def clipped(self, x):
        """x between -clip and clip."""
        return x if self.clip is None else ct.clamp(x, -self.clip, self.clip)

    def walked(self, d, projected, states, step, lengths):
        """(outputs of every step, last states) of a direction.  step(projected input, states) gives the next states."""
        outputs = [None] * self.steps
        order = reversed(range(self.steps)) if self.backward[d] else range(self.steps)
        for t in order:
            new = step(projected[t], states)
            if lengths is not None:
                inside = (lengths > t).reshape(-1, 1)
                new = tuple(ct.where(inside, n, s) for n, s in zip(new, states, strict=True))
                outputs[t] = ct.where(inside, new[0], ct.zeros_like(new[0]))
            else:
                outputs[t] = new[0]
            states = new
        return ct.stack(outputs), states

    def joined(self, outputs, lasts):
        """(Y, the last states) of all directions, in the layout asked for."""
        y, lasts = ct.stack(outputs, 1), [ct.stack(found) for found in zip(*lasts, strict=True)]
        if self.layout:
            y, lasts = y.permute(2, 0, 1, 3), [last.transpose(0, 1) for last in lasts]
        return (y, *lasts)


def _bias(b, d, gates, hidden):
    """The biases of the input and of the state."""
    return (None, None) if b is None else (b[d][: gates * hidden], b[d][gates * hidden :])


def _plus(x, bias):
    return x if bias is None else x + bias


@operator("RNN", since=7)
def rnn(x, w, r, b=None, sequence_lens=None, initial_h=None, *, activation_alpha=None, activation_beta=None, activations=None,
        clip=None, direction="forward", hidden_size=None, layout=0):
    layer = Layer(x, r, hidden_size, direction, layout, clip, activations, ("Tanh",), activation_alpha, activation_beta)
    outputs, lasts = [], []
    for d in range(layer.directions):
        wb, rb = _bias(b, d, 1, layer.hidden)
        projected, (f,), back = _plus(ct.matmul(layer.x, w[d].T), wb), layer.activations[d], r[d].T

        def step(p, states, f=f, back=back, rb=rb):
            return (f(layer.clipped(p + _plus(ct.matmul(states[0], back), rb))),)

        found, last = layer.walked(d, projected, (layer.initial(initial_h, d),), step, sequence_lens)
        outputs.append(found)
        lasts.append(last)
    return layer.joined(outputs, lasts)


@operator("GRU", since=7)
def gru(x, w, r, b=None, sequence_lens=None, initial_h=None, *, activation_alpha=None, activation_beta=None, activations=None,
        clip=None, direction="forward", hidden_size=None, layout=0, linear_before_reset=0):
    layer = Layer(x, r, hidden_size, direction, layout, clip, activations, ("Sigmoid", "Tanh"), activation_alpha, activation_beta)
    if activations is None and clip is None and sequence_lens is None and linear_before_reset and direction != "reverse":
        return _public_gru(layer, w, r, b, initial_h)
    n, outputs, lasts = layer.hidden, [], []
    for d in range(layer.directions):
        wb, rb = _bias(b, d, 3, n)
        projected, (f, g), back = _plus(ct.matmul(layer.x, w[d].T), wb), layer.activations[d], r[d].T

        def step(p, states, f=f, g=g, back=back, rb=rb):
            h, = states
            rzr = _plus(ct.matmul(h, back[:, : 2 * n]), None if rb is None else rb[: 2 * n])
            both = f(layer.clipped(p[:, : 2 * n] + rzr))
            z, reset = both[:, :n], both[:, n:]
            if linear_before_reset:
                new = reset * _plus(ct.matmul(h, back[:, 2 * n :]), None if rb is None else rb[2 * n :])
            else:
                new = _plus(ct.matmul(reset * h, back[:, 2 * n :]), None if rb is None else rb[2 * n :])
            new = g(layer.clipped(p[:, 2 * n :] + new))
            return ((1 - z) * new + z * h,)

        found, last = layer.walked(d, projected, (layer.initial(initial_h, d),), step, sequence_lens)
        outputs.append(found)
        lasts.append(last)
    return layer.joined(outputs, lasts)


@operator("LSTM", since=7)
def lstm(x, w, r, b=None, sequence_lens=None, initial_h=None, initial_c=None, p=None, *, activation_alpha=None,
         activation_beta=None,
         activations=None, clip=None, direction="forward", hidden_size=None, input_forget=0, layout=0):
    default = ("Sigmoid", "Tanh", "Tanh")
    layer = Layer(x, r, hidden_size, direction, layout, clip, activations, default, activation_alpha, activation_beta)
    if p is None and activations is None and clip is None and sequence_lens is None and not input_forget and direction != "reverse":
        return _public_lstm(layer, w, r, b, initial_h, initial_c)
    n, outputs, lasts = layer.hidden, [], []
    for d in range(layer.directions):
        wb, rb = _bias(b, d, 4, n)
        projected, back = _plus(_plus(ct.matmul(layer.x, w[d].T), wb), rb), r[d].T
        peeps = (0, 0, 0) if p is None else tuple(p[d].reshape(3, n).unbind(0))

        def step(given, states, fgh=layer.activations[d], back=back, peeps=peeps):
            (f, g, h), (state, cell), (pi, po, pf) = fgh, states, peeps
            i, o, forget, c = (given + ct.matmul(state, back)).split(n, -1)
            i = f(layer.clipped(i + pi * cell))
            forget = 1 - i if input_forget else f(layer.clipped(forget + pf * cell))
            cell = forget * cell + i * g(layer.clipped(c))
            return f(layer.clipped(o + po * cell)) * h(cell), cell

        first = layer.initial(initial_h, d), layer.initial(initial_c, d)
        found, last = layer.walked(d, projected, first, step, sequence_lens)
        outputs.append(found)
        lasts.append(last)
    return layer.joined(outputs, lasts)


def _reordered(parameter, order):
    """A parameter whose gates stand in another order."""
    parts = parameter.split(parameter.shape[0] // len(order), 0)
    return ct.cat([parts[i] for i in order])


def _weights(layer, w, r, b, order):
    """Weights and biases as the public recurrent functions take them."""
    found = []
    for d in range(layer.directions):
        found += [_reordered(w[d], order), _reordered(r[d], order)]
        found += [] if b is None else [_reordered(part, order) for part in _bias(b, d, len(order), layer.hidden)]
    return found


def _states(layer, state):
    if state is None:
        return ct.zeros(layer.directions, layer.batch, layer.hidden, dtype=layer.x.dtype, device=layer.x.device)
    return state.transpose(0, 1).contiguous() if layer.layout else state


def _shaped(layer, y, *lasts):
    y = y.reshape(layer.steps, layer.batch, layer.directions, layer.hidden)
    if layer.layout:
        return y.transpose(0, 1), *(last.transpose(0, 1) for last in lasts)
    return y.transpose(1, 2), *lasts


def _public_lstm(layer, w, r, b, h, c):
    found = public_lstm(layer.x, (_states(layer, h), _states(layer, c)), _weights(layer, w, r, b, (0, 2, 3, 1)), b is not None, 1,
                        0.0, False, layer.directions == 2, False)
    return _shaped(layer, *found)


def _public_gru(layer, w, r, b, h):
    found = public_gru(layer.x, _states(layer, h), _weights(layer, w, r, b, (1, 0, 2)), b is not None, 1, 0.0, False,
                       layer.directions == 2, False)
    return _shaped(layer, *found)
