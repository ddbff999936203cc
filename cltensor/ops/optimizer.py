"""Updates of optimisers: each is one fused op over a parameter, its gradient and the state kept for it.

Every number is a kernel argument, so a new learning rate compiles nothing.  `sign` is -1 to climb, 1 to descend.
"""

from ..codegen import expr as E
from .elementwise import elementwise


def _update(name, tensors, fn, doc):
    return elementwise(name, fn, tensors=tensors, dtypes="floating", public=False, doc=doc)


def _sgd(p, g, lr, weight_decay, sign):
    return p - lr * (sign * g + weight_decay * p)


def _sgd_momentum(p, g, b, lr, momentum, keep, take, weight_decay, nesterov, sign):
    d = sign * g + weight_decay * p
    b = keep * b + take * d
    return p - lr * E.where(nesterov > 0, d + momentum * b, b), b


def _adam_moments(p, g, m, v, take1, beta2, take2, weight_decay, sign):
    d = sign * g + weight_decay * p
    return m + take1 * (d - m), beta2 * v + take2 * d * d


def _adam(p, g, m, v, take1, beta2, take2, eps, step_size, bias2_sqrt, weight_decay, shrink, sign):
    m, v = _adam_moments(p, g, m, v, take1, beta2, take2, weight_decay, sign)
    return shrink * p - step_size * m / (E.sqrt(v) / bias2_sqrt + eps), m, v


def _amsgrad(p, g, m, v, top, take1, beta2, take2, eps, step_size, bias2_sqrt, weight_decay, shrink, sign):
    m, v = _adam_moments(p, g, m, v, take1, beta2, take2, weight_decay, sign)
    top = E.maximum(top, v)
    return shrink * p - step_size * m / (E.sqrt(top) / bias2_sqrt + eps), m, v, top


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


def _adamax(p, g, m, top, take1, beta2, eps, step_size, weight_decay, sign):
    d = sign * g + weight_decay * p
    m, top = m + take1 * (d - m), E.maximum(beta2 * top, E.abs(d) + eps)
    return p - step_size * m / top, m, top


def _nadam(p, g, m, v, take1, beta2, take2, eps, bias2, gradient_step, momentum_step, weight_decay, shrink, sign):
    d = sign * g + weight_decay * p
    m, v = m + take1 * (d - m), beta2 * v + take2 * d * d
    return shrink * p - (gradient_step * d + momentum_step * m) / (E.sqrt(v / bias2) + eps), m, v


def _radam(p, g, m, v, take1, beta2, take2, eps, step_size, rectified, weight_decay, shrink, sign):
    m, v = _adam_moments(p, g, m, v, take1, beta2, take2, weight_decay, sign)
    return shrink * p - step_size * m * E.where(rectified > 0, rectified / (E.sqrt(v) + eps), 1), m, v


def _rprop(p, g, previous, size, shrink, grow, least, most, sign):
    d = sign * g
    turn = d * previous
    size = E.where(turn > 0, size * grow, E.where(turn < 0, size * shrink, size))
    size = E.where(size < least, least, E.where(size > most, most, size))
    d = E.where(turn < 0, 0, d)
    return p - E.sign(d) * size, d, size


sgd_step = _update("sgd_step", "p g", _sgd, "One step of gradient descent: the new p.")
sgd_momentum_step = _update("sgd_momentum_step", "p g b", _sgd_momentum,
                            "One step with momentum, plain or Nesterov's: the new p and momentum buffer b.")
adam_step = _update("adam_step", "p g m v", _adam,
                    "One step of Adam: the new p and running means m of g and v of g squared.")
amsgrad_step = _update("amsgrad_step", "p g m v top", _amsgrad,
                       "One step of Adam that divides by the largest v so far: the new p, m, v and top.")
rmsprop_step = _update("rmsprop_step", "p g v", _rmsprop, "One step of RMSprop: the new p and running mean v of g squared.")
rmsprop_momentum_step = _update("rmsprop_momentum_step", "p g v b", _rmsprop_momentum,
                                "One step of RMSprop with momentum: the new p, v and momentum buffer b.")
rmsprop_centered_step = _update("rmsprop_centered_step", "p g v a", _rmsprop_centered,
                                "One step of RMSprop by the variance: the new p, v and running mean a of g.")
rmsprop_centered_momentum_step = _update("rmsprop_centered_momentum_step", "p g v a b", _rmsprop_centered_momentum,
                                         "One step of RMSprop by the variance, with momentum: the new p, v, a and b.")
adagrad_step = _update("adagrad_step", "p g total", _adagrad, "One step of Adagrad: the new p and sum of squared g.")
adadelta_step = _update("adadelta_step", "p g v u", _adadelta,
                        "One step of Adadelta: the new p and running means v of g squared and u of the squared steps.")
adamax_step = _update("adamax_step", "p g m top", _adamax,
                      "One step of Adamax: the new p, running mean m of g and decaying maximum of |g|.")
nadam_step = _update("nadam_step", "p g m v", _nadam, "One step of NAdam: the new p, m and v.")
radam_step = _update("radam_step", "p g m v", _radam, "One step of RAdam: the new p, m and v.")
rprop_step = _update("rprop_step", "p g previous size", _rprop, "One step of Rprop: the new p, g used, and step sizes.")
