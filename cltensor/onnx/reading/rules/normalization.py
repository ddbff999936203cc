"""Normalisations."""

from ....nn import functional as F
from ..operators import operator
from ..public import axis_of, ct


def _channels(parameter, ndim):
    return parameter.reshape([-1] + [1] * (ndim - 2))


@operator("BatchNormalization", since=7, buffers="mean var")
def batch_norm_of_version_7(x, scale, b, mean, var, *, epsilon=1e-5, momentum=0.9, spatial=1, n_outputs=1):
    if not spatial:
        return (x - mean) / ct.sqrt(var + epsilon) * scale + b
    return batch_norm(x, scale, b, mean, var, epsilon=epsilon, momentum=momentum, training_mode=int(n_outputs > 1),
                      n_outputs=n_outputs)


@operator("BatchNormalization", since=9, buffers="mean var")
def batch_norm_of_version_9(x, scale, b, mean, var, *, epsilon=1e-5, momentum=0.9, n_outputs=1):
    return batch_norm(x, scale, b, mean, var, epsilon=epsilon, momentum=momentum, training_mode=int(n_outputs > 1),
                      n_outputs=n_outputs)


@operator("BatchNormalization", since=14, buffers="input_mean input_var")
def batch_norm(x, scale, b, input_mean, input_var, *, epsilon=1e-5, momentum=0.9, training_mode=0, n_outputs=1):
    if not training_mode:
        if scale.dtype is x.dtype and input_mean.dtype is x.dtype:
            return F.batch_norm(x, input_mean, input_var, scale, b, False, 0.0, epsilon)
        mean, var = _channels(input_mean, x.ndim), _channels(input_var, x.ndim)
        return ((x - mean) / ct.sqrt(var + epsilon) * _channels(scale, x.ndim) + _channels(b, x.ndim)).to(x.dtype)
    axes = tuple(i for i in range(x.ndim) if i != 1)
    mean, var = ct.mean(x, axes), ct.var(x, axes, correction=0)
    found = (x - _channels(mean, x.ndim)) / ct.sqrt(_channels(var, x.ndim) + epsilon)
    found = found * _channels(scale, x.ndim) + _channels(b, x.ndim)
    running = [(old * momentum + new * (1 - momentum)).to(old.dtype) for old, new in ((input_mean, mean), (input_var, var))]
    return (found.to(x.dtype), *running, mean, var)[: max(n_outputs, 1)]


@operator("InstanceNormalization", since=6)
def instance_norm(input, scale, b, *, epsilon=1e-5):
    axes = tuple(range(2, input.ndim))
    mean, var = ct.mean(input, axes, True), ct.var(input, axes, correction=0, keepdim=True)
    return (input - mean) / ct.sqrt(var + epsilon) * _channels(scale, input.ndim) + _channels(b, input.ndim)


@operator("GroupNormalization", since=18)
def group_norm_of_version_18(x, scale, bias, *, epsilon=1e-5, num_groups):
    found = F.group_norm(x, num_groups, None, None, epsilon)
    grouped = found.reshape(x.shape[0], num_groups, -1)
    return (grouped * scale.reshape(-1, 1) + bias.reshape(-1, 1)).reshape(x.shape)


@operator("GroupNormalization", since=21)
def group_norm(x, scale, bias, *, epsilon=1e-5, num_groups, stash_type=1):
    return F.group_norm(x, num_groups, scale, bias, epsilon)


@operator("LayerNormalization", since=17)
def layer_norm(x, scale, b=None, *, axis=-1, epsilon=1e-5, stash_type=1, n_outputs=1):
    axis = axis_of(axis, x.ndim)
    shape = tuple(x.shape[axis:])
    if n_outputs == 1 and scale.shape == shape and (b is None or b.shape == shape):
        return F.layer_norm(x, shape, scale, b, epsilon)
    axes, held = tuple(range(axis, x.ndim)), x.to(ct.float32) if stash_type == 1 else x
    mean = ct.mean(held, axes, True)
    inverse = ct.rsqrt(ct.var(held, axes, correction=0, keepdim=True) + epsilon)
    found = ((held - mean) * inverse).to(x.dtype) * scale
    return (found if b is None else found + b, mean, inverse)[: max(n_outputs, 1)]


@operator("RMSNormalization", since=23)
def rms_norm(x, scale, *, axis=-1, epsilon=1e-5, stash_type=1):
    axes, held = tuple(range(axis_of(axis, x.ndim), x.ndim)), x.to(ct.float32) if stash_type == 1 else x
    return (held * ct.rsqrt(ct.mean(held * held, axes, True) + epsilon)).to(scale.dtype) * scale


@operator("MeanVarianceNormalization", since=9)
def mean_variance_norm(x, *, axes=(0, 2, 3)):
    mean = ct.mean(x, axes, True)
    return (x - mean) / (ct.sqrt(ct.mean(x * x, axes, True) - mean * mean) + 1e-9)


@operator("LpNormalization")
def lp_norm(input, *, axis=-1, p=2):
    size = ct.sum(ct.abs(input), axis, True) if p == 1 else ct.sqrt(ct.sum(input * input, axis, True))
    return ct.where(size == 0, ct.zeros_like(input), input / size)


@operator("LRN")
def local_response_norm(x, *, alpha=1e-4, beta=0.75, bias=1.0, size):
    before = (size - 1) // 2
    squares = (x * x).reshape(x.shape[0], 1, x.shape[1], -1)
    squares = F.pad(squares, (0, 0, before, size - 1 - before))
    sums = F.avg_pool2d(squares, (size, 1), 1) * size
    return x / ct.pow(bias + alpha / size * sums.reshape(x.shape), beta)
