"""The Wishart distribution."""

import math
import warnings

from ..base.errors import ArgumentError
from ..base.shapes import broadcast_shapes
from ..tensor import Tensor
from ..tensor.linalg.linalg import slogdet, solve_triangular
from ..tensor.random.implicit import standard_gamma
from ..tensor.shape.diagonals import diag_embed
from . import constraints
from .distribution import Distribution, SampleShape
from .exp_family import ExponentialFamily
from .multivariate_normal import OfCovariance, half_log_det
from .noise import standard_normal
from .parameters import number_like


class Wishart(OfCovariance, ExponentialFamily):
    """The Wishart distribution: the sum of x x^T of df normal vectors x of mean 0, for any df above n - 1.

    df: a number, or a tensor (*batch_shape); one of covariance_matrix, precision_matrix and scale_tril (*batch_shape, n, n), of
    float32 or float64; shapes broadcast.  Samples follow df by implicit gradients.  Raises ArgumentError for a df that is too
    small, and for a matrix that is not positive definite.  Source: Bartlett 1933, "On the theory of statistical regression".

        Wishart(4.0, cltensor.eye(2)).mean   # 4 on the diagonal
    """

    support = constraints.positive_definite
    has_rsample = True
    _mean_carrier_measure = 0

    def __init__(self, df: Tensor | float, covariance_matrix: Tensor | None = None, precision_matrix: Tensor | None = None,
                 scale_tril: Tensor | None = None, validate_args: bool | None = None):
        name, matrix = self._one_matrix({"covariance_matrix": covariance_matrix, "precision_matrix": precision_matrix,
                                         "scale_tril": scale_tril})
        df = df if isinstance(df, Tensor) else number_like(df, matrix)
        n = matrix.shape[-1]
        batch = broadcast_shapes(tuple(matrix.shape[:-2]), tuple(df.shape))
        self._matrix = name, matrix
        self._keep({name: matrix.expand(*batch, n, n), "df": df.expand(batch)})
        if bool((df.detach() <= n - 1).any()):
            raise ArgumentError(f"Value of df={df} expected to be greater than ndim - 1 = {n - 1}.")
        Distribution.__init__(self, batch, (n, n), validate_args)

    @property
    def arg_constraints(self) -> dict[str, constraints.Constraint]:
        """df lies above n - 1."""
        return {"covariance_matrix": constraints.positive_definite, "precision_matrix": constraints.positive_definite,
                "scale_tril": constraints.lower_cholesky, "df": constraints.greater_than(self._matrix[1].shape[-1] - 1)}

    @property
    def mean(self) -> Tensor:
        """df times the covariance."""
        return self.df[..., None, None] * self.covariance_matrix

    @property
    def mode(self) -> Tensor:
        """(df - n - 1) times the covariance, NaN where that is not positive."""
        factor = self.df - self._event_shape[-1] - 1
        return factor.where(factor > 0, math.nan)[..., None, None] * self.covariance_matrix

    @property
    def variance(self) -> Tensor:
        """df (V_ij**2 + V_ii V_jj) of the covariance V."""
        v = self.covariance_matrix
        d = v.diagonal(dim1=-2, dim2=-1)
        return self.df[..., None, None] * (v**2 + d.unsqueeze(-1) * d.unsqueeze(-2))

    def _halves(self):
        """(df - i) / 2 for i = 0 ... n - 1."""
        n = self._event_shape[-1]
        return 0.5 * (self.df.unsqueeze(-1) - self.df.new_tensor([float(i) for i in range(n)]))

    def rsample(self, sample_shape: SampleShape = (), max_try_correction: int | None = None) -> Tensor:
        """See Distribution.  max_try_correction: how often samples that rounding made singular are drawn again; None: never.

        Warns about samples that are singular after that.
        """
        drawn = self._drawn(sample_shape)
        if max_try_correction is None:
            return drawn
        for _ in range(max_try_correction):
            regular = self.support.check(drawn)
            if bool(regular.all()):
                return drawn
            drawn = drawn.where(regular[..., None, None], self._drawn(sample_shape))
        if not bool(self.support.check(drawn).all()):
            warnings.warn("Singular sample detected.", stacklevel=2)
        return drawn

    def _drawn(self, sample_shape):
        """Samples by Bartlett's decomposition."""
        shape = self._extended_shape(sample_shape)
        squares = 2 * standard_gamma(self._halves().expand(shape[:-1]))
        low = self._factor @ (standard_normal(shape, self.df).tril(-1) + diag_embed(squares.sqrt()))
        return low @ low.mT

    def _log_normalizer_of(self, half_df, half_log_det_):
        n = self._event_shape[-1]
        return half_df * n * math.log(2) + 2 * half_df * half_log_det_ + half_df.mvlgamma(n)

    def _log_prob(self, value):
        n = self._event_shape[-1]
        solved = solve_triangular(*_alike(self._factor, value), upper=False)
        trace = (solve_triangular(*_alike(self._factor, solved.mT), upper=False)).diagonal(dim1=-2, dim2=-1).sum(-1)
        log_normalizer = self._log_normalizer_of(0.5 * self.df, half_log_det(self._factor))
        return 0.5 * (self.df - n - 1) * slogdet(value)[1] - 0.5 * trace - log_normalizer

    def entropy(self) -> Tensor:
        """See Distribution."""
        n, half = self._event_shape[-1], 0.5 * self.df
        log_normalizer = self._log_normalizer_of(half, half_log_det(self._factor))
        mean_log_det = self._halves().digamma().sum(-1) + n * math.log(2) + 2 * half_log_det(self._factor)
        return log_normalizer - 0.5 * (self.df - n - 1) * mean_log_det + half * n

    @property
    def _natural_params(self):
        return -0.5 * self.precision_matrix, 0.5 * (self.df - self._event_shape[-1] - 1)

    def _log_normalizer(self, x, y):
        n = self._event_shape[-1]
        half = y + 0.5 * (n + 1)
        return half * (n * math.log(2) - slogdet(-2 * x)[1]) + half.mvlgamma(n)


def _alike(a, b):
    """Matrices a and b with the same batch dimensions."""
    batch = broadcast_shapes(tuple(a.shape[:-2]), tuple(b.shape[:-2]))
    return a.expand(*batch, *a.shape[-2:]), b.expand(*batch, *b.shape[-2:])
