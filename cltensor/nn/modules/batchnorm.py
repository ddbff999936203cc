"""Normalisation of each channel over the batch, with running statistics."""


from __future__ import annotations

from typing import Any

from ...autograd.modes import no_grad
from ...base import dtypes
from ...base.dtypes import dtype
from ...base.errors import MismatchError
from ...runtime.device import device
from ...tensor.api.creation import empty, ones, scalar_tensor, zeros
from ...tensor.core.tensor import Tensor
from .. import functional as F
from .. import init
from ..parameter import Parameter, UninitializedBuffer, UninitializedParameter, is_lazy
from .lazy import LazyModuleMixin
from .module import Module

__all__ = ["BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "LazyBatchNorm1d", "LazyBatchNorm2d", "LazyBatchNorm3d", "SyncBatchNorm"]


class _NormBase(Module):
    """Affine parameters and running statistics for num_features channels."""

    _version = 2  # version 1 had no num_batches_tracked
    dims = ()

    def __init__(self, num_features, eps, momentum, affine, bias, track_running_stats, device, dtype):
        super().__init__()
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        kind = {"device": device, "dtype": dtype}
        self.register_parameter("weight", Parameter(empty(num_features, **kind)) if affine else None)
        self.register_parameter("bias", Parameter(empty(num_features, **kind)) if affine and bias else None)
        tracked = track_running_stats
        self.register_buffer("running_mean", zeros(num_features, **kind) if tracked else None)
        self.register_buffer("running_var", ones(num_features, **kind) if tracked else None)
        count = scalar_tensor(0, dtype=dtypes.int64, device=device) if tracked else None
        self.register_buffer("num_batches_tracked", count)
        self.reset_parameters()

    def reset_running_stats(self):
        """Set the running mean to 0, the running variance to 1 and the count of batches to 0."""
        if self.track_running_stats:
            self.running_mean.zero_()
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    def reset_parameters(self):
        """Set weight to 1, bias to 0, and reset the running statistics."""
        self.reset_running_stats()
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def _check(self, input):
        if input.ndim not in self.dims:
            expected = " or ".join(f"{d}D" for d in self.dims)
            raise MismatchError(f"{self._get_name()}: expected {expected} input (got {input.ndim}D input of shape "
                             f"{list(input.shape)})")

    def _channels(self, input):
        """The dimension of the channels."""
        return 1

    def extra_repr(self):
        return (f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
                f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}")

    def _load_from_state_dict(self, state_dict, prefix, local_metadata, *rest):
        key = f"{prefix}num_batches_tracked"
        if (local_metadata.get("version") or 1) < 2 and self.num_batches_tracked is not None and key not in state_dict:
            state_dict = {**state_dict, key: self.num_batches_tracked.detach().clone()}
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)


class _BatchNorm(_NormBase):
    def __init__(self, num_features, eps=1e-5, momentum=0.1, affine=True, track_running_stats=True, device=None,
                 dtype=None, *, bias=True):
        super().__init__(num_features, eps, momentum, affine, bias, track_running_stats, device, dtype)

    def forward(self, input):
        self._check(input)
        update = self.training and self.track_running_stats
        momentum = 0.0 if self.momentum is None else self.momentum
        if update:
            self.num_batches_tracked.add_(1)
            if self.momentum is None:  # plain mean of all batches; reading the count waits for the device
                momentum = 1.0 / float(self.num_batches_tracked)
        by_batch = self.training or self.running_mean is None
        running = (self.running_mean, self.running_var) if not self.training or self.track_running_stats else (None, None)
        return F.batch_norm(input, *running, self.weight, self.bias, by_batch, momentum, self.eps)


class BatchNorm1d(_BatchNorm):
    """Normalise x (N, C) or (N, C, L) for each channel over the batch, with running statistics for evaluation.

    momentum: how far the running statistics move towards each batch's; None keeps the plain mean of all batches.
    Source: Ioffe and Szegedy 2015.
    """

    dims = (2, 3)


class BatchNorm2d(_BatchNorm):
    """Normalise x (N, C, H, W) for each channel over the batch; see BatchNorm1d."""

    dims = (4,)


class BatchNorm3d(_BatchNorm):
    """Normalise x (N, C, D, H, W) for each channel over the batch; see BatchNorm1d."""

    dims = (5,)


class SyncBatchNorm(_BatchNorm):
    """BatchNorm for x (N, C, *) whose statistics are those of all processes; in one process, those of the batch.

    process_group: accepted; this process is the only one.  Other arguments, state_dict and results are those of BatchNorm2d,
    floating dtypes.  Raises MismatchError for less than two dimensions.  Source: Ioffe and Szegedy 2015.

        >>> from cltensor import nn
        >>> nn.SyncBatchNorm.convert_sync_batchnorm(nn.BatchNorm2d(3))
        SyncBatchNorm(3, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)
    """

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = True,
                 track_running_stats: bool = True, process_group: Any | None = None, device: device | str | int | None = None,
                 dtype: dtype | None = None, *, bias: bool = True):
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)
        self.process_group = process_group

    def _check(self, input):
        if input.ndim < 2:
            raise MismatchError(f"SyncBatchNorm: expected at least 2D input (got {input.ndim}D input)")

    @classmethod
    def convert_sync_batchnorm(cls, module, process_group=None):
        """The module with every BatchNorm in it as a SyncBatchNorm that has the same parameters and statistics."""
        made = module
        if isinstance(module, _BatchNorm) and not isinstance(module, SyncBatchNorm):
            made = cls(module.num_features, module.eps, module.momentum, module.affine, module.track_running_stats, process_group,
                       bias=module.bias is not None)
            for members in ("_parameters", "_buffers"):
                getattr(made, members).update(getattr(module, members))
            made.train(module.training)
        for name, child in module.named_children():
            made.add_module(name, cls.convert_sync_batchnorm(child, process_group))
        return made


# --- lazy ------------------------------------------------------------------------------------------------------------


class _LazyNorm(LazyModuleMixin):
    """num_features from the first input."""

    def __init__(self, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = True, track_running_stats: bool = True,
                 device: device | str | int | None = None, dtype: dtype | None = None, *, bias: bool = True):
        super().__init__(0, eps, momentum, False, False)
        self.affine, self.track_running_stats = affine, track_running_stats
        kind = {"device": device, "dtype": dtype}
        for name, wanted in (("weight", affine), ("bias", affine and bias)):
            if wanted:
                self.register_parameter(name, UninitializedParameter(**kind))
        if track_running_stats:
            self.running_mean, self.running_var = UninitializedBuffer(**kind), UninitializedBuffer(**kind)
            self.num_batches_tracked = scalar_tensor(0, dtype=dtypes.int64, device=device)

    def reset_parameters(self):
        """Reset parameters and running statistics, once they have a shape."""
        if self.num_features and not self.has_uninitialized_params():
            super().reset_parameters()

    def initialize_parameters(self, input: Tensor):
        """Give parameters and running statistics their shapes and first values."""
        if not self.has_uninitialized_params():
            return
        self._check(input)
        self.num_features = input.shape[self._channels(input)]
        with no_grad():
            for t in (self.weight, self.bias, self.running_mean, self.running_var):
                if is_lazy(t):
                    t.materialize((self.num_features,))
            self.reset_parameters()


class LazyBatchNorm1d(_LazyNorm, BatchNorm1d):
    """A BatchNorm1d that takes num_features from its first input (N, C) or (N, C, L).  It is a BatchNorm1d from then on.

    Floating dtypes.  Raises MismatchError for an input of other dimensions.
    Source: the definition of BatchNorm1d.

        >>> from cltensor import nn, randn
        >>> nn.LazyBatchNorm1d()(randn(2, 5, 4)).shape
        cltensor.Size([2, 5, 4])
    """

    cls_to_become = BatchNorm1d


class LazyBatchNorm2d(_LazyNorm, BatchNorm2d):
    """A BatchNorm2d that takes num_features from its first input (N, C, H, W).  It is a BatchNorm2d from then on.

    Floating dtypes.  Raises MismatchError for an input of other dimensions.
    Source: the definition of BatchNorm2d.

        >>> from cltensor import nn, randn
        >>> nn.LazyBatchNorm2d()(randn(2, 5, 4, 4)).shape
        cltensor.Size([2, 5, 4, 4])
    """

    cls_to_become = BatchNorm2d


class LazyBatchNorm3d(_LazyNorm, BatchNorm3d):
    """A BatchNorm3d that takes num_features from its first input (N, C, D, H, W).  It is a BatchNorm3d from then on.

    Floating dtypes.  Raises MismatchError for an input of other dimensions.
    Source: the definition of BatchNorm3d.

        >>> from cltensor import nn, randn
        >>> nn.LazyBatchNorm3d()(randn(2, 5, 4, 4, 4)).shape
        cltensor.Size([2, 5, 4, 4, 4])
    """

    cls_to_become = BatchNorm3d


def __dir__():
    return sorted(__all__)
