"""cltensor.special: special functions, with torch.special's names."""

from .ops.pointwise import bessel as _bessel
from .ops.pointwise import orthogonal_polynomials as _orthogonal
from .ops.pointwise import special as _special
from .tensor import namespace as _namespace

_PUBLIC = {
    "digamma": "digamma",
    "erf": "erf",
    "erfc": "erfc",
    "erfinv": "erfinv",
    "exp2": "exp2",
    "expit": "sigmoid",
    "expm1": "expm1",
    "gammainc": "igamma",
    "gammaincc": "igammac",
    "gammaln": "lgamma",
    "i0": "i0",
    "log1p": "log1p",
    "log_softmax": "log_softmax",
    "logit": "logit",
    "logsumexp": "logsumexp",
    "multigammaln": "mvlgamma",
    "polygamma": "polygamma",
    "psi": "digamma",
    "round": "round",
    "sinc": "sinc",
    "softmax": "softmax",
    "xlogy": "xlogy",
}
_HERE = {
    **{
        name: getattr(_special, name)
        for name in ("entr", "erfcx", "i0e", "i1", "i1e", "log_ndtr", "ndtr", "ndtri", "xlog1py", "zeta")
    },
    "modified_bessel_i0": _special.i0,
    "modified_bessel_i1": _special.i1,
    **{name: op for module in (_bessel, _orthogonal) for name, op in vars(module).items() if hasattr(op, "ref")},
}

_functions = _namespace()
globals().update({name: _functions[source] for name, source in _PUBLIC.items()}, **_HERE)

__all__ = (*_PUBLIC, *_HERE)  # noqa: PLE0604


def __dir__():
    return sorted(__all__)
