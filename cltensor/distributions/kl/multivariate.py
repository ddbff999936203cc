"""Divergences between multivariate normal distributions, of a full or a low-rank covariance."""

from ...base.errors import MismatchError
from ...base.shapes import broadcast_shapes
from ...tensor.linalg.linalg import solve_triangular
from ..lowrank_multivariate_normal import LowRankMultivariateNormal
from ..multivariate_normal import MultivariateNormal, half_log_det, mahalanobis
from .registry import register_kl


def _log_det(d):
    return d._log_det() if isinstance(d, LowRankMultivariateNormal) else 2 * half_log_det(d._factor)


def _root(d):
    """A matrix R with R R^T the covariance."""
    return d.scale_tril if isinstance(d, LowRankMultivariateNormal) else d._factor


def _solved(low, b):
    batch = broadcast_shapes(tuple(low.shape[:-2]), tuple(b.shape[:-2]))
    return solve_triangular(low.expand(*batch, *low.shape[-2:]), b.expand(*batch, *b.shape[-2:]), upper=False)


def _trace(p, q):
    """The trace of q's inverse covariance times p's covariance."""
    root = _root(p)
    if isinstance(q, LowRankMultivariateNormal):
        few = _solved(q._capacitance_tril, q._weighted @ root)
        return (root**2 / q.cov_diag.unsqueeze(-1)).sum((-2, -1)) - (few**2).sum((-2, -1))
    return (_solved(q._factor, root) ** 2).sum((-2, -1))


def _distance(q, difference):
    if isinstance(q, LowRankMultivariateNormal):
        return q._mahalanobis(difference)
    return mahalanobis(q._factor, difference)


def _normals(p, q):
    if p.event_shape != q.event_shape:
        raise MismatchError(f"KL-divergence between two multivariate normals with different event shapes cannot be computed: "
                            f"{p.event_shape} and {q.event_shape}")
    n = p.event_shape[0]
    return 0.5 * (_log_det(q) - _log_det(p) + _trace(p, q) + _distance(q, p.loc - q.loc) - n)


for _p in (MultivariateNormal, LowRankMultivariateNormal):
    for _q in (MultivariateNormal, LowRankMultivariateNormal):
        register_kl(_p, _q)(_normals)
