"""The chi-squared distribution."""

from ..tensor import Tensor
from . import constraints
from .gamma import Gamma
from .parameters import broadcast_all


class Chi2(Gamma):
    """The chi-squared distribution: the sum of the squares of df standard normal numbers.

    df: a number, or a tensor of any shape and a floating dtype.  Raises ArgumentError for a df that is not positive.  Source:
    standard definition, Gamma(df / 2, 1 / 2).

        Chi2(3.0).variance   # tensor(6.)
    """

    arg_constraints = {"df": constraints.positive}

    def __init__(self, df: Tensor | float, validate_args: bool | None = None):
        df, = broadcast_all(df)
        super().__init__(0.5 * df, 0.5, validate_args=validate_args)
        self._given = {"df": df}

    @property
    def df(self) -> Tensor:
        """The number of degrees of freedom."""
        return 2 * self.concentration
