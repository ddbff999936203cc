"""One step of LSTM, GRU and plain recurrent cells from their pre-activations, and its gradient (slope): one launch each.

Every cell returns the new state, then its gates, which the slope needs.  In a slope, `flow` is the gradient that the previous
state has received so far.
"""

import numpy as np

from ...codegen import expr as E
from ..kinds.elementwise import elementwise


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


def _cell(name, fn, ref, doc):
    """Declare a cell; its samples are random, one per input."""
    count = fn.__code__.co_argcount
    return elementwise(name, fn, dtypes="floating", public=False, numbers=" ".join(fn.__code__.co_varnames[:count]), ref=ref,
                       samples=lambda rng: [(tuple(rng.uniform(-0.9, 0.9, (2, 3)) for _ in range(count)), {})], doc=doc)


def _lstm(i, f, g, o, c):
    i, f, g, o = E.sigmoid(i), E.sigmoid(f), E.tanh(g), E.sigmoid(o)
    c = f * c + i * g
    return o * E.tanh(c), c, i, f, g, o


def _lstm_ref(i, f, g, o, c):
    i, f, g, o = _sigmoid(i), _sigmoid(f), np.tanh(g), _sigmoid(o)
    new = np.multiply(f, c) + np.multiply(i, g)
    return np.tanh(new) * o, new, i, f, g, o


def _lstm_slope(gh, gc, i, f, g, o, before, c, flow):
    t = E.tanh(c)
    gc = gc + gh * o * (1 - t * t)
    return gc * g * i * (1 - i), gc * before * f * (1 - f), gc * i * (1 - g * g), gh * t * o * (1 - o), flow + gc * f


def _lstm_slope_ref(gh, gc, i, f, g, o, before, c, flow):
    gc = gc + gh * o / np.cosh(c) ** 2
    return gc * g * (i - i**2), gc * before * (f - f**2), gc * i * (1 - g**2), gh * np.tanh(c) * (o - o**2), gc * f + flow


def _gru(xr, xz, xn, hr, hz, hn, h):
    r, z = E.sigmoid(xr + hr), E.sigmoid(xz + hz)
    n = E.tanh(xn + r * hn)
    return n + z * (h - n), r, z, n


def _gru_ref(xr, xz, xn, hr, hz, hn, h):
    r, z = _sigmoid(np.add(xr, hr)), _sigmoid(np.add(xz, hz))
    n = np.tanh(xn + np.multiply(r, hn))
    return (1 - z) * n + z * h, r, z, n


def _gru_slope(gh, r, z, n, hn, h, flow):
    gn = gh * (1 - z) * (1 - n * n)
    gr, gz = gn * hn * r * (1 - r), gh * (h - n) * z * (1 - z)
    return gr, gz, gn, gr, gz, gn * r, flow + gh * z


def _gru_slope_ref(gh, r, z, n, hn, h, flow):
    gn = (gh - gh * z) * (1 - n**2)
    gr, gz = gn * hn * (r - r**2), (gh * h - gh * n) * (z - z**2)
    return gr, gz, gn, gr, gz, gn * r, gh * z + flow


lstm_cell = _cell("lstm_step", _lstm, _lstm_ref,
                  "New hidden and cell state, and the gates, from the pre-activations of input, forget, cell and output gate "
                  "and the cell state.  Source: Hochreiter and Schmidhuber 1997, Gers et al. 2000.")
lstm_slope = _cell("lstm_step_slope", _lstm_slope, _lstm_slope_ref,
                   "Gradients of lstm_step's pre-activations and of the cell state before, from those of the states after.")
gru_cell = _cell("gru_step", _gru, _gru_ref,
                 "New state and the gates reset, update and new, from the input's and the state's share of their "
                 "pre-activations and the state.  Source: Cho et al. 2014.")
gru_slope = _cell("gru_step_slope", _gru_slope, _gru_slope_ref,
                  "Gradients of gru_step's pre-activations, the input's then the state's, and of the state before.")
tanh_slope = _cell("tanh_step_slope", lambda gh, h: gh * (1 - h * h), lambda gh, h: gh - gh * np.square(h),
                   "Gradient of the pre-activation of h = tanh(...).")
relu_slope = _cell("relu_step_slope", lambda gh, h: E.where(h > 0, gh, 0), lambda gh, h: np.where(h > 0, gh, 0.0),
                   "Gradient of the pre-activation of h = relu(...).")
