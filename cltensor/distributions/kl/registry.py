"""Formulas for Kullback and Leibler's divergence by the classes of both distributions."""

from collections.abc import Callable
from typing import Any

from ...base.errors import ArgumentTypeError, MissingError
from ...tensor import Tensor
from ..distribution import Distribution

_formulas: dict[tuple[type, type], Callable[..., Any]] = {}
_found: dict[tuple[type, type], Callable[..., Any] | None] = {}


def register_kl(type_p: type, type_q: type) -> Callable[[Any], Any]:
    """Decorate a function (p, q) that kl_divergence is to call for distributions of two classes, and of subclasses of theirs.

    The function returns a tensor of the batch's shape and a floating dtype.  Where several fit, the closest classes win.  Raises
    ArgumentTypeError for what are no classes of distributions.  Source: standard definition.

        @register_kl(Mine, Normal)
        def kl_mine_normal(p, q):
            return (p.loc - q.loc) ** 2 / (2 * q.variance)
    """
    for kind in (type_p, type_q):
        if not (isinstance(kind, type) and issubclass(kind, Distribution)):
            raise ArgumentTypeError(f"register_kl expects subclasses of Distribution, got {kind!r}")

    def declare(formula):
        _formulas[type_p, type_q] = formula
        _found.clear()
        return formula

    return declare


def kl_divergence(p: Distribution, q: Distribution) -> Tensor:
    """The divergence of Kullback and Leibler, the mean of log p(x) - log q(x) over x of p, in nats.

    p and q: distributions of batch shapes that broadcast and one floating dtype; the result has the shape of both.  Raises
    MissingError where no formula is registered for their classes.  Source: Kullback and Leibler 1951, "On information and
    sufficiency".

        kl_divergence(Normal(0.0, 1.0), Normal(1.0, 1.0))   # tensor(0.5000)
    """
    kinds = type(p), type(q)
    if kinds not in _found:
        _found[kinds] = _closest(*kinds)
    formula = _found[kinds]
    if formula is None:
        raise MissingError(f"No KL(p || q) is implemented for p type {kinds[0].__name__} and q type {kinds[1].__name__}; give one "
                           "with register_kl, or average p.log_prob(x) - q.log_prob(x) over x of p")
    return formula(p, q)


def _closest(p, q):
    """The formula of the closest classes, p's counting first; None if there is none."""
    fits = [(p.__mro__.index(a), q.__mro__.index(b), formula) for (a, b), formula in _formulas.items()
            if issubclass(p, a) and issubclass(q, b)]
    return min(fits, key=lambda fit: fit[:2])[2] if fits else None
