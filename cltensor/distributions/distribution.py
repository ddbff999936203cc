"""Distribution: what all distributions have in common."""

import warnings
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from ..autograd.modes import no_grad
from ..base.errors import ArgumentError, MismatchError, MissingError, ShapeError
from ..base.shapes import Size, broadcast_shapes
from ..tensor import Tensor
from . import constraints
from .parameters import as_size, broadcast_all

SampleShape = Sequence[int]


class Distribution:
    """A probability distribution, or a batch of independent ones.

    batch_shape: one distribution for each index of it; event_shape: the shape of what one of them draws.  A sample has shape
    `sample_shape + batch_shape + event_shape`, and values given to `log_prob` broadcast with the last two.  Parameters have a
    floating dtype.  With validate_args (the default unless Python runs with -O) parameters and values are checked, which reads
    them from the device; nothing else does.

    Define `arg_constraints`, `support`, `log_prob` and `sample` or `rsample` in a subclass.  Raises ArgumentError for a parameter
    that breaks its constraint, MissingError (a NotImplementedError) where a distribution has no such quantity.  Source: standard
    definitions; each class names its own.

        n = Normal(cltensor.zeros(2), 1.0)     # batch_shape (2,), event_shape ()
        n.log_prob(n.sample((3,))).shape       # (3, 2)
    """

    has_rsample = False
    has_enumerate_support = False
    _validate_args = __debug__
    #: constructor arguments of this instance, by name; tensors start with batch_shape
    _given: dict = {}
    #: further constructor arguments, passed on as they are
    _settings: dict = {}

    @staticmethod
    def set_default_validate_args(value: bool) -> None:
        """Check arguments from now on, or do not.  Raises ArgumentError for anything but True and False."""
        if value not in (True, False):
            raise ArgumentError(f"set_default_validate_args expects True or False, got {value!r}")
        Distribution._validate_args = value

    def __init__(self, batch_shape: Sequence[int] = (), event_shape: Sequence[int] = (), validate_args: bool | None = None):
        self._batch_shape, self._event_shape = Size(batch_shape), Size(event_shape)
        if validate_args is not None:
            self._validate_args = validate_args
        if self._validate_args:
            self._check_parameters()

    def _begin(self, validate_args, **given):
        """Broadcast the parameters of a distribution of numbers, keep them as attributes, and initialise."""
        made = dict(zip(given, broadcast_all(*given.values()), strict=True))
        self._keep(made)
        Distribution.__init__(self, next(iter(made.values())).shape, validate_args=validate_args)

    def _keep(self, given, **settings):
        self.__dict__.update(given, **settings)
        self._given, self._settings = given, settings

    def _check_parameters(self):
        try:
            rules = self.arg_constraints
        except NotImplementedError:
            rules = {}
            warnings.warn(f"{type(self).__name__} does not define `arg_constraints`. Set `arg_constraints = {{}}` or initialize "
                          "with `validate_args=False` to turn off validation.", stacklevel=3)
        for name, rule in rules.items():
            lazy = name not in self.__dict__ and isinstance(getattr(type(self), name, None), cached_property)
            if constraints.is_dependent(rule) or lazy:
                continue
            value = getattr(self, name)
            if isinstance(value, Tensor) and not _all(rule.check(value)):
                raise ArgumentError(f"Expected parameter {name} (Tensor of shape {tuple(value.shape)}) of distribution {self!r} to "
                                    f"satisfy the constraint {rule!r}, but found invalid values:\n{value.detach()}")

    def expand(self, batch_shape: Sequence[int], _instance: Any = None) -> Any:
        """The same distribution with its parameters expanded to another batch_shape.

        A subclass with arguments of its own gives _instance, a new object of its own class, or defines `expand`.  Raises
        MissingError if it does neither, ShapeError if batch_shape is none to which the present one broadcasts.
        """
        if not (self._given or self._settings):
            raise MissingError(f"{type(self).__name__} does not define expand; define it in the class")
        owner = next(c for c in type(self).__mro__ if c.__module__.startswith(f"{__package__}."))
        new = self._get_checked_instance(owner, _instance)
        given = {name: self._expanded(value, batch_shape) for name, value in self._given.items()}
        owner.__init__(new, **given, **self._settings, validate_args=False)
        new._validate_args = self._validate_args
        return new

    def _get_checked_instance(self, cls, _instance=None):
        """A new object of this class for the `expand` of cls, or _instance."""
        if _instance is None and type(self).__init__ is not cls.__init__:
            raise MissingError(f"Subclass {type(self).__name__} of {cls.__name__} that defines a custom __init__ method must also "
                               "define a custom .expand() method.")
        return type(self).__new__(type(self)) if _instance is None else _instance

    def _expanded(self, value, batch_shape):
        if not isinstance(value, Tensor):
            return value
        return value.expand(Size((*batch_shape, *value.shape[len(self._batch_shape):])))

    @property
    def batch_shape(self) -> Size:
        """The shape of the batch of distributions."""
        return self._batch_shape

    @property
    def event_shape(self) -> Size:
        """The shape of what one distribution draws."""
        return self._event_shape

    @property
    def arg_constraints(self) -> dict[str, constraints.Constraint]:
        """The constraint of each parameter, by name.  Raises MissingError in a class that does not define it."""
        raise self._missing("arg_constraints")

    @property
    def support(self) -> Any:
        """The constraint that all values drawn satisfy.  Raises MissingError in a class that does not define it."""
        raise self._missing("support")

    @property
    def mean(self) -> Tensor:
        """The mean, of shape batch_shape + event_shape.  Raises MissingError where there is no formula."""
        raise self._missing("mean")

    @property
    def mode(self) -> Tensor:
        """The most probable value, of shape batch_shape + event_shape.  Raises MissingError where there is no formula."""
        raise self._missing("mode")

    @property
    def variance(self) -> Tensor:
        """The variance, of shape batch_shape + event_shape.  Raises MissingError where there is no formula."""
        raise self._missing("variance")

    @property
    def stddev(self) -> Tensor:
        """The standard deviation, the root of the variance.  Raises MissingError where there is no variance."""
        return self.variance.sqrt()

    def _missing(self, name):
        return MissingError(f"{type(self).__name__} has no {name}: there is no closed form, or the class does not define it")

    def sample(self, sample_shape: SampleShape = ()) -> Tensor:
        """Draw values of shape sample_shape + batch_shape + event_shape, without gradients.

        Raises MissingError in a class that cannot draw.
        """
        with no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape: SampleShape = ()) -> Tensor:
        """Draw values of shape sample_shape + batch_shape + event_shape, with gradients for the parameters.

        Raises MissingError in a class whose draws do not depend smoothly on its parameters.
        """
        raise self._missing("rsample")

    def sample_n(self, n: int) -> Tensor:
        """`sample((n,))`, the old way to say it; warns, as PyTorch does."""
        warnings.warn("sample_n(n) will be deprecated. Use .sample((n,)) instead", FutureWarning, stacklevel=2)
        return self.sample((n,))

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density, or of the probability, at value (*, *batch_shape, *event_shape): (*, *batch_shape).

        Raises ArgumentError for a value outside the support or that is no tensor, ShapeError for one that does not broadcast,
        MissingError in a class without a density.
        """
        return self._checked(value, "_log_prob", "log_prob")

    def cdf(self, value: Tensor) -> Tensor:
        """The probability of at most value, a tensor of shape (*, *batch_shape).  Raises as log_prob does."""
        return self._checked(value, "_cdf", "cdf")

    def icdf(self, value: Tensor) -> Tensor:
        """The quantile of probability value, a tensor (*, *batch_shape).  Raises MissingError where there is no formula."""
        formula = getattr(self, "_icdf", None)
        if formula is None:
            raise self._missing("icdf")
        return formula(value)

    def _checked(self, value, formula, name):
        formula = getattr(self, formula, None)
        if formula is None:
            raise self._missing(name)
        if self._validate_args:
            self._validate_sample(value)
        return formula(value)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """All values of a finite support along a new first dimension, (n, *batch_shape, *event_shape).

        With expand=False the batch dimensions have size 1.  Raises MissingError for any other support.
        """
        raise self._missing("enumerate_support")

    def entropy(self) -> Tensor:
        """The entropy in nats, of shape batch_shape.  Raises MissingError where there is no formula."""
        raise self._missing("entropy")

    def perplexity(self) -> Tensor:
        """exp(entropy), of shape batch_shape.  Raises MissingError where there is no entropy."""
        return self.entropy().exp()

    def _extended_shape(self, sample_shape=()):
        """The shape of a sample."""
        return Size((*as_size(sample_shape), *self._batch_shape, *self._event_shape))

    def _validate_sample(self, value):
        """Raise ArgumentError or ShapeError unless value may be one of this distribution."""
        if not isinstance(value, Tensor):
            raise ArgumentError(f"The value argument to log_prob must be a Tensor, got {type(value).__name__}")
        event = value.shape[value.ndim - len(self._event_shape):]
        if tuple(event) != tuple(self._event_shape):
            raise MismatchError(f"The right-most size of value must match event_shape: {value.shape} vs {self._event_shape}.")
        expected = (*self._batch_shape, *self._event_shape)
        try:
            broadcast_shapes(tuple(value.shape), expected)
        except ShapeError:
            raise MismatchError(f"Value is not broadcastable with batch_shape+event_shape: {value.shape} vs "
                                f"{Size(expected)}.") from None
        try:
            support = self.support
        except NotImplementedError:
            warnings.warn(f"{type(self).__name__} does not define `support` to enable sample validation. Please initialize the "
                          "distribution with `validate_args=False` to turn off validation.", stacklevel=4)
            return
        if not _all(support.check(value)):
            raise ArgumentError(f"Expected value argument (Tensor of shape {tuple(value.shape)}) to be within the support "
                                f"({support!r}) of the distribution {self!r}, but found invalid values:\n{value.detach()}")

    def __repr__(self):
        names = [name for name in self.arg_constraints if name in self.__dict__]
        return f"{type(self).__name__}({', '.join(f'{name}: {_shown(self.__dict__[name])}' for name in names)})"


def _shown(value):
    if not isinstance(value, Tensor):
        return value
    return value.detach() if value.numel() == 1 else value.shape


def _all(found):
    return bool(found.detach().all())
