"""Optimiser updates: each is one fused op over a parameter, its gradient and its state.

Every number is a kernel argument, so a new learning rate compiles nothing.  `sign` is -1 to maximise, 1 to minimise.
"""

import math
import operator

import numpy as np

from ...codegen import expr as E
from ..kinds.elementwise import elementwise


def _update(name, tensors, fn, doc, *, ref, **numbers):
    """Declare an update; numbers: test values for arguments that have none in _TRIED."""
    tried = {**_TRIED, **numbers}
    names = fn.__code__.co_varnames[len(tensors.split()) : fn.__code__.co_argcount]
    return elementwise(name, fn, tensors=tensors, dtypes="floating", public=False, doc=doc, ref=ref, samples=lambda rng: [
        (tuple(rng.uniform(*_RANGES.get(t, (-2, 2)), (2, 3)) for t in tensors.split()), {n: tried[n] for n in names})])


# Values for the generated tests: numbers all different, and states that can arise, so that v > a ** 2
_TRIED = {"lr": 0.1, "weight_decay": 0.05, "sign": -1.0, "momentum": 0.8, "keep": 0.7, "take": 0.3, "one_minus_beta1": 0.2,
          "beta2": 0.9, "one_minus_beta2": 0.1, "eps": 0.01, "step_size": 0.15, "bias2_sqrt": 0.6, "decay_factor": 0.95,
          "alpha": 0.85, "rho": 0.75}
_RANGES = {**dict.fromkeys(("v", "row", "column", "level", "top", "total", "u"), (0.3, 1)), "a": (-0.4, 0.4), "size": (0.1, 0.5)}


def _mean(old, new, take):
    """NumPy: a running mean, moved towards new."""
    return (1 - take) * old + take * new


def _decayed(p, g, weight_decay, sign, **_):
    """NumPy: the gradient of sign * loss + weight_decay / 2 * p ** 2."""
    return np.multiply(sign, g) + np.multiply(weight_decay, p)


def _sgd(p, g, lr, weight_decay, sign):
    return p - lr * (sign * g + weight_decay * p)


def _sgd_momentum(p, g, b, lr, momentum, keep, take, weight_decay, nesterov, sign):
    d = sign * g + weight_decay * p
    b = keep * b + take * d
    return p - lr * E.where(nesterov > 0, d + momentum * b, b), b


def _adam_moments(p, g, m, v, one_minus_beta1, beta2, one_minus_beta2, weight_decay, sign):
    d = sign * g + weight_decay * p
    return m + one_minus_beta1 * (d - m), beta2 * v + one_minus_beta2 * d * d


def _adam(p, g, m, v, one_minus_beta1, beta2, one_minus_beta2, eps, step_size, bias2_sqrt, weight_decay, decay_factor, sign):
    m, v = _adam_moments(p, g, m, v, one_minus_beta1, beta2, one_minus_beta2, weight_decay, sign)
    return decay_factor * p - step_size * m / (E.sqrt(v) / bias2_sqrt + eps), m, v


def _amsgrad(p, g, m, v, top, one_minus_beta1, beta2, one_minus_beta2, eps, step_size, bias2_sqrt, weight_decay, decay_factor,
             sign):
    m, v = _adam_moments(p, g, m, v, one_minus_beta1, beta2, one_minus_beta2, weight_decay, sign)
    top = E.maximum(top, v)
    return decay_factor * p - step_size * m / (E.sqrt(top) / bias2_sqrt + eps), m, v, top


def _rmsprop(p, g, v, lr, alpha, take, eps, weight_decay, sign):
    d = sign * g + weight_decay * p
    v = alpha * v + take * d * d
    return p - lr * d / (E.sqrt(v) + eps), v


def _rmsprop_momentum(p, g, v, b, lr, alpha, take, eps, weight_decay, sign, momentum):
    d = sign * g + weight_decay * p
    v = alpha * v + take * d * d
    b = momentum * b + d / (E.sqrt(v) + eps)
    return p - lr * b, v, b


def _rmsprop_centered(p, g, v, a, lr, alpha, take, eps, weight_decay, sign):
    d = sign * g + weight_decay * p
    v, a = alpha * v + take * d * d, a + take * (d - a)
    return p - lr * d / (E.sqrt(v - a * a) + eps), v, a


def _rmsprop_centered_momentum(p, g, v, a, b, lr, alpha, take, eps, weight_decay, sign, momentum):
    d = sign * g + weight_decay * p
    v, a = alpha * v + take * d * d, a + take * (d - a)
    b = momentum * b + d / (E.sqrt(v - a * a) + eps)
    return p - lr * b, v, a, b


def _adagrad(p, g, total, lr, eps, weight_decay, sign):
    d = sign * g + weight_decay * p
    total = total + d * d
    return p - lr * d / (E.sqrt(total) + eps), total


def _adadelta(p, g, v, u, lr, rho, take, eps, weight_decay, sign):
    d = sign * g + weight_decay * p
    v = rho * v + take * d * d
    step = E.sqrt(u + eps) / E.sqrt(v + eps) * d
    return p - lr * step, v, rho * u + take * step * step


def _adamax(p, g, m, top, one_minus_beta1, beta2, eps, step_size, weight_decay, sign):
    d = sign * g + weight_decay * p
    m, top = m + one_minus_beta1 * (d - m), E.maximum(beta2 * top, E.abs(d) + eps)
    return p - step_size * m / top, m, top


def _nadam(p, g, m, v, one_minus_beta1, beta2, one_minus_beta2, eps, bias2, gradient_step, momentum_step, weight_decay,
           decay_factor, sign):
    d = sign * g + weight_decay * p
    m, v = m + one_minus_beta1 * (d - m), beta2 * v + one_minus_beta2 * d * d
    return decay_factor * p - (gradient_step * d + momentum_step * m) / (E.sqrt(v / bias2) + eps), m, v


def _radam(p, g, m, v, one_minus_beta1, beta2, one_minus_beta2, eps, step_size, rectified, weight_decay, decay_factor, sign):
    m, v = _adam_moments(p, g, m, v, one_minus_beta1, beta2, one_minus_beta2, weight_decay, sign)
    return decay_factor * p - step_size * m * E.where(rectified > 0, rectified / (E.sqrt(v) + eps), 1), m, v


def _rprop(p, g, previous, size, shrink, grow, least, most, sign):
    d = sign * g
    turn = d * previous
    size = E.where(turn > 0, size * grow, E.where(turn < 0, size * shrink, size))
    size = E.where(size < least, least, E.where(size > most, most, size))
    d = E.where(turn < 0, 0, d)
    return p - E.sign(d) * size, d, size


def _asgd(p, g, ax, eta, shrink, mu, weight_decay, sign):
    p = shrink * p - eta * (sign * g + weight_decay * p)
    return p, E.where(mu < 1, ax + mu * (p - ax), p)


def _sparse_adam(p, g, m, v, one_minus_beta1, one_minus_beta2, eps, step_size, sign):
    d = sign * g
    m, v = m + one_minus_beta1 * (d - m), v + one_minus_beta2 * (d * d - v)
    return p - step_size * m / (E.sqrt(v) + eps), m, v


def _moved(p, u, step_size, decay_factor):
    return decay_factor * p - step_size * u


def _averaged(a, g, take):
    return E.where(take < 0.5, a + take * (g - a), g - (1 - take) * (g - a))


def _rescaled(scale, growing, found, growth, backoff, interval):
    full = growing + 1 >= interval
    return (E.where(found > 0.5, scale * backoff, E.where(full & (E.abs(scale * growth) < math.inf), scale * growth, scale)),
            E.where((found > 0.5) | full, 0, growing + 1))


def _adafactor_direction(g, row, column, level, least):
    return g * E.rsqrt(E.maximum(row * column / E.maximum(level, least), least * least))


def _adafactor_direction_dense(g, v, least):
    return g * E.rsqrt(E.maximum(v, least * least))


def _adafactor(p, u, size, length, step_size, decay_factor, least, threshold, sign):
    rate = step_size * E.maximum(size, least) / E.maximum(1, length / threshold)
    return decay_factor * p - sign * rate * u


# --- the same in NumPy, for the generated tests; names that are not arrays are numbers --------------------------------


def _ref_sgd(p, g, *, lr, **decay):
    return p - lr * _decayed(p, g, **decay)


def _ref_sgd_momentum(p, g, b, *, lr, momentum, keep, take, nesterov, **decay):
    d = _decayed(p, g, **decay)
    moved = np.multiply(take, d) + np.multiply(keep, b)
    return p - lr * (momentum * moved + d if nesterov else moved), moved


def _ref_adam(p, g, m, v, *, top=None, one_minus_beta1, beta2, one_minus_beta2, eps, step_size, bias2_sqrt, decay_factor, **decay):
    d = _decayed(p, g, **decay)
    m, v = _mean(m, d, one_minus_beta1), np.square(d) * one_minus_beta2 + v * beta2
    largest = v if top is None else np.fmax(v, top)
    moved = np.multiply(p, decay_factor) - step_size * np.divide(m, np.sqrt(largest / bias2_sqrt**2) + eps)
    return (moved, m, v) if top is None else (moved, m, v, largest)


def _ref_rmsprop(p, g, v, a=None, b=0.0, *, lr, alpha, take, eps, momentum=0.0, **decay):
    """(p, v, a, b)"""
    d = _decayed(p, g, **decay)
    v, centre = np.square(d) * take + v * alpha, 0.0 if a is None else _mean(a, d, take)
    b = b * momentum + np.divide(d, np.sqrt(v - np.square(centre)) + eps)
    return p - lr * b, v, centre, b


def _ref_adagrad(p, g, total, *, lr, eps, **decay):
    d = _decayed(p, g, **decay)
    total = np.hypot(np.sqrt(total), d) ** 2
    return p - np.divide(lr * d, np.sqrt(total) + eps), total


def _ref_adadelta(p, g, v, u, *, lr, rho, take, eps, **decay):
    d = _decayed(p, g, **decay)
    v = np.square(d) * take + v * rho
    step = d * np.sqrt((u + eps) / (v + eps))
    return p - lr * step, v, np.square(step) * take + u * rho


def _ref_adamax(p, g, m, top, *, one_minus_beta1, beta2, eps, step_size, **decay):
    d = _decayed(p, g, **decay)
    m, top = _mean(m, d, one_minus_beta1), np.fmax(np.abs(d) + eps, top * beta2)
    return p - np.divide(m, top) * step_size, m, top


def _ref_nadam(p, g, m, v, *, one_minus_beta1, beta2, one_minus_beta2, eps, bias2, gradient_step, momentum_step, decay_factor,
               **decay):
    d = _decayed(p, g, **decay)
    m, v = _mean(m, d, one_minus_beta1), np.square(d) * one_minus_beta2 + v * beta2
    direction = momentum_step * m + gradient_step * d
    return np.multiply(p, decay_factor) - np.divide(direction, np.sqrt(v) / np.sqrt(bias2) + eps), m, v


def _ref_radam(p, g, m, v, *, one_minus_beta1, beta2, one_minus_beta2, eps, step_size, rectified, decay_factor, **decay):
    d = _decayed(p, g, **decay)
    m, v = _mean(m, d, one_minus_beta1), np.square(d) * one_minus_beta2 + v * beta2
    return np.multiply(p, decay_factor) - step_size * m * (rectified / (np.sqrt(v) + eps) if rectified else 1.0), m, v


def _ref_rprop(p, g, previous, size, *, shrink, grow, least, most, sign):
    turn = np.sign(g * previous) * sign
    size = np.clip(size * np.choose(turn.astype(int) + 1, [shrink, 1.0, grow]), least, most)
    used = np.where(turn < 0, 0.0, np.multiply(sign, g))
    return p - np.copysign(size, used) * (used != 0), used, size


def _ref_asgd(p, g, ax, *, eta, shrink, mu, **decay):
    p = np.multiply(p, shrink) - np.multiply(_decayed(p, g, **decay), eta)
    return p, _mean(ax, p, min(mu, 1))


def _ref_sparse_adam(p, g, m, v, *, one_minus_beta1, one_minus_beta2, eps, step_size, sign):
    m, v = _mean(m, sign * g, one_minus_beta1), _mean(v, np.square(g), one_minus_beta2)
    return p - np.divide(step_size * m, eps + np.sqrt(v)), m, v


def _ref_adafactor_direction(g, row, column, level, *, least):
    return np.divide(g, np.sqrt(np.fmax(np.multiply(row, column) / np.fmax(level, least), least**2)))


def _ref_rescale(scale, growing, found, *, growth, backoff, interval):
    over, full = np.rint(found) == 1, growing >= interval - 1
    return scale * np.select([over, full], [backoff, growth], 1.0), np.select([over | full], [0.0], growing + 1)


def _ref_adafactor(p, u, size, length, *, step_size, decay_factor, least, threshold, sign):
    shrunk = np.fmax(1.0, np.divide(length, threshold))
    return np.multiply(p, decay_factor) - np.divide(sign * step_size * u * np.fmax(size, least), shrunk)


# --- the declarations ------------------------------------------------------------------------------------------------

sgd_step = _update("sgd_step", "p g", _sgd, "One step of gradient descent: the new p.", ref=_ref_sgd)
sgd_momentum_step = _update("sgd_momentum_step", "p g b", _sgd_momentum,
                            "One step with momentum, plain or Nesterov's: the new p and momentum buffer b.",
                            ref=_ref_sgd_momentum, nesterov=1.0)
adam_step = _update("adam_step", "p g m v", _adam,
                    "One step of Adam: the new p and running means m of g and v of g squared.", ref=_ref_adam)
amsgrad_step = _update("amsgrad_step", "p g m v top", _amsgrad,
                       "One step of Adam that divides by the largest v so far: the new p, m, v and top.",
                       ref=lambda p, g, m, v, top, **numbers: _ref_adam(p, g, m, v, top=top, **numbers))
rmsprop_step = _update("rmsprop_step", "p g v", _rmsprop, "One step of RMSprop: the new p and running mean v of g squared.",
                       ref=lambda *args, **numbers: _ref_rmsprop(*args, **numbers)[:2])
rmsprop_momentum_step = _update("rmsprop_momentum_step", "p g v b", _rmsprop_momentum,
                                "One step of RMSprop with momentum: the new p, v and momentum buffer b.",
                                ref=lambda p, g, v, b, **numbers: operator.itemgetter(0, 1, 3)(
                                    _ref_rmsprop(p, g, v, b=b, **numbers)))
rmsprop_centered_step = _update("rmsprop_centered_step", "p g v a", _rmsprop_centered,
                                "One step of RMSprop by the variance: the new p, v and running mean a of g.",
                                ref=lambda *args, **numbers: _ref_rmsprop(*args, **numbers)[:3])
rmsprop_centered_momentum_step = _update("rmsprop_centered_momentum_step", "p g v a b", _rmsprop_centered_momentum,
                                         "One step of RMSprop by the variance, with momentum: the new p, v, a and b.",
                                         ref=_ref_rmsprop)
adagrad_step = _update("adagrad_step", "p g total", _adagrad, "One step of Adagrad: the new p and sum of squared g.",
                       ref=_ref_adagrad)
adadelta_step = _update("adadelta_step", "p g v u", _adadelta,
                        "One step of Adadelta: the new p and running means v of g squared and u of the squared steps.",
                        ref=_ref_adadelta)
adamax_step = _update("adamax_step", "p g m top", _adamax,
                      "One step of Adamax: the new p, running mean m of g and decaying maximum of |g|.",
                      ref=_ref_adamax)
nadam_step = _update("nadam_step", "p g m v", _nadam, "One step of NAdam: the new p, m and v.", ref=_ref_nadam,
                     bias2=0.4, gradient_step=0.05, momentum_step=0.08)
radam_step = _update("radam_step", "p g m v", _radam, "One step of RAdam: the new p, m and v.", ref=_ref_radam, rectified=0.7)
rprop_step = _update("rprop_step", "p g previous size", _rprop, "One step of Rprop: the new p, g used, and step sizes.",
                     ref=_ref_rprop, shrink=0.5, grow=1.2, least=0.06, most=0.4)
asgd_step = _update("asgd_step", "p g ax", _asgd, "One step of averaged gradient descent: the new p and mean ax of all p.",
                    ref=_ref_asgd, eta=0.12, shrink=0.9, mu=0.4)
sparse_adam_step = _update("sparse_adam_step", "p g m v", _sparse_adam, "One step of Adam on the rows of p that have gradients.",
                           ref=_ref_sparse_adam)
decayed_step = _update("decayed_step", "p u", _moved, "A step of p along -u, after p has shrunk.",
                       ref=lambda p, u, *, step_size, decay_factor: np.multiply(p, decay_factor) - np.multiply(u, step_size))
averaging_step = _update("averaging_step", "a g", _averaged, "A mean a moved towards g by the fraction `take`.", ref=_mean)
adafactor_direction = _update("adafactor_direction", "g row column level", _adafactor_direction,
                              "Adafactor's direction: g over the root of its mean square, an outer product of rows and columns.",
                              ref=_ref_adafactor_direction, least=0.1)
adafactor_direction_dense = _update("adafactor_direction_dense", "g v", _adafactor_direction_dense,
                                    "Adafactor's direction for vectors: g over the root of its mean square v.",
                                    ref=lambda g, v, *, least: np.divide(g, np.sqrt(np.fmax(v, least**2))), least=0.1)
adafactor_step = _update("adafactor_step", "p u size length", _adafactor,
                         "One step of Adafactor along -u of length `length`, in proportion to p's size.",
                         ref=_ref_adafactor, least=0.6, threshold=0.9)

unscale = elementwise("unscale", lambda g, factor: (g * factor, (g != g) | (E.abs(g) == math.inf)), dtypes="floating", public=False,
                      ref=lambda g, factor: (g * factor, ~np.isfinite(g)), samples=lambda rng: [
                          ((rng.uniform(-2, 2, (2, 3)), np.array(0.5)), {})],
                      doc="g times factor, and whether g is infinite or NaN.")
rescale = elementwise("rescale", _rescaled, tensors="scale growing found", dtypes="floating", public=False, ref=_ref_rescale,
                      samples=lambda rng: [
                          ((np.array([8.0, 8, 8, 8]), np.array([0.1, 1.1, 2.1, 2.2]), np.array([0.1, 0.9, 0.2, 0.8])),
                           {"growth": 2.0, "backoff": 0.5, "interval": 3})],
                      doc="A loss scale and its count of good steps after a step that did (found) or did not overflow.")
