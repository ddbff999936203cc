"""Pruning methods: how a mask of zeros and ones is chosen, by elements or whole channels, by size or at random."""

from __future__ import annotations

import numbers
from abc import ABC, abstractmethod
from typing import Any

from ... import linalg
from ...autograd.modes import no_grad
from ...base.errors import ArgumentError, ArgumentTypeError, AssertedShapeError, DimensionError
from ...tensor.core.tensor import Tensor
from ..modules.module import Module


def pruning_hooks(module, name):
    """(key, method) of the pruning methods that are at work on a parameter."""
    return [(key, hook) for key, (hook, _) in module._forward_pre_hooks.items()
            if isinstance(hook, BasePruningMethod) and hook._tensor_name == name]


class BasePruningMethod(ABC):
    """Base of every method: a class that gives PRUNING_TYPE and compute_mask.

    PRUNING_TYPE: "unstructured", "structured" (which has a dim) or "global": what a method that comes second on the same tensor is
    shown: the elements that are left, the channels that are left, or all.  Tensors of any shape and floating dtype.
    Raises ArgumentError for amounts that make no sense.  Source: PyTorch 2.13's interface.

        >>> from cltensor import nn
        >>> class EverySecond(nn.utils.prune.BasePruningMethod):
        ...     PRUNING_TYPE = "unstructured"
        ...     def compute_mask(self, t, default_mask):
        ...         mask = default_mask.clone()
        ...         mask.view(-1)[::2] = 0
        ...         return mask
        >>> EverySecond.apply(nn.Linear(2, 2), "bias") is not None
        True
    """

    _tensor_name: str
    PRUNING_TYPE = "unstructured"

    def __call__(self, module, inputs):
        setattr(module, self._tensor_name, self.apply_mask(module))

    @abstractmethod
    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask for t, of its shape: default_mask, the one so far, with further zeros."""

    def apply_mask(self, module: Module) -> Tensor:
        """The parameter times its mask."""
        name = self._tensor_name
        mask = getattr(module, f"{name}_mask")
        original = getattr(module, f"{name}_orig")
        return mask.to(original.dtype) * original

    @classmethod
    def apply(cls, module: Module, name: str, *args, importance_scores: Tensor | None = None, **kwargs) -> BasePruningMethod:
        """Prune a parameter by cls(*args, **kwargs) at once and before every call; return the method at work on it.

        importance_scores: what the mask is computed from, of the parameter's shape; the parameter itself unless given.
        """
        earlier = pruning_hooks(module, name)
        method = cls(*args, **kwargs)
        method._tensor_name = name
        original = getattr(module, f"{name}_orig" if earlier else name)
        scores = original if importance_scores is None else importance_scores
        if scores.shape != original.shape:
            raise AssertedShapeError(f"importance_scores should have the same shape as parameter {name} of {module}, got "
                                     f"{list(scores.shape)} vs {list(original.shape)}")
        before = getattr(module, f"{name}_mask").detach().clone() if earlier else original.detach() * 0 + 1
        if earlier:
            method = earlier[0][1]._with(method)
        with no_grad():
            mask = method.compute_mask(scores.detach(), before)
        if earlier:
            del module._forward_pre_hooks[earlier[0][0]]
            setattr(module, f"{name}_mask", mask)
        else:
            del module._parameters[name]
            module.register_parameter(f"{name}_orig", original)
            module.register_buffer(f"{name}_mask", mask)
        setattr(module, name, method.apply_mask(module))
        module.register_forward_pre_hook(method)
        return method

    def _with(self, method):
        """A container of this method and a later one."""
        container = PruningContainer(self)
        container.add_pruning_method(method)
        return container

    def prune(self, t: Tensor, default_mask: Tensor | None = None, importance_scores: Tensor | None = None) -> Tensor:
        """t with what the method chooses set to 0; apart from any module.

        default_mask: what is 0 already; importance_scores: what the mask is computed from.
        """
        scores = t if importance_scores is None else importance_scores
        if scores.shape != t.shape:
            raise AssertedShapeError(f"importance_scores should have the same shape as tensor t, got {list(scores.shape)} vs "
                                     f"{list(t.shape)}")
        mask = t.detach() * 0 + 1 if default_mask is None else default_mask
        return t * self.compute_mask(scores, mask).to(t.dtype)

    def remove(self, module: Module):
        """Make the pruned values the parameter's own, without mask; the hook is left for prune.remove to delete."""
        name = self._tensor_name
        original = module._parameters[f"{name}_orig"]
        original.data = self.apply_mask(module).detach()
        delattr(module, name)
        del module._parameters[f"{name}_orig"], module._buffers[f"{name}_mask"]
        setattr(module, name, original)


class PruningContainer(BasePruningMethod):
    """Methods that prune one tensor, of any shape and floating dtype, one after another.

    Raises ArgumentTypeError for what is no pruning method, ArgumentError for one of another tensor.
    Source: PyTorch 2.13's interface.

        >>> from cltensor import nn
        >>> len(nn.utils.prune.PruningContainer())
        0
    """

    def __init__(self, *args: BasePruningMethod):
        self._pruning_methods = ()
        if args:
            self._tensor_name = args[0]._tensor_name
        for method in args:
            self.add_pruning_method(method)

    def add_pruning_method(self, method: BasePruningMethod | None):
        """Add a method for the same tensor."""
        if not isinstance(method, BasePruningMethod) and method is not None:
            raise ArgumentTypeError(f"{type(method)} is not a BasePruningMethod subclass")
        if method is not None and self._tensor_name != method._tensor_name:
            raise ArgumentError("Can only add pruning methods acting on the parameter named "
                                f"'{self._tensor_name}' to PruningContainer {self}. Found '{method._tensor_name}'")
        self._pruning_methods += (method,)

    def __len__(self):
        return len(self._pruning_methods)

    def __iter__(self):
        return iter(self._pruning_methods)

    def __getitem__(self, idx):
        return self._pruning_methods[idx]

    def _with(self, method):
        self.add_pruning_method(method)
        return self

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """default_mask with the zeros of the last method, which is shown what is left."""
        method = self._pruning_methods[-1]
        mask = default_mask.to(t.dtype)
        kind = method.PRUNING_TYPE
        if kind == "global":
            return method.compute_mask(t, mask)
        if kind == "unstructured":
            at = mask.flatten().nonzero().squeeze(1)
            part = method.compute_mask(t.flatten().index_select(0, at), mask.flatten().index_select(0, at))
            return mask.flatten().index_copy(0, at, part.to(mask.dtype)).reshape(mask.shape)
        if kind != "structured":
            raise ArgumentError(f"Unrecognized PRUNING_TYPE {kind}")
        if not hasattr(method, "dim"):
            raise ArgumentError("Pruning methods of PRUNING_TYPE \"structured\" need to have the attribute `dim` defined.")
        dim = method.dim % t.ndim
        others = tuple(d for d in range(t.ndim) if d != dim)
        at = mask.sum(others).nonzero().squeeze(1)
        part = method.compute_mask(t.index_select(dim, at), mask.index_select(dim, at))
        return mask.index_copy(dim, at, part.to(mask.dtype))


# --- how much ----------------------------------------------------------------------------------------------------------


def _check_amount(amount):
    if not isinstance(amount, numbers.Real):
        raise ArgumentTypeError(f"Invalid type for amount: {amount}. Must be int or float.")
    whole = isinstance(amount, numbers.Integral)
    if (whole and amount < 0) or (not whole and not 0.0 <= amount <= 1.0):
        raise ArgumentError(f"amount={amount} should either be a float in the range [0, 1] or a non-negative integer")


def _count(amount, size):
    """How many of size to prune: a number of them, or a fraction."""
    if not isinstance(amount, numbers.Integral):
        return round(amount * size)
    if amount > size:
        raise ArgumentError(f"amount={amount} should be smaller than the number of parameters to prune={size}")
    return int(amount)


def _without(mask, dim, at):
    """mask with zeros at the indices `at` of a dimension."""
    return mask.index_fill(dim, at, 0)


class _ByAmount(BasePruningMethod):
    def __init__(self, amount):
        _check_amount(amount)
        self.amount = amount


class _ByElements(_ByAmount):
    """Prunes the elements with the smallest scores."""

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """default_mask with zeros at the elements of t with the smallest scores."""
        n = _count(self.amount, t.numel())
        if not n:
            return default_mask.clone()
        at = self._scores(t).flatten().topk(n, largest=False).indices
        return _without(default_mask.flatten(), 0, at).reshape(default_mask.shape)


class _ByChannels(_ByAmount):
    """Prunes the channels, the slices along dim, with the smallest scores."""

    PRUNING_TYPE = "structured"

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """default_mask with zeros at the channels of t with the smallest scores."""
        if t.ndim <= 1:
            raise ArgumentError("Structured pruning can only be applied to multidimensional tensors. Found tensor of shape "
                                f"{list(t.shape)} with {t.ndim} dims")
        if not -t.ndim <= self.dim < t.ndim:
            raise DimensionError(f"Invalid index {self.dim} for tensor of size {list(t.shape)}")
        n = _count(self.amount, t.shape[self.dim])
        if not n:
            return default_mask.clone()
        return _without(default_mask, self.dim, self._scores(t).topk(n, largest=False).indices)


class Identity(BasePruningMethod):
    """Prunes nothing, of a tensor of any shape and dtype; the parameter gets a mask of ones.  Never raises.

    Source: PyTorch 2.13's interface.

        >>> from cltensor import nn, ones
        >>> nn.utils.prune.Identity().prune(ones(2))
        tensor([1., 1.])
    """

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """default_mask."""
        return default_mask

    @classmethod
    def apply(cls, module: Module, name: str) -> BasePruningMethod:
        """Give a parameter a mask of ones."""
        return super().apply(module, name)


class RandomUnstructured(_ByElements):
    """Prunes elements at random: amount of them, or that fraction.  Tensors of any shape and floating dtype.

    Raises ArgumentError for an amount that makes no sense.  Source: PyTorch 2.13's interface.

        >>> from cltensor import nn, ones
        >>> nn.utils.prune.RandomUnstructured(3).prune(ones(5)).sum()
        tensor(2.)
    """

    def _scores(self, t):
        return t.detach().new_empty(t.shape).uniform_()

    @classmethod
    def apply(cls, module: Module, name: str, amount: float) -> BasePruningMethod:
        """Prune a parameter."""
        return super().apply(module, name, amount=amount)


class L1Unstructured(_ByElements):
    """Prunes the elements that are nearest to 0: amount of them, or that fraction.  Tensors of any shape and floating dtype.

    Raises ArgumentError for an amount that makes no sense.  Source: Han et al. 2015.

        >>> from cltensor import nn, tensor
        >>> nn.utils.prune.L1Unstructured(2).prune(tensor([3.0, -1.0, 2.0]))
        tensor([ 3., -0.,  0.])
    """

    def _scores(self, t):
        return t.abs()

    @classmethod
    def apply(cls, module: Module, name: str, amount: float, importance_scores: Tensor | None = None) -> BasePruningMethod:
        """Prune a parameter."""
        return super().apply(module, name, amount=amount, importance_scores=importance_scores)


class RandomStructured(_ByChannels):
    """Prunes channels, slices along dim, at random: amount of them, or that fraction.  Two dimensions or more, floating dtypes.

    Raises ArgumentError for an amount that makes no sense or one dimension.  Source: PyTorch 2.13's interface.

        >>> from cltensor import nn, ones
        >>> nn.utils.prune.RandomStructured(1, dim=0).prune(ones(3, 2)).sum()
        tensor(4.)
    """

    def __init__(self, amount: float, dim: int = -1):
        super().__init__(amount)
        self.dim = dim

    def _scores(self, t):
        return t.detach().new_empty((t.shape[self.dim],)).uniform_()

    @classmethod
    def apply(cls, module: Module, name: str, amount: float, dim: int = -1) -> BasePruningMethod:
        """Prune a parameter."""
        return super().apply(module, name, amount=amount, dim=dim)


class LnStructured(_ByChannels):
    """Prunes the channels, slices along dim, of the smallest n-norm: amount of them, or that fraction.

    Tensors of two dimensions or more and a floating dtype.  n: 1, 2, inf, -inf, "fro" or "nuc", as in cltensor.norm.
    Raises ArgumentError for an amount that makes no sense or one dimension.  Source: Li et al. 2017.

        >>> from cltensor import nn, tensor
        >>> nn.utils.prune.LnStructured(1, n=1, dim=0).prune(tensor([[1.0, 2.0], [0.5, 1.0]]))
        tensor([[1., 2.],
                [0., 0.]])
    """

    def __init__(self, amount: float, n: Any, dim: int = -1):
        super().__init__(amount)
        self.n, self.dim = n, dim

    def _scores(self, t):
        dims = tuple(d for d in range(t.ndim) if d != self.dim % t.ndim)
        if isinstance(self.n, str):
            return t.norm(p=self.n, dim=dims)
        return linalg.vector_norm(t, self.n, dims)

    @classmethod
    def apply(cls, module: Module, name: str, amount: float, n: Any, dim: int,
              importance_scores: Tensor | None = None) -> BasePruningMethod:
        """Prune a parameter."""
        return super().apply(module, name, amount=amount, n=n, dim=dim, importance_scores=importance_scores)


class CustomFromMask(BasePruningMethod):
    """Prunes what a mask of zeros and ones, of the tensor's shape, says.  Tensors of any shape and floating dtype.

    Raises AssertedShapeError for a mask of another shape.  Source: PyTorch 2.13's interface.

        >>> from cltensor import nn, tensor
        >>> nn.utils.prune.CustomFromMask(tensor([0.0, 1.0])).prune(tensor([3.0, 4.0]))
        tensor([0., 4.])
    """

    PRUNING_TYPE = "global"

    def __init__(self, mask: Tensor):
        self.mask = mask

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """default_mask times the mask."""
        if default_mask.shape != self.mask.shape:
            raise AssertedShapeError(f"CustomFromMask: the mask has shape {list(self.mask.shape)}, the tensor "
                                     f"{list(default_mask.shape)}")
        return default_mask * self.mask.to(default_mask.dtype)

    @classmethod
    def apply(cls, module: Module, name: str, mask: Tensor) -> BasePruningMethod:
        """Prune a parameter."""
        return super().apply(module, name, mask=mask)
