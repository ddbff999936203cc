"""Recurrent layers over a sequence, in one direction or two."""

from ...ops.nn.recurrent_gradient import keeping, recurrent
from ...tensor.api.creation import tensor
from ...tensor.shape.joining import cat, stack
from .dropout import dropout as _dropout


def layers(x, states, parameters, *, mode, batch_sizes, directions, dropout):
    """(y, last states) for the rows x (N, I) of all steps, through every layer.

    states: (h,) or (h, c), of (layers * directions, B, H) or None; parameters: a tuple (w_ih, w_hh, b_ih, b_hh, w_hr) for each
    layer and direction; dropout: the probability between layers.
    """
    last, outs = [], []
    for at, own in enumerate(parameters):
        reverse = at % directions == 1
        h, c = (None if s is None else s.select(0, at) for s in (*states, None)[:2])
        run = keeping if mode == "gru" else recurrent
        made = run(x, h, c, *own, mode=mode, batch_sizes=batch_sizes, reverse=reverse)
        made = made if isinstance(made, tuple) else (made,)
        outs.append(made[0])
        last.append([_last(m, batch_sizes, reverse) for m in made[: 2 if mode == "lstm" else 1]])
        if len(outs) == directions:
            x, outs = outs[0] if directions == 1 else cat(outs, 1), []
            if dropout and at + 1 < len(parameters):
                x = _dropout(x, dropout)
    return x, [each[0].unsqueeze(0) if len(each) == 1 else stack(each) for each in zip(*last, strict=True)]


def _last(y, batch_sizes, reverse):
    """The last state (B, H) of each sequence, from all rows y (N, H)."""
    batch = batch_sizes[0]
    if reverse or batch_sizes[-1] == batch:
        return y.narrow(0, 0 if reverse else y.shape[0] - batch, batch)
    firsts = [sum(batch_sizes[:t]) for t in range(len(batch_sizes))]
    rows = [firsts[sum(n > b for n in batch_sizes) - 1] + b for b in range(batch)]
    return y.index_select(0, tensor(rows, device=y.device))
