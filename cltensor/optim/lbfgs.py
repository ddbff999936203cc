"""L-BFGS: quasi-Newton steps from the last changes of parameters and gradient."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..autograd.modes import enable_grad, no_grad
from ..base.errors import ArgumentError, CLTensorError
from ..tensor import Tensor
from ..tensor.api.creation import zeros_like
from ..tensor.shape.joining import cat
from .line_search import Point, strong_wolfe
from .optimizer import Optimizer
from .settings import check, not_negative

__all__ = ["LBFGS"]

_CURVED = 1e-10  # the least product of changes that is remembered


class LBFGS(Optimizer):
    """Steps along -H g, with H the inverse Hessian as the last history_size changes of parameters and gradient suggest.

    `step(closure)` takes up to max_iter such steps; closure computes the loss with gradients and returns it, and is called up to
    max_eval times (by default 1.25 max_iter).  It ends early where no entry of the gradient exceeds tolerance_grad, or no entry of
    a step, or the change of the loss, tolerance_change.  line_search_fn: None, where steps have length lr, or "strong_wolfe".

    params: tensors of any shape and floating dtype, one group of them.  lr: a number or a one-element tensor.  All tensors of the
    state belong to the first parameter.

    Raises ArgumentError for more than one group and a negative lr; `step` raises CLTensorError for another line_search_fn.
    Source: Nocedal 1980; Nocedal and Wright 2006, algorithm 7.4; Liu and Nocedal 1989.

        optimizer = optim.LBFGS(model.parameters(), line_search_fn="strong_wolfe")

        def closure():
            optimizer.zero_grad()
            loss = loss_fn(model(x), y)
            loss.backward()
            return loss

        optimizer.step(closure)
    """

    counts = ()

    def __init__(self, params: Iterable[Any], lr: float | Tensor = 1, max_iter: int = 20, max_eval: int | None = None,
                 tolerance_grad: float = 1e-7, tolerance_change: float = 1e-9, history_size: int = 100,
                 line_search_fn: str | None = None):
        super().__init__(params, {"lr": lr, "max_iter": max_iter, "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
                                  "tolerance_grad": tolerance_grad, "tolerance_change": tolerance_change,
                                  "history_size": history_size, "line_search_fn": line_search_fn})
        if len(self.param_groups) != 1:
            raise ArgumentError("LBFGS doesn't support per-parameter options (parameter groups)")

    def check_group(self, group: dict[str, Any]):
        check(group, lr=not_negative)

    @no_grad()
    def step(self, closure: Callable[[], Any]):
        """Take up to max_iter steps.  closure: computes the loss with gradients, and returns it.  Returns its first result."""
        group = self._numbers.of(self.param_groups[0])
        if group["line_search_fn"] not in (None, "strong_wolfe"):
            raise CLTensorError(f"LBFGS: only 'strong_wolfe' is supported as line_search_fn, got {group['line_search_fn']!r}")
        state = self.state[group["params"][0]]
        state.setdefault("func_evals", 0), state.setdefault("n_iter", 0)
        run = _Run(group, state, enable_grad()(closure))
        first, loss, gradient = run.evaluate()
        if _largest(gradient) > group["tolerance_grad"]:
            run.iterate(loss, gradient)
        return first


class _Run:
    """One call of step: what it may spend, and where it is."""

    def __init__(self, group, state, closure):
        self.group, self.params, self.state, self.closure = group, group["params"], state, closure
        self.evaluations = 0

    def evaluate(self):
        """(the closure's result, the loss as a number, the gradient as a vector)."""
        result = self.closure()
        self.evaluations += 1
        self.state["func_evals"] += 1
        return result, float(result), self._flat_gradient()

    def _flat_gradient(self):
        return cat([(zeros_like(p) if p.grad is None else p.grad).reshape(-1) for p in self.params])

    def move(self, direction, t):
        """Add t * direction to the parameters."""
        start = 0
        for p in self.params:
            p.add_(direction[start : start + p.numel()].view(p.shape), alpha=t)
            start += p.numel()

    def iterate(self, loss, gradient):
        """Step until one of the limits is met, and leave everything in the state for the next call."""
        state, group, iterations = self.state, self.group, 0
        done = False
        while iterations < group["max_iter"] and not done:
            iterations += 1
            state["n_iter"] += 1
            fresh = state["n_iter"] == 1
            direction = _first_direction(state, gradient) if fresh else _next_direction(state, gradient, group["history_size"])
            state.update(d=direction, prev_flat_grad=gradient.clone(), prev_loss=loss)
            t = min(1.0, 1.0 / float(gradient.abs().sum())) * group["lr"] if fresh else group["lr"]
            slope, before = float(gradient.dot(direction)), loss
            if slope > -group["tolerance_change"]:
                state["t"] = t
                return
            t, loss, gradient = self._advance(Point(0, loss, gradient, slope), direction, t, iterations == group["max_iter"])
            state["t"] = t
            done = (self.evaluations >= group["max_eval"] or _largest(gradient) <= group["tolerance_grad"]
                    or _largest(direction) * abs(t) <= group["tolerance_change"]
                    or abs(loss - before) < group["tolerance_change"])

    def _advance(self, start, direction, t, last):
        """(step length, loss, gradient) after a step along direction; without a search the last step's are not evaluated."""
        if self.group["line_search_fn"] is None:
            self.move(direction, t)
            if last:
                return t, start.loss, start.gradient
            _, loss, gradient = self.evaluate()
            return t, loss, gradient
        found = strong_wolfe(self._along(direction), start, t, _largest(direction), self.group["tolerance_change"])
        self.move(direction, found.t)
        return found.t, found.loss, found.gradient

    def _along(self, direction):
        """A function from a distance to the Point there; it leaves the parameters as they are."""
        kept = [p.clone() for p in self.params]

        def at(t):
            self.move(direction, t)
            _, loss, gradient = self.evaluate()
            for p, value in zip(self.params, kept, strict=True):
                p.copy_(value)
            return Point(t, loss, gradient, float(gradient.dot(direction)))

        return at


def _largest(x):
    return float(x.abs().max())


def _first_direction(state, gradient):
    state.update(old_dirs=[], old_stps=[], ro=[], H_diag=1)
    return -gradient


def _next_direction(state, gradient, history_size):
    """-H gradient by the two-loop recursion, after the last change is remembered."""
    change, step = gradient - state["prev_flat_grad"], state["d"] * state["t"]
    product = change.dot(step)
    changes, steps, ro = state["old_dirs"], state["old_stps"], state["ro"]
    if float(product) > _CURVED:
        if len(changes) == history_size:
            changes.pop(0), steps.pop(0), ro.pop(0)
        changes.append(change), steps.append(step), ro.append(1.0 / product)
        state["H_diag"] = product / change.dot(change)
    al = state["al"] = state.get("al") or [None] * history_size
    d = -gradient
    for i in reversed(range(len(changes))):
        al[i] = steps[i].dot(d) * ro[i]
        d = d - changes[i] * al[i]
    d = d * state["H_diag"]
    for i in range(len(changes)):
        d = d + steps[i] * (al[i] - changes[i].dot(d) * ro[i])
    return d


def __dir__():
    return sorted(__all__)
