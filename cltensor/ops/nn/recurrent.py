"""Recurrent layers over a whole sequence, forward and backward, two or three launches per step.

The rows of all steps are stored in sequence: x (N, I), and the state after each row, y (N, H).  Step t has batch_sizes[t] rows.
One launch multiplies the inputs of all steps by their weights.  Each step adds the product of the state; then one elementwise
launch computes the new state and overwrites the pre-activations with the gates.
"""

from ...base.errors import ShapeError
from ...dispatch.plan import In, Out
from ...dispatch.spec import dense
from ..kinds.kernel import Kernel
from ..pointwise.elementary import copy, full, tanh
from . import onnx_rules
from .activations import relu
from .cells import gru_cell, gru_slope, lstm_cell, lstm_slope, relu_slope, tanh_slope
from .sequences import Part, Tape, pieces, temporary, vector

GATES = {"lstm": 4, "gru": 3, "tanh": 1, "relu": 1}
_PLAIN = {"tanh": (tanh, tanh_slope), "relu": (relu, relu_slope)}
_MOST_STEPS = 20_000


class _Plans(dict):
    """Plans by layout, all dropped when they hold too many launches, as sequences may have any length."""

    def __setitem__(self, key, plan):
        self.held = getattr(self, "held", 0) + len(plan.steps)
        if self.held > _MOST_STEPS:
            self.clear()
            self.held = len(plan.steps)
        super().__setitem__(key, plan)


class _Sequence(Kernel):
    """A kernel op whose plans have many launches."""

    def __init__(self, name, **common):
        super().__init__(name, dtypes="floating", public=False, **common)
        self.plans = _Plans()


def _part(kind, index, s):
    return None if s is None else Part(kind(index), s)


# --- forward ----------------------------------------------------------------------------------------------------------


def _forward_shape(x, h0, c0, w_ih, w_hh, b_ih, b_hh, w_hr, *, mode, batch_sizes, reverse):
    rows, hidden = x.shape[0], w_hh.shape[0] // GATES[mode]
    if rows != sum(batch_sizes):
        raise ShapeError(f"recurrent: {rows} rows of input, but batch_sizes add up to {sum(batch_sizes)}")
    y = dense((rows, w_hh.shape[1]), x.dtype, x.device)
    if mode == "lstm":
        cells, gates = (y.dense((rows, n)) for n in (hidden, 4 * hidden))
        return (y, cells, gates) if w_hr is None else (y, cells, gates, cells)
    return (y, y.dense((rows, 3 * hidden)), y.dense((rows, 3 * hidden))) if mode == "gru" else y


def _forward_launch(inputs, outputs, *, mode, batch_sizes, reverse):
    x, h0, c0, w_ih, w_hh, b_ih, b_hh, w_hr = (_part(In, i, s) for i, s in enumerate(inputs))
    outs = [Part(Out(i), s) for i, s in enumerate(outputs)]
    tape, rows, order = Tape(), x.spec.shape[0], pieces(batch_sizes, reverse)
    biases = [vector(b.arg, b.spec, rows) for b in (b_ih, b_hh) if b is not None]
    tape.product(x, w_ih.mT, outs[0 if mode in _PLAIN else 1 if mode == "gru" else 2], *biases[: 1 if mode == "gru" else 2])
    turned = temporary(w_hh.spec, *w_hh.spec.shape[::-1])  # transposed, as every step's product reads it by rows
    if h0 is not None or not all(piece.starts for piece in order):
        tape.elementwise(copy, [w_hh.mT], [turned])
    if mode == "lstm":
        _lstm_forward(tape, order, h0, c0, turned, w_hr, *outs)
    elif mode == "gru":
        _gru_forward(tape, order, h0, turned, None if b_hh is None else vector(b_hh.arg, b_hh.spec, rows), *outs)
    else:
        _plain_forward(tape, order, h0, turned, _PLAIN[mode][0], *outs)
    return tape.steps


def _before(piece, states, start):
    """The Part of `states`, or of the initial state `start` (may be None), that precedes a piece."""
    source = start if piece.starts else states
    return None if source is None else source.rows(piece.before, piece.count)


def _lstm_forward(tape, order, h0, c0, turned, w_hr, y, cells, gates, raw=None):
    for piece in order:
        at = (piece.first, piece.count)
        h, c, now = _before(piece, y, h0), _before(piece, cells, c0), gates.rows(*at)
        if h is not None:
            tape.product(h, turned, now, now)
        made = (y if raw is None else raw).rows(*at)
        tape.elementwise(lstm_cell, [*now.columns(4), 0.0 if c is None else c], [made, cells.rows(*at), *now.columns(4)])
        if raw is not None:
            tape.product(made, w_hr.mT, y.rows(*at))


def _gru_forward(tape, order, h0, turned, bias, y, gates, shares):
    for piece in order:
        at = (piece.first, piece.count)
        h, now, share = _before(piece, y, h0), gates.rows(*at), shares.rows(*at)
        added = [] if bias is None else [bias.rows(*at)]
        if h is not None:
            tape.product(h, turned, share, *added)
        elif added:
            tape.elementwise(copy, added, [share])
        else:
            tape.elementwise(full, [], [share])
        inputs = [*now.columns(3), *share.columns(3), 0.0 if h is None else h]
        tape.elementwise(gru_cell, inputs, [y.rows(*at), *now.columns(3)])


def _plain_forward(tape, order, h0, turned, curve, y):
    for piece in order:
        h, now = _before(piece, y, h0), y.rows(piece.first, piece.count)
        if h is not None:
            tape.product(h, turned, now, now)
        tape.elementwise(curve, [now], [now])


def _work(*weights):
    """The work of the products with these inputs, for each row of the first."""
    return lambda specs, outs, **attributes: 2 * outs[0].shape[0] * sum(specs[i].numel for i in weights if specs[i] is not None)


recurrent_forward = _Sequence(
    "recurrent_forward", onnx=onnx_rules.recurrent,
    shape=_forward_shape, launch=_forward_launch, work=_work(3, 4, 7), products=True,
    doc="""A recurrent layer over a whole sequence: (y, cells, gates[, unprojected y]) of an lstm, (y, gates, the state's share of
    the pre-activations) of a gru, y of a plain layer.  h0 (B, H) and c0 None: zeros; the biases and w_hr may be None.""")


# --- backward ---------------------------------------------------------------------------------------------------------


def _backward_shape(gy, gc, h0, c0, w_hh, w_hr, y, cells, gates, shares, *, mode, batch_sizes, reverse):
    rows = y.shape[0]
    wide = y.dense((rows, w_hh.shape[0]))
    outs = [y, wide, *([wide] if mode == "gru" else [])]
    return (*outs, *(s.dense() for s in (h0, c0) if s is not None))


def _backward_launch(inputs, outputs, *, mode, batch_sizes, reverse):
    gy, gc, h0, c0, w_hh, w_hr, y, cells, gates, shares = (_part(In, i, s) for i, s in enumerate(inputs))
    gh, gx, *rest = (Part(Out(i), s) for i, s in enumerate(outputs))
    tape, order = Tape(), pieces(batch_sizes, reverse)[::-1]
    tape.elementwise(copy, [gy], [gh])
    if mode == "lstm":
        flows = temporary(cells.spec, *cells.spec.shape)
        tape.elementwise(*((full, []) if gc is None else (copy, [gc])), [flows])
        _lstm_backward(tape, order, w_hh, w_hr, (c0, cells, gates), gh, gx, flows, *rest or (None, None))
    elif mode == "gru":
        _gru_backward(tape, order, w_hh, (h0, y, gates, shares), gh, gx, *rest, *([] if h0 else [None]))
    else:
        _plain_backward(tape, order, w_hh, _PLAIN[mode][1], y, gh, gx, *rest or [None])
    return tape.steps


def _lstm_backward(tape, order, w_hh, w_hr, saved, gh, gx, flows, gh0, gc0):
    c0, cells, gates = saved
    for piece in order:
        at = (piece.first, piece.count)
        g, now = gh.rows(*at), gx.rows(*at)
        if w_hr is not None:
            unprojected = temporary(cells.spec, piece.count, cells.spec.shape[1])
            tape.product(g, w_hr, unprojected)
            g = unprojected
        c, flow = _before(piece, cells, c0), _before(piece, flows, gc0)
        inputs = [g, flows.rows(*at), *gates.rows(*at).columns(4), 0.0 if c is None else c, cells.rows(*at),
                  0.0 if piece.starts else flow]
        left = temporary(cells.spec, piece.count, cells.spec.shape[1]) if flow is None else flow
        tape.elementwise(lstm_slope, inputs, [*now.columns(4), left])
        _flow_back(tape, piece, now, w_hh, gh, gh0)


def _flow_back(tape, piece, g, w_hh, gh, gh0):
    """Add the gradient that flows through the state's product to the gradient of the previous state."""
    target = _before(piece, gh, gh0)
    if target is not None:
        tape.product(g, w_hh, target, *([] if piece.starts else [target]))


def _gru_backward(tape, order, w_hh, saved, gh, gx, gs, gh0):
    h0, y, gates, shares = saved
    for piece in order:
        at = (piece.first, piece.count)
        now, share, h, flow = gx.rows(*at), gs.rows(*at), _before(piece, y, h0), _before(piece, gh, gh0)
        inputs = [gh.rows(*at), *gates.rows(*at).columns(3), shares.rows(*at).columns(3)[2], 0.0 if h is None else h,
                  0.0 if piece.starts else flow]
        left = temporary(y.spec, piece.count, y.spec.shape[1]) if flow is None else flow
        tape.elementwise(gru_slope, inputs, [*now.columns(3), *share.columns(3), left])
        if flow is not None:
            tape.product(share, w_hh, flow, flow)


def _plain_backward(tape, order, w_hh, slope, y, gh, gx, gh0):
    for piece in order:
        at = (piece.first, piece.count)
        tape.elementwise(slope, [gh.rows(*at), y.rows(*at)], [gx.rows(*at)])
        _flow_back(tape, piece, gx.rows(*at), w_hh, gh, gh0)


recurrent_backward = _Sequence(
    "recurrent_backward", shape=_backward_shape, launch=_backward_launch, work=_work(4, 5), products=True,
    doc="""Gradients of recurrent_forward: of the states y, of the pre-activations (of a gru: the input's share, then the state's),
    of h0 and of c0 where these are given.  gc, of the cells, may be None.""")
