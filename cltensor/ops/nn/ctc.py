"""Connectionist temporal classification: one time step of all alignments.

Source: A. Graves et al., Connectionist Temporal Classification, 2006.
"""

import functools
import math

import numpy as np

from ...codegen import expr as E
from ..kinds.elementwise import elementwise


def _log_sum(a, b, c):
    """log(exp(a) + exp(b) + exp(c)); minus infinity if all three are."""
    top = E.maximum(E.maximum(a, b), c)
    top = E.where(top > -math.inf, top, 0)
    return top + E.log(E.exp(a - top) + E.exp(b - top) + E.exp(c - top))


def _log_sum_reference(*_terms):
    return functools.reduce(np.logaddexp, _terms)


def _terms(count):
    return lambda rng: [(tuple(rng.standard_normal((count, 2, 3))), {})]


forward = elementwise(
    "ctc_forward", lambda stay, advance, leap, may_leap, emission: emission + _log_sum(stay, advance, leap + may_leap),
    dtypes="floating", public=False, samples=_terms(5),
    ref=lambda stay, advance, leap, may_leap, emission: emission + _log_sum_reference(stay, advance, leap + may_leap),
    doc="alpha of a step from that of the step before, for states reached from themselves, one or two states back.")


def _backward_value(stay, advance, leap, may_leap, emission, final, last, time):
    return emission + E.where(last == time, final, _log_sum(stay, advance, leap + may_leap))


def _backward_reference(stay, advance, leap, may_leap, emission, final, last, time):
    return emission + np.where(last == time, final, _log_sum_reference(stay, advance, leap + may_leap))


def _backward_samples(rng):
    return [((*rng.standard_normal((6, 2, 3)), np.array([[1.0], [3.0]])), {"time": 3.0})]


backward = elementwise(
    "ctc_backward", _backward_value, tensors="stay advance leap may_leap emission final last", dtypes="floating", public=False,
    ref=_backward_reference, samples=_backward_samples,
    doc="beta of a step from that of the step after, or the final states' in a sequence's last step.")
share = elementwise(
    "ctc_share", lambda alpha, beta, emission, loss: E.where(
        (alpha > -math.inf) & (beta > -math.inf), E.exp(alpha + beta - emission + loss), 0),
    dtypes="floating", public=False, samples=_terms(4),
    ref=lambda alpha, beta, emission, loss: np.exp(alpha + beta - emission + loss),
    doc="The share of the alignments that pass a state at a step.")
