"""A recurrent layer with gradients of every order: fused kernels compute the first, ordinary ops the higher ones."""

import functools
import itertools

import numpy as np

from ...autograd.api import grad
from ...base import dtypes
from ...base.context import context
from ...dispatch.autocast import FIRST_OR_LOW, LOW, autocasts
from ..gemm.matmul import linear
from ..index.concat import cat
from ..kinds.composite import composite
from . import onnx_rules
from .cells import gru_cell, lstm_cell
from .recurrent import recurrent_backward, recurrent_forward
from .sequences import pieces


@functools.lru_cache(maxsize=256)
def _rows_before(batch_sizes, reverse):
    """For each row, the row of (y, initial state) that holds its previous state."""
    rows, total = np.zeros(sum(batch_sizes), np.int64), sum(batch_sizes)
    for piece in pieces(batch_sizes, reverse):
        rows[piece.first : piece.first + piece.count] = np.arange(piece.count) + piece.before + total * piece.starts
    return rows


def _state_weight_gradient(g, y, h0, batch_sizes, reverse):
    """The gradient of w_hh: g.T @ the previous states."""
    batch = batch_sizes[0]
    if batch_sizes[-1] < batch:
        start = y.new_zeros((batch, y.shape[1])) if h0 is None else h0
        before = y._plain._from_array(_rows_before(batch_sizes, reverse), dtypes.int64, y.device)
        return g.mT @ cat(y, start, dim=0).index_select(0, before)
    rows = y.shape[0] - batch
    late, early, first = (0, batch, rows) if reverse else (batch, 0, 0)
    gw = g.narrow(0, late, rows).mT @ y.narrow(0, early, rows)
    return gw if h0 is None else gw + g.narrow(0, first, batch).mT @ h0


def _gradient(g, y, x, h0, c0, w_ih, w_hh, b_ih, b_hh, w_hr, *, needs, mode, batch_sizes, reverse):
    inputs = (x, h0, c0, w_ih, w_hh, b_ih, b_hh, w_hr)
    if context.grad:
        return _composed_gradient(g, inputs, needs, mode, batch_sizes, reverse)
    (gy, *gs), (y, *saved) = (g, y) if isinstance(g, tuple) else ((g,), (y,))
    y, saved = y.detach(), [s.detach() for s in saved]
    cells, gates, shares = {"lstm": (*saved[:2], None), "gru": (None, *saved)}.get(mode, (None, None, None))
    made = recurrent_backward(gy.contiguous(), gs[0].contiguous() if mode == "lstm" else None, h0, c0, w_hh, w_hr, y, cells,
                              gates, shares, mode=mode, batch_sizes=batch_sizes, reverse=reverse)
    gh, gx, *rest = made
    gs = rest.pop(0) if mode == "gru" else gx
    gh0, gc0, *_ = (*rest, None, None)
    sums = functools.cache(lambda g: g.sum(0))
    rules = (lambda: gx @ w_ih, lambda: gh0, lambda: gc0, lambda: gx.mT @ x,
             lambda: _state_weight_gradient(gs, y, h0, batch_sizes, reverse), lambda: sums(gx), lambda: sums(gs),
             lambda: gh.mT @ saved[2])
    return tuple(rule() if need else None for rule, need in zip(rules, needs, strict=True))


def _composed_gradient(g, inputs, needs, mode, batch_sizes, reverse):
    """The same gradients, computed by differentiable ops."""
    seen = [None if x is None else x.view(x.shape) for x in inputs]  # distinct, even if two inputs are the same tensor
    outs = composed(*seen, mode=mode, batch_sizes=batch_sizes, reverse=reverse)
    gs = g[: len(outs)] if isinstance(g, tuple) else (g,)
    wanted = [x for x, need in zip(seen, needs, strict=True) if need]
    found = iter(grad(outs, wanted, gs, create_graph=True, allow_unused=True))
    return tuple(next(found) if need else None for need in needs)


def composed(x, h0, c0, w_ih, w_hh, b_ih, b_hh, w_hr, *, mode, batch_sizes, reverse):
    """The first results of `recurrent`, y or (y, cells), computed by ordinary ops."""
    shares = linear(x, w_ih, b_ih)
    batch = batch_sizes[0]
    h = x.new_zeros((batch, w_hh.shape[1])) if h0 is None else h0
    c = x.new_zeros((batch, w_hh.shape[0] // 4)) if c0 is None and mode == "lstm" else c0
    start, steps = (h, c), {}
    firsts = [0, *itertools.accumulate(batch_sizes)]
    for t in sorted(range(len(batch_sizes)), reverse=reverse):
        h, c = (_as_many(s, first, batch_sizes[t]) for s, first in zip((h, c), start, strict=True))
        share, state = shares.narrow(0, firsts[t], batch_sizes[t]), linear(h, w_hh, b_hh)
        if mode == "lstm":
            h, c = lstm_cell(*(share + state).chunk(4, 1), c)[:2]
            h = h if w_hr is None else linear(h, w_hr)
        elif mode == "gru":
            h = gru_cell(*share.chunk(3, 1), *state.chunk(3, 1), h)[0]
        else:
            h = getattr(share + state, mode)()
        steps[t] = (h, c)
    return tuple(cat(*(steps[t][i] for t in range(len(steps))), dim=0) for i in range(2 if mode == "lstm" else 1))


def _as_many(state, start, rows):
    """A state cut to its first `rows` rows, or extended to `rows` by rows of the initial state."""
    if state is None or state.shape[0] == rows:
        return state
    missing = rows - state.shape[0]
    return state.narrow(0, 0, rows) if missing < 0 else cat(state, start.narrow(0, state.shape[0], missing), dim=0)


@composite("recurrent", onnx=onnx_rules.recurrent,
           autocast=LOW, public=False, dtypes="floating", saves="x h0 c0 w_ih w_hh b_ih b_hh w_hr y", vjp=_gradient)
def recurrent(x, h0, c0, w_ih, w_hh, b_ih, b_hh, w_hr, *, mode, batch_sizes, reverse):
    """One direction of a recurrent layer: y (N, H) for x (N, I), with the rows of all steps in sequence; see recurrent_forward.

    mode: "lstm", "gru", "tanh" or "relu"; batch_sizes: rows of each step, as a tuple.  Only y and the cells carry gradients.
    """
    dense = [None if s is None else s.contiguous() for s in (x, h0, c0)]
    return recurrent_forward(*dense, w_ih, w_hh, b_ih, b_hh, w_hr, mode=mode, batch_sizes=batch_sizes, reverse=reverse)


#: recurrent where PyTorch's autocast on CPUs keeps the dtype of the state: in GRU layers, GRU cells and LSTM cells
keeping = autocasts(FIRST_OR_LOW)(recurrent)


def stepped(mode, x, states, w_ih, w_hh, b_ih, b_hh):
    """The new states, as a tuple, after one step from x (B, I) and states: (h,), or (h, c) for "lstm"."""
    run = keeping if mode in ("gru", "lstm") else recurrent
    made = run(x, *states, *(None,) * (2 - len(states)), w_ih, w_hh, b_ih, b_hh, None, mode=mode, batch_sizes=(x.shape[0],),
               reverse=False)
    return made[: len(states)] if isinstance(made, tuple) else (made,)
