"""Random tensors and generators: Philox counters, the same numbers on every device for one seed."""

import functools
import math
import secrets
import threading

import numpy as np

from ...base import calls, dtypes
from ...base.context import context
from ...base.errors import ArgumentError, ArgumentTypeError, DTypeError, ShapeError, UnsupportedDTypeError
from ...base.forking import in_forked_children
from ...base.host_values import of_attribute
from ...base.layouts import preserve_format
from ...base.observed_sizes import plain
from ...dispatch.run_planned import run_planned
from ...ops.random import distributions as ops
from ...runtime.device import real_default
from ..api.creation import _options, _shape, computed, count, empty, empty_like, from_array, made, pick_device
from ..core.public_api import function, method
from ..core.values import any_true
from ..index.searching import searchsorted
from ..math.complex_numbers import view_as_complex
from ..shape.shape import broadcast_tensors


class Generator:
    """A stream of random numbers: a seed and how many numbers were drawn.

    The same seed gives the same numbers on every device; `device` is accepted for compatibility with PyTorch.
    """

    def __init__(self, device=None):
        self._lock = threading.RLock()
        self._device = device
        self.manual_seed(67280421310721)

    @property
    def device(self):
        return real_default() if self._device is None else pick_device(self._device)

    def manual_seed(self, seed):
        """Start the stream of this seed (any int; taken modulo 2**64)."""
        if isinstance(seed, bool) or not hasattr(seed, "__index__"):
            raise ArgumentTypeError(f"manual_seed expected an int, got {seed!r}")
        self._seed, self._offset = seed.__index__() % 2**64, 0
        return self

    def seed(self):
        """Start a stream from fresh entropy; returns the seed."""
        self.manual_seed(secrets.randbits(63))
        return self._seed

    def initial_seed(self):
        """The seed the stream was started with."""
        return self._seed

    def advance(self, n):
        """Reserve n numbers; returns (seed, offset) as signed 64-bit ints for a kernel."""
        if context.recorder is not None:
            return context.recorder.action(functools.partial(self._reserved, n), functools.partial(self._reserved, -n))
        return self._reserved(n)

    def _reserved(self, n):
        with self._lock:
            offset = self._offset
            self._offset += n
        return _signed(self._seed), _signed(offset)

    def _host_values(self):
        return [of_attribute("seed", self, "_seed", lambda: _signed(self._seed)),
                of_attribute("offset", self, "_offset", lambda: _signed(self._offset))]

    def _host_state(self):
        return self._seed, self._offset

    def _restore_host_state(self, state):
        self._seed, self._offset = state

    def get_state(self):
        """The stream's state as a uint8 tensor of 16 bytes."""
        array = np.array([self._seed, self._offset % 2**64], np.uint64).view(np.uint8)
        return from_array(array, dtypes.uint8, self.device)

    def set_state(self, state):
        """Continue from a state that get_state returned."""
        array = state.numpy()
        if array.dtype != np.uint8 or array.size != 16:
            raise ArgumentError(f"set_state: expected a uint8 tensor of 16 bytes, got {array.dtype} of {array.size} elements")
        self._seed, self._offset = (int(v) for v in array.view(np.uint64))

    def clone_state(self):
        """A new generator that continues from the same state."""
        return Generator(self._device).graphsafe_set_state(self)

    graphsafe_get_state = clone_state

    def graphsafe_set_state(self, state):
        """Continue from the state of another generator.  Raises ArgumentTypeError for anything else; returns self."""
        if not isinstance(state, Generator):
            raise ArgumentTypeError(f"graphsafe_set_state: expected a cltensor.Generator, got {calls.kind(state)}")
        self._seed, self._offset = state._seed, state._offset
        return self

    def __reduce__(self):
        return _restored, (None if self._device is None else str(self._device), self._seed, self._offset)

    def host(self):
        """A NumPy generator seeded from this stream, for draws made on the host."""
        if context.recorder is not None:
            context.recorder.fail("random numbers are drawn on the host")
        seed, offset = self.advance(1)
        return np.random.Generator(np.random.Philox(key=[seed % 2**64, offset % 2**64]))


def _restored(device, seed, offset):
    generator = Generator(device)
    generator._seed, generator._offset = seed, offset
    return generator


def _signed(n):
    n %= 2**64
    return n - 2**64 if n >= 2**63 else n


default_generator = Generator()


@in_forked_children
def _renew():
    default_generator._lock = threading.Lock()


@function(method=False, out=False)
def manual_seed(seed):
    """Seed the default generator, which serves every device; returns it.

    seed: any int, taken modulo 2**64.  No shape or dtype plays a part.  Raises ArgumentTypeError for anything but an int.
    Source: the counter-based generator Philox (Salmon et al., 2011).

        cltensor.manual_seed(0)
    """
    return default_generator.manual_seed(seed)


@function(method=False, out=False)
def seed() -> int:
    """Seed the default generator from fresh entropy; returns the seed.

    The seed is an int of 63 bits; no shape or dtype plays a part.  Never raises.
    Source: the operating system's entropy, as in Python's module secrets.

        kept = cltensor.seed()
    """
    return default_generator.seed()


@function(method=False, out=False)
def initial_seed() -> int:
    """The default generator's seed, an int; no shape or dtype plays a part.

    Never raises.  Source: what manual_seed or seed set.

        cltensor.manual_seed(7)
        cltensor.initial_seed()    # 7
    """
    return default_generator.initial_seed()


@function(method=False, out=False)
def get_rng_state():
    """The default generator's state, a uint8 vector of 16 bytes: seed and numbers drawn, each a 64-bit int.

    Never raises.  Source: the counter-based generator Philox (Salmon et al., 2011).

        state = cltensor.get_rng_state()
    """
    return default_generator.get_state()


@function(method=False, out=False)
def set_rng_state(new_state):
    """Continue the default generator from a state, a uint8 tensor of 16 bytes that get_rng_state gave.

    Raises ArgumentError for another dtype or size.  Source: see get_rng_state.

        cltensor.set_rng_state(state)
    """
    default_generator.set_state(new_state)


def _stream(generator):
    """generator, or the default one for None.  Raises ArgumentTypeError for anything else."""
    if generator is not None and not isinstance(generator, Generator):
        raise ArgumentTypeError(f"generator: expected a cltensor.Generator or None, got {calls.kind(generator)}")
    return generator or default_generator


def _draw(x, distribution, a, b, generator):
    """Fresh random numbers in x's shape and dtype; the parts of complex ones are independent, of half the variance each."""
    if x._spec.dtype.is_complex:
        return _draw_pairs(x, distribution, a, b, generator)
    stream = _stream(generator)
    seed_, offset = (0, 0) if x.is_meta else stream.advance(x._spec.numel)
    return run_planned(ops.fill, (x,), (distribution,), (seed_, offset, a, b))


def _draw_pairs(x, distribution, a, b, generator):
    """_draw for complex x."""
    if distribution not in ("normal", "uniform"):
        raise UnsupportedDTypeError(f"{distribution}: not defined for {x.dtype.name}; fill .real and .imag")
    parts = empty((*x.shape, 2), dtype=x.dtype.to_real(), device=x.device)
    if distribution == "uniform":
        return view_as_complex(_draw(parts, distribution, a, b, generator))
    drawn = view_as_complex(_draw(parts, distribution, 0.0, b * math.sqrt(0.5), generator))
    return drawn + a if a else drawn


def _into(self, distribution, a, b, generator):
    return self.copy_(_draw(self.detach(), distribution, a, b, generator))


def _new(size, distribution, a, b, generator, dtype, device, requires_grad, name):
    dtype, d = _options(dtype, device)
    if not dtype.is_inexact:
        raise DTypeError(f"{name}: \"{name}\" is not implemented for {dtype.name}; use a floating dtype, or randint")
    return made(_draw(empty(_shape(size, name), dtype=dtype, device=d), distribution, a, b, generator), requires_grad)


@function(method=False)
def rand(*size, generator=None, dtype=None, device=None, requires_grad=False):
    """Uniform random numbers in [0, 1)."""
    return _new(size, "uniform", 0.0, 1.0, generator, dtype, device, requires_grad, "rand")


@function(method=False)
def randn(*size, generator=None, dtype=None, device=None, requires_grad=False):
    """Normal random numbers of mean 0 and standard deviation 1 (Box-Muller)."""
    return _new(size, "normal", 0.0, 1.0, generator, dtype, device, requires_grad, "randn")


@function(method=False)
def randint(low=None, high=None, size=None, *, generator=None, dtype=None, device=None, requires_grad=False):
    """Random integers in [low, high); `randint(high, size)` starts at 0."""
    if size is None:
        low, high, size = 0, low, high
    if high is None or size is None:
        raise ArgumentTypeError("randint() missing required arguments: randint(high, size) or randint(low, high, size)")
    low = 0 if low is None else low
    dtype, d = _options(dtype or dtypes.int64, device)
    _check_range(low, high, "randint")
    _check_fits(low, high, dtype, "randint")
    if dtype in dtypes.UNSIGNED:
        return randint(low, high, size, generator=generator, device=d).to(dtype)
    blank = empty(_shape((size,), "randint"), dtype=dtype, device=d)
    return made(_draw(blank, "integers", int(low), int(high), generator), requires_grad)


def _check_range(low, high, name):
    for argument, bound in (("low", low), ("high", high)):
        count(name, argument, bound)
    if not low < high:
        raise ArgumentError(f"{name} expects 'from' to be less than 'to', but got from={low} >= to={high}")


def _check_fits(low, high, dtype, name):
    """Raise ArgumentError for bounds that dtype cannot hold."""
    if dtype.category == "int":
        limits = dtypes.iinfo(dtype)
        for bound, value in (("from", low), ("to - 1", high - 1)):
            if not limits.min <= value <= limits.max:
                raise ArgumentError(f"{name}: {bound} is out of bounds for {dtype.name}: {value} is not in "
                                    f"[{limits.min}, {limits.max}]")


@function(method=False)
def randperm(n, *, generator=None, dtype=None, device=None, requires_grad=False):
    """A random permutation of 0 ... n - 1 (drawn on the host)."""
    if n < 0:
        raise ArgumentError(f"randperm: n must be non-negative, got {n}")
    dtype, d = _options(dtype or dtypes.int64, device)
    stream = _stream(generator)
    return made(computed(n, dtype, d, lambda: stream.host().permutation(plain(n))), requires_grad)


@function(method=False, out=False)
def rand_like(input, *, generator=None, dtype=None, device=None, requires_grad=False, memory_format=preserve_format):
    """rand in input's shape, dtype and device."""
    t = empty_like(input, dtype=dtype, device=device, memory_format=memory_format)
    return made(t.uniform_(generator=generator), requires_grad)


@function(method=False, out=False)
def randn_like(input, *, generator=None, dtype=None, device=None, requires_grad=False, memory_format=preserve_format):
    """randn in input's shape, dtype and device."""
    t = empty_like(input, dtype=dtype, device=device, memory_format=memory_format)
    return made(t.normal_(generator=generator), requires_grad)


@function(method=False, out=False)
def randint_like(input, low=None, high=None, *, generator=None, dtype=None, device=None, requires_grad=False,
                 memory_format=preserve_format):
    """randint in input's shape, dtype and device."""
    low, high = (0, low) if high is None else (low or 0, high)
    _check_range(low, high, "randint_like")
    t = empty_like(input, dtype=dtype, device=device, memory_format=memory_format)
    return made(t.random_(int(low), int(high), generator=generator), requires_grad)


@function(method=False)
def normal(mean=0.0, std=1.0, size=None, *, generator=None, dtype=None, device=None, requires_grad=False):
    """Normal random numbers; mean and std may be tensors (broadcast) or, with size, numbers.

    Raises ArgumentError for a negative std (where values are read, for a tensor), ArgumentTypeError for two numbers without size.
    """
    if not hasattr(std, "_spec") and std < 0:
        raise ArgumentError(f"normal expects std >= 0.0, but found std {std}")
    if hasattr(std, "_spec"):
        ops.check_values(std, "std")
    if size is not None:
        return made(randn(size, generator=generator, dtype=dtype, device=device) * std + mean, requires_grad)
    if not (hasattr(mean, "_spec") or hasattr(std, "_spec")):
        raise ArgumentTypeError(f"normal: mean {mean} and std {std} are numbers; give the size too")
    like = mean if hasattr(mean, "_spec") else std
    shape = (mean + std * 0).shape if hasattr(mean, "_spec") and hasattr(std, "_spec") else like.shape
    return randn(shape, generator=generator, dtype=like.dtype, device=like.device) * std + mean


@function()
def bernoulli(input, p=None, *, generator=None):
    """1 with probability input (elementwise), or with the one probability p, else 0; the gradient is zero.

    Raises ArgumentError for a p outside [0, 1]; for such an element of input, where the result is read.
    """
    if p is not None:
        if not 0 <= p <= 1:
            raise ArgumentError(f"bernoulli expects p to be in [0, 1], but got p={p}")
        return _draw(input, "bernoulli", float(p), 0.0, generator)
    seed_, offset = _stream(generator).advance(input._spec.numel)
    return run_planned(ops.bernoulli_of, (input.contiguous(),), (input.dtype.name,), (seed_, offset, 0.0, 0.0))


@function(method=False, out=False)
def poisson(input, generator=None):
    """A Poisson distributed number for each rate in input, in its floating dtype; the gradient is zero.

    Raises DTypeError for integers; ArgumentError for a negative rate or NaN, where the result is read.  Numerics: float64 for
    float64, else float32.  Source: transformed rejection (Hörmann 1993).
    """
    seed_, offset = _stream(generator).advance(input._spec.numel)
    return run_planned(ops.poisson, (input.contiguous(),), (), (seed_, offset))


@function(method=False, out=False)
def binomial(count, prob, generator=None):
    """How many of count trials (whole floats) with probability prob succeed; both are tensors of one floating dtype, broadcast.

    A prob below 0 counts as 0, above 1 as 1.  Raises DTypeError for integers and for two dtypes, AutogradError in
    backward, as PyTorch does.  Source: transformed rejection (Hörmann 1993).
    """
    for name, t in (("count", count), ("prob", prob)):
        if not t.dtype.is_floating_point:
            raise DTypeError(f"binomial only supports floating-point dtypes for {name}, got: {t.dtype.name}")
    if count.dtype is not prob.dtype:
        raise DTypeError(f"binomial: found dtype {prob.dtype.name} of prob but expected {count.dtype.name}, that of count")
    count, prob = broadcast_tensors(count, prob)
    seed_, offset = _stream(generator).advance(count._spec.numel)
    return run_planned(ops.binomial, (count.contiguous(), prob.contiguous()), (), (seed_, offset))


@function(exact=True, contiguous=True)
def multinomial(input, num_samples, replacement=False, *, generator=None):
    """Draw indices with the probabilities in the rows of input, which need not sum to 1; without replacement by default.

    Reads the values (and so waits for the device) to raise ArgumentError for invalid probabilities.
    """
    if not input.dtype.is_floating_point:
        raise DTypeError(f"multinomial only supports floating-point dtypes for input, got: {input.dtype.name}")
    if input.ndim not in (1, 2):
        raise ShapeError(f"multinomial: prob_dist must be 1 or 2 dim, got {input.ndim}")
    if num_samples <= 0 or (not replacement and num_samples > input.shape[-1]):
        raise ArgumentError("multinomial: cannot sample n_sample <= 0 samples, nor more than prob_dist.size(-1) samples without "
                            f"replacement; got {num_samples} of {input.shape[-1]}")
    p = input.detach()
    if any_true(~((p >= 0) & p.isfinite())):
        raise ArgumentError("multinomial: probability tensor contains either `inf`, `nan` or element < 0")
    if any_true((p > 0).sum(-1) < (1 if replacement else num_samples)):
        raise ArgumentError("multinomial: invalid multinomial distribution (a row has too few positive probabilities)")
    p = p.float() if p.dtype in (dtypes.float16, dtypes.bfloat16) else p
    if not replacement:  # the order of exponential times with these rates
        return (p / empty_like(p).exponential_(generator=generator)).topk(num_samples, -1).indices
    total = p.cumsum(-1)
    drawn = rand(*p.shape[:-1], num_samples, generator=generator, dtype=p.dtype, device=p.device) * total[..., -1:]
    return searchsorted(total, drawn, right=True).clamp(max=p.shape[-1] - 1)


@method()
def uniform_(self, from_=0.0, to=1.0, *, generator=None, **bounds):
    """Fill with uniform random numbers in [from, to)."""
    from_ = bounds.pop("from", from_)
    if from_ > to:
        raise ArgumentError(f"uniform_ expects to return a [from, to) range, but found from={from_} > to={to}")
    return _into(self, "uniform", from_, to, generator)


@method()
def normal_(self, mean=0.0, std=1.0, *, generator=None):
    """Fill with normal random numbers.  Raises ArgumentError for a negative std."""
    if std < 0:
        raise ArgumentError(f"normal_ expects std >= 0.0, but found std {std}")
    return _into(self, "normal", mean, std, generator)


@method()
def exponential_(self, lambd=1.0, *, generator=None):
    """Fill with exponentially distributed numbers of rate lambd."""
    if lambd <= 0:
        raise ArgumentError(f"exponential_ expects lambda > 0.0, but found lambda={lambd}")
    return _into(self, "exponential", lambd, 0.0, generator)


@method()
def log_normal_(self, mean=1.0, std=2.0, *, generator=None):
    """Fill with numbers whose logarithm is normal.  Raises ArgumentError for a std that is not positive."""
    if std <= 0:
        raise ArgumentError(f"log_normal_ expects std > 0.0, but found std={std}")
    return _into(self, "log_normal", mean, std, generator)


@method()
def cauchy_(self, median=0.0, sigma=1.0, *, generator=None):
    """Fill with Cauchy distributed numbers.  Raises ArgumentError for a sigma that is not positive."""
    if sigma <= 0:
        raise ArgumentError(f"cauchy_ expects sigma > 0.0, but found sigma={sigma}")
    return _into(self, "cauchy", median, sigma, generator)


@method()
def geometric_(self, p, *, generator=None):
    """Fill with the number of trials of probability p up to the first success."""
    if not 0 < p < 1:
        raise ArgumentError(f"geometric_ expects p to be in (0, 1), but got p={p}")
    return _into(self, "geometric", p, 0.0, generator)


@method()
def bernoulli_(self, p=0.5, *, generator=None):
    """Fill with 1 with probability p (a number or tensor), else 0."""
    if hasattr(p, "_spec"):
        return self.copy_(bernoulli(p.expand(self.shape), generator=generator))
    if not 0 <= p <= 1:
        raise ArgumentError(f"bernoulli_ expects p to be in [0, 1], but got p={p}")
    return _into(self, "bernoulli", p, 0.0, generator)


@method()
def random_(self, from_=0, to=None, *, generator=None, **bounds):
    """Fill with random integers in [from, to); without `to`, up to the largest that the dtype holds exactly."""
    from_ = bounds.pop("from", from_)
    if to is None:
        digits = {dtypes.float16: 11, dtypes.bfloat16: 8, dtypes.float32: 24, dtypes.float64: 53}
        to = 2 ** digits[self.dtype] + 1 if self.dtype in digits else 2 if self.dtype is dtypes.bool_ else min(
            dtypes.iinfo(self.dtype).max + 1, 2**63 - 1)
    _check_range(from_, to, "random_")
    _check_fits(from_, to, self.dtype, "random_")
    return _into(self, "integers", int(from_), int(to), generator)


@function(method=False, out=False)
def dropout(input, p=0.5, train=True):
    """Zero elements of input with probability p and scale the rest by 1 / (1 - p), when train."""
    if not 0 <= p <= 1:
        raise ArgumentError(f"dropout probability has to be between 0 and 1, but got {p}")
    if not train or p == 0 or not input._spec.numel:
        return input
    seed_, offset = default_generator.advance(input._spec.numel)
    scale = 0.0 if p == 1 else 1.0 / (1.0 - p)
    return run_planned(ops.dropout, (input.contiguous(),), (), (seed_, offset, float(p) if p < 1 else math.inf, scale))
