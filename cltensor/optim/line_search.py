"""A line search to the strong Wolfe conditions: enough descent, and a slope that is flat enough.

Source: Nocedal and Wright, Numerical Optimization, 2006, algorithms 3.5 and 3.6, cubic interpolation by (3.59); the safeguards
(steps in [t + (t - t_before) / 100, 10 t] while bracketing, at least a tenth away from an end that was just tried) are those of
Schmidt's minFunc, 2005.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

ENOUGH, FLAT = 1e-4, 0.9  # c1 and c2
MOST = 25  # trials


class Point(NamedTuple):
    """A place along the line: its distance t, the loss, the gradient (flat) and the slope along the line."""

    t: float
    loss: float
    gradient: Any
    slope: float


def strong_wolfe(at: Callable[[float], Point], start: Point, t: float, width: float, tolerance: float) -> Point:
    """A point that meets the conditions, or the best one found.

    at: a function from a distance to its Point; start: the Point at distance 0; t: the first distance to try; width: the largest
    entry of the direction; tolerance: the smallest change that counts.
    """
    points, trials = _bracket(at, start, t)
    return points[0] if len(points) == 1 else _narrowed(at, start, points, trials, width, tolerance)


def _descends(start, point):
    return point.loss <= start.loss + ENOUGH * point.t * start.slope


def _is_flat(start, point):
    return abs(point.slope) <= -FLAT * start.slope


def _bracket(at, start, t):
    """(points, trials): one point that meets the conditions, or two that have such a one between them; steps grow until then."""
    before, point, trials = start, at(t), 0
    while trials < MOST:
        if not _descends(start, point) or (trials > 1 and point.loss >= before.loss):
            return [before, point], trials
        if _is_flat(start, point):
            return [point], trials
        if point.slope >= 0:
            return [before, point], trials
        least, most = point.t + 0.01 * (point.t - before.t), 10 * point.t
        before, point = point, at(_minimum(before, point, least, most))
        trials += 1
    return [start, point], trials


def _narrowed(at, start, points, trials, width, tolerance):
    """The best point: the bracket shrinks until one in it meets the conditions."""
    low, high = sorted(points, key=_loss)
    close = False  # whether the last trial lay close to an end
    while trials < MOST and abs(high.t - low.t) * width >= tolerance:
        first, last = sorted((low.t, high.t))
        t, close = _inside(_minimum(low, high, first, last), first, last, close)
        point = at(t)
        trials += 1
        if not _descends(start, point) or point.loss >= low.loss:
            low, high = sorted((low, point), key=_loss)
            continue
        if _is_flat(start, point):
            return point
        low, high = point, low if point.slope * (high.t - low.t) >= 0 else high
    return low


def _loss(point):
    return point.loss


def _inside(t, first, last, close):
    """(t, whether it is close to an end): the second close trial in a row, or one outside, moves a tenth away from that end."""
    margin = 0.1 * (last - first)
    if min(last - t, t - first) >= margin:
        return t, False
    if close or t >= last or t <= first:
        return (last - margin if abs(t - last) < abs(t - first) else first + margin), False
    return t, True


def _minimum(a, b, least, most):
    """Where the cubic through two points with these losses and slopes is least, within [least, most]; else its middle."""
    if a.t > b.t:
        a, b = b, a
    d = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t)
    square = d * d - a.slope * b.slope
    root = math.sqrt(square) if square >= 0 else math.nan
    bend = b.slope - a.slope + 2 * root
    if bend == 0 or math.isnan(bend):
        return (least + most) / 2
    return min(max(b.t - (b.t - a.t) * ((b.slope + root - d) / bend), least), most)
