// Elementwise ops: a function for each in cltensor's registry, and methods.  Made by `cltensor kernels pack --header`.
//
// Operands are tensors or numbers, and broadcast; results are differentiable where the registry's declaration is.
#pragma once

#include "elementwise.hpp"

namespace ct {

/// input + other, broadcast.
inline Tensor add(const Operand& input, const Operand& other) {
    return elementwise("add", {input, other}, {})[0];
}

/// input - other, broadcast.
inline Tensor sub(const Operand& input, const Operand& other) {
    return elementwise("sub", {input, other}, {})[0];
}

/// input * other, broadcast.
inline Tensor mul(const Operand& input, const Operand& other) {
    return elementwise("mul", {input, other}, {})[0];
}

/// input / other, broadcast; integers divide as floats.
inline Tensor div(const Operand& input, const Operand& other) {
    return elementwise("div", {input, other}, {})[0];
}

/// -input.
inline Tensor neg(const Operand& input) {
    return elementwise("neg", {input}, {})[0];
}

/// input + alpha * other: add and sub with alpha.
inline Tensor axpy(const Operand& input, const Operand& other, double alpha) {
    return elementwise("axpy", {input, other}, {alpha})[0];
}

/// input raised to exponent, broadcast.
inline Tensor pow(const Operand& input, const Operand& exponent) {
    return elementwise("pow", {input, exponent}, {})[0];
}

/// input ** 2.
inline Tensor square(const Operand& input) {
    return elementwise("square", {input}, {})[0];
}

/// Square root.
inline Tensor sqrt(const Operand& input) {
    return elementwise("sqrt", {input}, {})[0];
}

/// 1 / sqrt(input).
inline Tensor rsqrt(const Operand& input) {
    return elementwise("rsqrt", {input}, {})[0];
}

/// 1 / input.
inline Tensor reciprocal(const Operand& input) {
    return elementwise("reciprocal", {input}, {})[0];
}

/// Absolute value.
inline Tensor abs(const Operand& input) {
    return elementwise("abs", {input}, {})[0];
}

/// input / |input|, 0 at 0: of a real number its sign.
inline Tensor sgn(const Operand& input) {
    return elementwise("sgn", {input}, {})[0];
}

/// -1, 0 or 1.
inline Tensor sign(const Operand& input) {
    return elementwise("sign", {input}, {})[0];
}

/// Modulo with the sign of other, as Python's %.
inline Tensor remainder(const Operand& input, const Operand& other) {
    return elementwise("remainder", {input, other}, {})[0];
}

/// Modulo with the sign of input, as C's fmod.
inline Tensor fmod(const Operand& input, const Operand& other) {
    return elementwise("fmod", {input, other}, {})[0];
}

/// Division rounded down.
inline Tensor floor_divide(const Operand& input, const Operand& other) {
    return elementwise("floor_divide", {input, other}, {})[0];
}

/// e ** input.
inline Tensor exp(const Operand& input) {
    return elementwise("exp", {input}, {})[0];
}

/// 2 ** input.
inline Tensor exp2(const Operand& input) {
    return elementwise("exp2", {input}, {})[0];
}

/// exp(input) - 1, exact near 0.
inline Tensor expm1(const Operand& input) {
    return elementwise("expm1", {input}, {})[0];
}

/// Natural logarithm.
inline Tensor log(const Operand& input) {
    return elementwise("log", {input}, {})[0];
}

/// Logarithm to base 2.
inline Tensor log2(const Operand& input) {
    return elementwise("log2", {input}, {})[0];
}

/// Logarithm to base 10.
inline Tensor log10(const Operand& input) {
    return elementwise("log10", {input}, {})[0];
}

/// log(1 + input), exact near 0.
inline Tensor log1p(const Operand& input) {
    return elementwise("log1p", {input}, {})[0];
}

/// Sine.
inline Tensor sin(const Operand& input) {
    return elementwise("sin", {input}, {})[0];
}

/// Cosine.
inline Tensor cos(const Operand& input) {
    return elementwise("cos", {input}, {})[0];
}

/// Tangent.
inline Tensor tan(const Operand& input) {
    return elementwise("tan", {input}, {})[0];
}

/// Hyperbolic tangent.
inline Tensor tanh(const Operand& input) {
    return elementwise("tanh", {input}, {})[0];
}

/// 1 / (1 + exp(-input)).
inline Tensor sigmoid(const Operand& input) {
    return elementwise("sigmoid", {input}, {})[0];
}

/// The largest integer not above.
inline Tensor floor(const Operand& input) {
    return elementwise("floor", {input}, {})[0];
}

/// The smallest integer not below.
inline Tensor ceil(const Operand& input) {
    return elementwise("ceil", {input}, {})[0];
}

/// Rounded towards zero.
inline Tensor trunc(const Operand& input) {
    return elementwise("trunc", {input}, {})[0];
}

/// The larger of two, NaN if either is; at a tie the gradient is halved.
inline Tensor maximum(const Operand& input, const Operand& other) {
    return elementwise("maximum", {input, other}, {})[0];
}

/// The smaller of two, NaN if either is; at a tie the gradient is halved.
inline Tensor minimum(const Operand& input, const Operand& other) {
    return elementwise("minimum", {input, other}, {})[0];
}

/// input where condition holds, else other.
inline Tensor where_select(const Operand& condition, const Operand& input, const Operand& other) {
    return elementwise("where_select", {condition, input, other}, {})[0];
}

/// input, at least min.
inline Tensor clamp_min(const Operand& input, const Operand& min) {
    return elementwise("clamp_min", {input, min}, {})[0];
}

/// input, at most max.
inline Tensor clamp_max(const Operand& input, const Operand& max) {
    return elementwise("clamp_max", {input, max}, {})[0];
}

/// input limited to [min, max]; max wins where min is above it.
inline Tensor clamp_both(const Operand& input, const Operand& min, const Operand& max) {
    return elementwise("clamp_both", {input, min, max}, {})[0];
}

/// Division rounded towards zero.
inline Tensor trunc_divide(const Operand& input, const Operand& other) {
    return elementwise("trunc_divide", {input, other}, {})[0];
}

/// input where column - row <= diagonal, else 0: tril.
inline Tensor keep_lower(const Operand& input, const Operand& row, const Operand& column, double diagonal) {
    return elementwise("keep_lower", {input, row, column}, {diagonal})[0];
}

/// input where column - row >= diagonal, else 0: triu.
inline Tensor keep_upper(const Operand& input, const Operand& row, const Operand& column, double diagonal) {
    return elementwise("keep_upper", {input, row, column}, {diagonal})[0];
}

/// Square root with slope 0 at 0, for sums of squares.
inline Tensor norm_sqrt(const Operand& input) {
    return elementwise("norm_sqrt", {input}, {})[0];
}

/// input ** exponent for input >= 0, with slope 0 at 0.
inline Tensor norm_root(const Operand& input, double exponent) {
    return elementwise("norm_root", {input}, {exponent})[0];
}

/// input == other.
inline Tensor eq(const Operand& input, const Operand& other) {
    return elementwise("eq", {input, other}, {})[0];
}

/// input != other.
inline Tensor ne(const Operand& input, const Operand& other) {
    return elementwise("ne", {input, other}, {})[0];
}

/// input < other.
inline Tensor lt(const Operand& input, const Operand& other) {
    return elementwise("lt", {input, other}, {})[0];
}

/// input <= other.
inline Tensor le(const Operand& input, const Operand& other) {
    return elementwise("le", {input, other}, {})[0];
}

/// input > other.
inline Tensor gt(const Operand& input, const Operand& other) {
    return elementwise("gt", {input, other}, {})[0];
}

/// input >= other.
inline Tensor ge(const Operand& input, const Operand& other) {
    return elementwise("ge", {input, other}, {})[0];
}

/// Whether both are non-zero.
inline Tensor logical_and(const Operand& input, const Operand& other) {
    return elementwise("logical_and", {input, other}, {})[0];
}

/// Whether either is non-zero.
inline Tensor logical_or(const Operand& input, const Operand& other) {
    return elementwise("logical_or", {input, other}, {})[0];
}

/// Whether zero.
inline Tensor logical_not(const Operand& input) {
    return elementwise("logical_not", {input}, {})[0];
}

/// Bitwise and; logical and of bools.
inline Tensor bitwise_and(const Operand& input, const Operand& other) {
    return elementwise("bitwise_and", {input, other}, {})[0];
}

/// Bitwise or; logical or of bools.
inline Tensor bitwise_or(const Operand& input, const Operand& other) {
    return elementwise("bitwise_or", {input, other}, {})[0];
}

/// Bitwise exclusive or.
inline Tensor bitwise_xor(const Operand& input, const Operand& other) {
    return elementwise("bitwise_xor", {input, other}, {})[0];
}

/// Bitwise not; logical not of bools.
inline Tensor bitwise_not(const Operand& input) {
    return elementwise("bitwise_not", {input}, {})[0];
}

/// Whether NaN.
inline Tensor isnan(const Operand& input) {
    return elementwise("isnan", {input}, {})[0];
}

/// Whether infinite.
inline Tensor isinf(const Operand& input) {
    return elementwise("isinf", {input}, {})[0];
}

/// Whether neither NaN nor infinite.
inline Tensor isfinite(const Operand& input) {
    return elementwise("isfinite", {input}, {})[0];
}

/// Where window i starts, for a random u; the last one ends with the input.
inline Tensor fractional_start(const Operand& u, const Operand& i, double step, double last, double end) {
    return elementwise("fractional_start", {u, i}, {step, last, end})[0];
}

/// A flat position moved on by an index of one more dimension, with n elements; out of range, the index + faults.UNKNOWN.
inline Tensor flat_index(const Operand& before, const Operand& index, double n, double step) {
    return elementwise("flat_index", {before, index}, {n, step})[0];
}

/// max(input, 0); its slope at 0 is 0, at NaN 1.
inline Tensor relu(const Operand& input) {
    return elementwise("relu", {input}, {})[0];
}

/// input, 0 within lambd of 0.
inline Tensor hardshrink(const Operand& input, double lambd = 0.5) {
    return elementwise("hardshrink", {input}, {lambd})[0];
}

/// input above 0, weight * input below.
inline Tensor prelu_kernel(const Operand& input, const Operand& weight) {
    return elementwise("prelu_kernel", {input, weight}, {})[0];
}

/// x above 0, negative_slope * x below.
inline Tensor leaky_relu(const Operand& input, double negative_slope = 0.01) {
    return elementwise("leaky_relu", {input}, {negative_slope})[0];
}

/// x limited to [min_val, max_val].
inline Tensor hardtanh(const Operand& input, double min_val = -1.0, double max_val = 1.0) {
    return elementwise("hardtanh", {input}, {min_val, max_val})[0];
}

/// A sigmoid of straight lines.
inline Tensor hardsigmoid(const Operand& input) {
    return elementwise("hardsigmoid", {input}, {})[0];
}

/// x times hardsigmoid(x).
inline Tensor hardswish(const Operand& input) {
    return elementwise("hardswish", {input}, {})[0];
}

/// x moved lambd closer to 0, 0 within lambd of it.
inline Tensor softshrink(const Operand& input, double lambd = 0.5) {
    return elementwise("softshrink", {input}, {lambd})[0];
}

/// x above threshold, else value.
inline Tensor threshold(const Operand& input, double threshold, double value) {
    return elementwise("threshold", {input}, {threshold, value})[0];
}

/// x above 0, alpha * (exp(x) - 1) below.
inline Tensor elu(const Operand& input, double alpha = 1.0) {
    return elementwise("elu", {input}, {alpha})[0];
}

/// x above 0, alpha * (exp(x / alpha) - 1) below.
inline Tensor celu(const Operand& input, double alpha = 1.0) {
    return elementwise("celu", {input}, {alpha})[0];
}

/// elu scaled so that activations keep mean 0 and variance 1.
inline Tensor selu(const Operand& input) {
    return elementwise("selu", {input}, {})[0];
}

/// x times the normal distribution function.
inline Tensor gelu(const Operand& input) {
    return elementwise("gelu", {input}, {})[0];
}

/// gelu by tanh.
inline Tensor gelu_tanh(const Operand& input) {
    return elementwise("gelu_tanh", {input}, {})[0];
}

/// x * sigmoid(x).
inline Tensor silu(const Operand& input) {
    return elementwise("silu", {input}, {})[0];
}

/// x * tanh(softplus(x)).
inline Tensor mish(const Operand& input) {
    return elementwise("mish", {input}, {})[0];
}

/// Smooth relu: log(1 + exp(beta x)) / beta.
inline Tensor softplus(const Operand& input, double beta = 1.0, double threshold = 20.0) {
    return elementwise("softplus", {input}, {beta, threshold})[0];
}

/// log(sigmoid(x)) without overflow.
inline Tensor logsigmoid(const Operand& input) {
    return elementwise("logsigmoid", {input}, {})[0];
}

/// x / (1 + |x|).
inline Tensor softsign(const Operand& input) {
    return elementwise("softsign", {input}, {})[0];
}

/// x - tanh(x).
inline Tensor tanhshrink(const Operand& input) {
    return elementwise("tanhshrink", {input}, {})[0];
}

/// a * sigmoid(b).
inline Tensor glu_gate(const Operand& a, const Operand& b) {
    return elementwise("glu_gate", {a, b}, {})[0];
}

/// The gradient of nll_sums with respect to the log-probabilities.
inline Tensor nll_slope(const Operand& g, const Operand& total, const Operand& target, const Operand& number, const Operand& weight, double ignored, double smoothing, double share) {
    return elementwise("nll_slope", {g, total, target, number, weight}, {ignored, smoothing, share})[0];
}

/// target, with 0 for what is ignored.
inline Tensor nll_known(const Operand& target, double ignored) {
    return elementwise("nll_known", {target}, {ignored})[0];
}

/// The gradient with respect to the input of what cross_entropy_numbers gives.
inline Tensor cross_entropy_slope(const Operand& g, const Operand& input, const Operand& total, const Operand& g_top, const Operand& g_log, const Operand& top, const Operand& log, const Operand& target, const Operand& number, const Operand& weight, double ignored) {
    return elementwise("cross_entropy_slope", {g, input, total, g_top, g_log, top, log, target, number, weight}, {ignored})[0];
}

/// alpha of a step from that of the step before, for states reached from themselves, one or two states back.
inline Tensor ctc_forward(const Operand& stay, const Operand& advance, const Operand& leap, const Operand& may_leap, const Operand& emission) {
    return elementwise("ctc_forward", {stay, advance, leap, may_leap, emission}, {})[0];
}

/// beta of a step from that of the step after, or the final states' in a sequence's last step.
inline Tensor ctc_backward(const Operand& stay, const Operand& advance, const Operand& leap, const Operand& may_leap, const Operand& emission, const Operand& final_, const Operand& last, double time) {
    return elementwise("ctc_backward", {stay, advance, leap, may_leap, emission, final_, last}, {time})[0];
}

/// The share of the alignments that pass a state at a step.
inline Tensor ctc_share(const Operand& alpha, const Operand& beta, const Operand& emission, const Operand& loss) {
    return elementwise("ctc_share", {alpha, beta, emission, loss}, {})[0];
}

/// The bag an element belongs to, given how many have started; padding goes to a spare one.
inline Tensor bag_number(const Operand& started, const Operand& index, double padding, double spare) {
    return elementwise("bag_number", {started, index}, {padding, spare})[0];
}

/// (input - target) ** 2.
inline Tensor mse(const Operand& input, const Operand& target) {
    return elementwise("mse", {input, target}, {})[0];
}

/// |input - target|.
inline Tensor l1(const Operand& input, const Operand& target) {
    return elementwise("l1", {input, target}, {})[0];
}

/// Squared error within delta, absolute error beyond.
inline Tensor huber(const Operand& a, const Operand& b, double delta = 1.0) {
    return elementwise("huber", {a, b}, {delta})[0];
}

/// -(t log(x) + (1 - t) log(1 - x)), logarithms at least -100.
inline Tensor bce(const Operand& x, const Operand& t) {
    return elementwise("bce", {x, t}, {})[0];
}

/// Binary cross entropy of sigmoid(input).
inline Tensor bce_logits(const Operand& input, const Operand& target) {
    return elementwise("bce_logits", {input, target}, {})[0];
}

/// bce_logits with the target's share weighted by pos.
inline Tensor bce_logits_weighted(const Operand& x, const Operand& t, const Operand& pos) {
    return elementwise("bce_logits_weighted", {x, t, pos}, {})[0];
}

/// target * (log(target) - input), 0 log 0 being 0; NaN for a negative target.
inline Tensor kl(const Operand& input, const Operand& target) {
    return elementwise("kl", {input, target}, {})[0];
}

/// exp(target) * (target - input).
inline Tensor kl_log(const Operand& input, const Operand& target) {
    return elementwise("kl_log", {input, target}, {})[0];
}

/// x - t log(x + eps).
inline Tensor poisson_nll(const Operand& input, const Operand& target, double eps = 1e-08) {
    return elementwise("poisson_nll", {input, target}, {eps})[0];
}

/// exp(x) - t x.
inline Tensor poisson_nll_log(const Operand& input, const Operand& target) {
    return elementwise("poisson_nll_log", {input, target}, {})[0];
}

/// Stirling's estimate of log(t!) above 1, else 0.
inline Tensor stirling(const Operand& target) {
    return elementwise("stirling", {target}, {})[0];
}

/// (log(var) + (x - t) ** 2 / var) / 2.
inline Tensor gaussian_nll(const Operand& input, const Operand& target, const Operand& var) {
    return elementwise("gaussian_nll", {input, target, var}, {})[0];
}

/// log(1 + exp(-target * input)).
inline Tensor soft_margin(const Operand& input, const Operand& target) {
    return elementwise("soft_margin", {input, target}, {})[0];
}

/// max(0, margin - own + other) ** p where it counts, with slope 0 at 0.
inline Tensor margin_hinge(const Operand& own, const Operand& other, const Operand& counts, double margin = 1.0, double p = 1.0) {
    return elementwise("margin_hinge", {own, other, counts}, {margin, p})[0];
}

/// x normalised, scaled and shifted.
inline Tensor norm_apply(const Operand& x, const Operand& mean, const Operand& m2, const Operand& weight, const Operand& bias, double r, double eps) {
    return elementwise("norm_apply", {x, mean, m2, weight, bias}, {r, eps})[0];
}

/// The gradient of x from those of its normalised form, mean and m2; factor * g1 and factor * g2 are the sums over the mean's elements of g * weight, and of that times the normalised x.
inline Tensor norm_slope(const Operand& g, const Operand& x, const Operand& mean, const Operand& m2, const Operand& weight, const Operand& g1, const Operand& g2, const Operand& factor, const Operand& gmean, const Operand& gm2, double r, double eps) {
    return elementwise("norm_slope", {g, x, mean, m2, weight, g1, g2, factor, gmean, gm2}, {r, eps})[0];
}

/// The gradients of g, x, mean and m2 from those of norm_sums.
inline std::vector<Tensor> norm_sums_slope(const Operand& h1, const Operand& h2, const Operand& g, const Operand& x, const Operand& mean, const Operand& m2, double r, double eps) {
    return elementwise("norm_sums_slope", {h1, h2, g, x, mean, m2}, {r, eps});
}

/// Running statistics moved towards those of a batch.
inline std::vector<Tensor> norm_running(const Operand& running_mean, const Operand& running_var, const Operand& mean, const Operand& m2, double momentum, double r) {
    return elementwise("norm_running", {running_mean, running_var, mean, m2}, {momentum, r});
}

/// x moved, scaled and shifted.
inline Tensor norm_scaled(const Operand& x, const Operand& mean, const Operand& scale, const Operand& bias) {
    return elementwise("norm_scaled", {x, mean, scale, bias}, {})[0];
}

/// New hidden and cell state, and the gates, from the pre-activations of input, forget, cell and output gate and the cell state.  Source: Hochreiter and Schmidhuber 1997, Gers et al. 2000.
inline std::vector<Tensor> lstm_step(const Operand& i, const Operand& f, const Operand& g, const Operand& o, const Operand& c) {
    return elementwise("lstm_step", {i, f, g, o, c}, {});
}

/// Gradients of lstm_step's pre-activations and of the cell state before, from those of the states after.
inline std::vector<Tensor> lstm_step_slope(const Operand& gh, const Operand& gc, const Operand& i, const Operand& f, const Operand& g, const Operand& o, const Operand& before, const Operand& c, const Operand& flow) {
    return elementwise("lstm_step_slope", {gh, gc, i, f, g, o, before, c, flow}, {});
}

/// New state and the gates reset, update and new, from the input's and the state's share of their pre-activations and the state.  Source: Cho et al. 2014.
inline std::vector<Tensor> gru_step(const Operand& xr, const Operand& xz, const Operand& xn, const Operand& hr, const Operand& hz, const Operand& hn, const Operand& h) {
    return elementwise("gru_step", {xr, xz, xn, hr, hz, hn, h}, {});
}

/// Gradients of gru_step's pre-activations, the input's then the state's, and of the state before.
inline std::vector<Tensor> gru_step_slope(const Operand& gh, const Operand& r, const Operand& z, const Operand& n, const Operand& hn, const Operand& h, const Operand& flow) {
    return elementwise("gru_step_slope", {gh, r, z, n, hn, h, flow}, {});
}

/// Gradient of the pre-activation of h = tanh(...).
inline Tensor tanh_step_slope(const Operand& gh, const Operand& h) {
    return elementwise("tanh_step_slope", {gh, h}, {})[0];
}

/// Gradient of the pre-activation of h = relu(...).
inline Tensor relu_step_slope(const Operand& gh, const Operand& h) {
    return elementwise("relu_step_slope", {gh, h}, {})[0];
}

/// One step of gradient descent: the new p.
inline Tensor sgd_step(const Operand& p, const Operand& g, double lr, double weight_decay, double sign) {
    return elementwise("sgd_step", {p, g}, {lr, weight_decay, sign})[0];
}

/// One step with momentum, plain or Nesterov's: the new p and momentum buffer b.
inline std::vector<Tensor> sgd_momentum_step(const Operand& p, const Operand& g, const Operand& b, double lr, double momentum, double keep, double take, double weight_decay, double nesterov, double sign) {
    return elementwise("sgd_momentum_step", {p, g, b}, {lr, momentum, keep, take, weight_decay, nesterov, sign});
}

/// One step of Adam: the new p and running means m of g and v of g squared.
inline std::vector<Tensor> adam_step(const Operand& p, const Operand& g, const Operand& m, const Operand& v, double one_minus_beta1, double beta2, double one_minus_beta2, double eps, double step_size, double bias2_sqrt, double weight_decay, double decay_factor, double sign) {
    return elementwise("adam_step", {p, g, m, v}, {one_minus_beta1, beta2, one_minus_beta2, eps, step_size, bias2_sqrt, weight_decay, decay_factor, sign});
}

/// One step of Adam that divides by the largest v so far: the new p, m, v and top.
inline std::vector<Tensor> amsgrad_step(const Operand& p, const Operand& g, const Operand& m, const Operand& v, const Operand& top, double one_minus_beta1, double beta2, double one_minus_beta2, double eps, double step_size, double bias2_sqrt, double weight_decay, double decay_factor, double sign) {
    return elementwise("amsgrad_step", {p, g, m, v, top}, {one_minus_beta1, beta2, one_minus_beta2, eps, step_size, bias2_sqrt, weight_decay, decay_factor, sign});
}

/// One step of RMSprop: the new p and running mean v of g squared.
inline std::vector<Tensor> rmsprop_step(const Operand& p, const Operand& g, const Operand& v, double lr, double alpha, double take, double eps, double weight_decay, double sign) {
    return elementwise("rmsprop_step", {p, g, v}, {lr, alpha, take, eps, weight_decay, sign});
}

/// One step of RMSprop with momentum: the new p, v and momentum buffer b.
inline std::vector<Tensor> rmsprop_momentum_step(const Operand& p, const Operand& g, const Operand& v, const Operand& b, double lr, double alpha, double take, double eps, double weight_decay, double sign, double momentum) {
    return elementwise("rmsprop_momentum_step", {p, g, v, b}, {lr, alpha, take, eps, weight_decay, sign, momentum});
}

/// One step of RMSprop by the variance: the new p, v and running mean a of g.
inline std::vector<Tensor> rmsprop_centered_step(const Operand& p, const Operand& g, const Operand& v, const Operand& a, double lr, double alpha, double take, double eps, double weight_decay, double sign) {
    return elementwise("rmsprop_centered_step", {p, g, v, a}, {lr, alpha, take, eps, weight_decay, sign});
}

/// One step of RMSprop by the variance, with momentum: the new p, v, a and b.
inline std::vector<Tensor> rmsprop_centered_momentum_step(const Operand& p, const Operand& g, const Operand& v, const Operand& a, const Operand& b, double lr, double alpha, double take, double eps, double weight_decay, double sign, double momentum) {
    return elementwise("rmsprop_centered_momentum_step", {p, g, v, a, b}, {lr, alpha, take, eps, weight_decay, sign, momentum});
}

/// One step of Adagrad: the new p and sum of squared g.
inline std::vector<Tensor> adagrad_step(const Operand& p, const Operand& g, const Operand& total, double lr, double eps, double weight_decay, double sign) {
    return elementwise("adagrad_step", {p, g, total}, {lr, eps, weight_decay, sign});
}

/// One step of Adadelta: the new p and running means v of g squared and u of the squared steps.
inline std::vector<Tensor> adadelta_step(const Operand& p, const Operand& g, const Operand& v, const Operand& u, double lr, double rho, double take, double eps, double weight_decay, double sign) {
    return elementwise("adadelta_step", {p, g, v, u}, {lr, rho, take, eps, weight_decay, sign});
}

/// One step of Adamax: the new p, running mean m of g and decaying maximum of |g|.
inline std::vector<Tensor> adamax_step(const Operand& p, const Operand& g, const Operand& m, const Operand& top, double one_minus_beta1, double beta2, double eps, double step_size, double weight_decay, double sign) {
    return elementwise("adamax_step", {p, g, m, top}, {one_minus_beta1, beta2, eps, step_size, weight_decay, sign});
}

/// One step of NAdam: the new p, m and v.
inline std::vector<Tensor> nadam_step(const Operand& p, const Operand& g, const Operand& m, const Operand& v, double one_minus_beta1, double beta2, double one_minus_beta2, double eps, double bias2, double gradient_step, double momentum_step, double weight_decay, double decay_factor, double sign) {
    return elementwise("nadam_step", {p, g, m, v}, {one_minus_beta1, beta2, one_minus_beta2, eps, bias2, gradient_step, momentum_step, weight_decay, decay_factor, sign});
}

/// One step of RAdam: the new p, m and v.
inline std::vector<Tensor> radam_step(const Operand& p, const Operand& g, const Operand& m, const Operand& v, double one_minus_beta1, double beta2, double one_minus_beta2, double eps, double step_size, double rectified, double weight_decay, double decay_factor, double sign) {
    return elementwise("radam_step", {p, g, m, v}, {one_minus_beta1, beta2, one_minus_beta2, eps, step_size, rectified, weight_decay, decay_factor, sign});
}

/// One step of Rprop: the new p, g used, and step sizes.
inline std::vector<Tensor> rprop_step(const Operand& p, const Operand& g, const Operand& previous, const Operand& size, double shrink, double grow, double least, double most, double sign) {
    return elementwise("rprop_step", {p, g, previous, size}, {shrink, grow, least, most, sign});
}

/// One step of averaged gradient descent: the new p and mean ax of all p.
inline std::vector<Tensor> asgd_step(const Operand& p, const Operand& g, const Operand& ax, double eta, double shrink, double mu, double weight_decay, double sign) {
    return elementwise("asgd_step", {p, g, ax}, {eta, shrink, mu, weight_decay, sign});
}

/// One step of Adam on the rows of p that have gradients.
inline std::vector<Tensor> sparse_adam_step(const Operand& p, const Operand& g, const Operand& m, const Operand& v, double one_minus_beta1, double one_minus_beta2, double eps, double step_size, double sign) {
    return elementwise("sparse_adam_step", {p, g, m, v}, {one_minus_beta1, one_minus_beta2, eps, step_size, sign});
}

/// A step of p along -u, after p has shrunk.
inline Tensor decayed_step(const Operand& p, const Operand& u, double step_size, double decay_factor) {
    return elementwise("decayed_step", {p, u}, {step_size, decay_factor})[0];
}

/// A mean a moved towards g by the fraction `take`.
inline Tensor averaging_step(const Operand& a, const Operand& g, double take) {
    return elementwise("averaging_step", {a, g}, {take})[0];
}

/// Adafactor's direction: g over the root of its mean square, an outer product of rows and columns.
inline Tensor adafactor_direction(const Operand& g, const Operand& row, const Operand& column, const Operand& level, double least) {
    return elementwise("adafactor_direction", {g, row, column, level}, {least})[0];
}

/// Adafactor's direction for vectors: g over the root of its mean square v.
inline Tensor adafactor_direction_dense(const Operand& g, const Operand& v, double least) {
    return elementwise("adafactor_direction_dense", {g, v}, {least})[0];
}

/// One step of Adafactor along -u of length `length`, in proportion to p's size.
inline Tensor adafactor_step(const Operand& p, const Operand& u, const Operand& size, const Operand& length, double step_size, double decay_factor, double least, double threshold, double sign) {
    return elementwise("adafactor_step", {p, u, size, length}, {step_size, decay_factor, least, threshold, sign})[0];
}

/// g times factor, and whether g is infinite or NaN.
inline std::vector<Tensor> unscale(const Operand& g, const Operand& factor) {
    return elementwise("unscale", {g, factor}, {});
}

/// A loss scale and its count of good steps after a step that did (found) or did not overflow.
inline std::vector<Tensor> rescale(const Operand& scale, const Operand& growing, const Operand& found, double growth, double backoff, double interval) {
    return elementwise("rescale", {scale, growing, found}, {growth, backoff, interval});
}

/// Airy's function Ai.
inline Tensor airy_ai(const Operand& input) {
    return elementwise("airy_ai", {input}, {})[0];
}

/// The Bessel function of the first kind of order 0.
inline Tensor bessel_j0(const Operand& input) {
    return elementwise("bessel_j0", {input}, {})[0];
}

/// The Bessel function of the first kind of order 1.
inline Tensor bessel_j1(const Operand& input) {
    return elementwise("bessel_j1", {input}, {})[0];
}

/// The Bessel function of the second kind of order 0; NaN below 0.
inline Tensor bessel_y0(const Operand& input) {
    return elementwise("bessel_y0", {input}, {})[0];
}

/// The Bessel function of the second kind of order 1; NaN below 0.
inline Tensor bessel_y1(const Operand& input) {
    return elementwise("bessel_y1", {input}, {})[0];
}

/// The modified Bessel function of the second kind of order 0; NaN below 0.
inline Tensor modified_bessel_k0(const Operand& input) {
    return elementwise("modified_bessel_k0", {input}, {})[0];
}

/// The modified Bessel function of the second kind of order 1; NaN below 0.
inline Tensor modified_bessel_k1(const Operand& input) {
    return elementwise("modified_bessel_k1", {input}, {})[0];
}

/// exp(input) modified_bessel_k0(input).
inline Tensor scaled_modified_bessel_k0(const Operand& input) {
    return elementwise("scaled_modified_bessel_k0", {input}, {})[0];
}

/// exp(input) modified_bessel_k1(input).
inline Tensor scaled_modified_bessel_k1(const Operand& input) {
    return elementwise("scaled_modified_bessel_k1", {input}, {})[0];
}

/// The spherical Bessel function of order 0: sin(input) / input, 1 at 0.
inline Tensor spherical_bessel_j0(const Operand& input) {
    return elementwise("spherical_bessel_j0", {input}, {})[0];
}

/// The complex conjugate, computed; a real number itself.
inline Tensor conj_physical(const Operand& input) {
    return elementwise("conj_physical", {input}, {})[0];
}

/// The Chebyshev polynomial of the first kind.
inline Tensor chebyshev_polynomial_t(const Operand& input, const Operand& n) {
    return elementwise("chebyshev_polynomial_t", {input, n}, {})[0];
}

/// The Chebyshev polynomial of the second kind.
inline Tensor chebyshev_polynomial_u(const Operand& input, const Operand& n) {
    return elementwise("chebyshev_polynomial_u", {input, n}, {})[0];
}

/// The Chebyshev polynomial of the third kind.
inline Tensor chebyshev_polynomial_v(const Operand& input, const Operand& n) {
    return elementwise("chebyshev_polynomial_v", {input, n}, {})[0];
}

/// The Chebyshev polynomial of the fourth kind.
inline Tensor chebyshev_polynomial_w(const Operand& input, const Operand& n) {
    return elementwise("chebyshev_polynomial_w", {input, n}, {})[0];
}

/// chebyshev_polynomial_t at 2 input - 1.
inline Tensor shifted_chebyshev_polynomial_t(const Operand& input, const Operand& n) {
    return elementwise("shifted_chebyshev_polynomial_t", {input, n}, {})[0];
}

/// chebyshev_polynomial_u at 2 input - 1.
inline Tensor shifted_chebyshev_polynomial_u(const Operand& input, const Operand& n) {
    return elementwise("shifted_chebyshev_polynomial_u", {input, n}, {})[0];
}

/// chebyshev_polynomial_v at 2 input - 1.
inline Tensor shifted_chebyshev_polynomial_v(const Operand& input, const Operand& n) {
    return elementwise("shifted_chebyshev_polynomial_v", {input, n}, {})[0];
}

/// chebyshev_polynomial_w at 2 input - 1.
inline Tensor shifted_chebyshev_polynomial_w(const Operand& input, const Operand& n) {
    return elementwise("shifted_chebyshev_polynomial_w", {input, n}, {})[0];
}

/// The physicists' Hermite polynomial.
inline Tensor hermite_polynomial_h(const Operand& input, const Operand& n) {
    return elementwise("hermite_polynomial_h", {input, n}, {})[0];
}

/// The probabilists' Hermite polynomial.
inline Tensor hermite_polynomial_he(const Operand& input, const Operand& n) {
    return elementwise("hermite_polynomial_he", {input, n}, {})[0];
}

/// Laguerre's polynomial.
inline Tensor laguerre_polynomial_l(const Operand& input, const Operand& n) {
    return elementwise("laguerre_polynomial_l", {input, n}, {})[0];
}

/// Legendre's polynomial.
inline Tensor legendre_polynomial_p(const Operand& input, const Operand& n) {
    return elementwise("legendre_polynomial_p", {input, n}, {})[0];
}

/// Inverse cosine.
inline Tensor acos(const Operand& input) {
    return elementwise("acos", {input}, {})[0];
}

/// Inverse sine.
inline Tensor asin(const Operand& input) {
    return elementwise("asin", {input}, {})[0];
}

/// Inverse tangent.
inline Tensor atan(const Operand& input) {
    return elementwise("atan", {input}, {})[0];
}

/// Hyperbolic sine.
inline Tensor sinh(const Operand& input) {
    return elementwise("sinh", {input}, {})[0];
}

/// Hyperbolic cosine.
inline Tensor cosh(const Operand& input) {
    return elementwise("cosh", {input}, {})[0];
}

/// Inverse hyperbolic sine.
inline Tensor asinh(const Operand& input) {
    return elementwise("asinh", {input}, {})[0];
}

/// Inverse hyperbolic cosine.
inline Tensor acosh(const Operand& input) {
    return elementwise("acosh", {input}, {})[0];
}

/// Inverse hyperbolic tangent.
inline Tensor atanh(const Operand& input) {
    return elementwise("atanh", {input}, {})[0];
}

/// The angle of the point (other, input), in (-pi, pi].
inline Tensor atan2(const Operand& input, const Operand& other) {
    return elementwise("atan2", {input, other}, {})[0];
}

/// sqrt(input**2 + other**2) without overflow.
inline Tensor hypot(const Operand& input, const Operand& other) {
    return elementwise("hypot", {input, other}, {})[0];
}

/// sin(pi x) / (pi x), 1 at 0.
inline Tensor sinc(const Operand& input) {
    return elementwise("sinc", {input}, {})[0];
}

/// Degrees to radians.
inline Tensor deg2rad(const Operand& input) {
    return elementwise("deg2rad", {input}, {})[0];
}

/// Radians to degrees.
inline Tensor rad2deg(const Operand& input) {
    return elementwise("rad2deg", {input}, {})[0];
}

/// The error function.
inline Tensor erf(const Operand& input) {
    return elementwise("erf", {input}, {})[0];
}

/// 1 - erf(input).
inline Tensor erfc(const Operand& input) {
    return elementwise("erfc", {input}, {})[0];
}

/// The inverse of erf.
inline Tensor erfinv(const Operand& input) {
    return elementwise("erfinv", {input}, {})[0];
}

/// exp(input**2) erfc(input).
inline Tensor erfcx(const Operand& input) {
    return elementwise("erfcx", {input}, {})[0];
}

/// The inverse of the normal distribution function.
inline Tensor ndtri(const Operand& input) {
    return elementwise("ndtri", {input}, {})[0];
}

/// The logarithm of the normal distribution function.
inline Tensor log_ndtr(const Operand& input) {
    return elementwise("log_ndtr", {input}, {})[0];
}

/// The normal distribution function.
inline Tensor ndtr(const Operand& input) {
    return elementwise("ndtr", {input}, {})[0];
}

/// Logarithm of the absolute value of the gamma function.
inline Tensor lgamma(const Operand& input) {
    return elementwise("lgamma", {input}, {})[0];
}

/// Derivative of lgamma.
inline Tensor digamma(const Operand& input) {
    return elementwise("digamma", {input}, {})[0];
}

/// The lower regularized incomplete gamma function P(input, other); its gradient is for other alone.
inline Tensor igamma(const Operand& input, const Operand& other) {
    return elementwise("igamma", {input, other}, {})[0];
}

/// The upper regularized incomplete gamma function, 1 - igamma(input, other); its gradient is for other alone.
inline Tensor igammac(const Operand& input, const Operand& other) {
    return elementwise("igammac", {input, other}, {})[0];
}

/// The Hurwitz zeta function: sum over k of 1 / (k + other) ** input.
inline Tensor zeta(const Operand& input, const Operand& other) {
    return elementwise("zeta", {input, other}, {})[0];
}

/// The n-th derivative of digamma; factor is (-1) ** (n + 1) n!.
inline Tensor polygamma_order(const Operand& input, double n, double factor) {
    return elementwise("polygamma_order", {input}, {n, factor})[0];
}

/// The modified Bessel function of order 0.
inline Tensor i0(const Operand& input) {
    return elementwise("i0", {input}, {})[0];
}

/// exp(-|x|) i0(x).
inline Tensor i0e(const Operand& input) {
    return elementwise("i0e", {input}, {})[0];
}

/// The modified Bessel function of order 1.
inline Tensor i1(const Operand& input) {
    return elementwise("i1", {input}, {})[0];
}

/// exp(-|x|) i1(x).
inline Tensor i1e(const Operand& input) {
    return elementwise("i1e", {input}, {})[0];
}

/// log(exp(input) + exp(other)) without overflow.
inline Tensor logaddexp(const Operand& input, const Operand& other) {
    return elementwise("logaddexp", {input, other}, {})[0];
}

/// log2(2**input + 2**other) without overflow.
inline Tensor logaddexp2(const Operand& input, const Operand& other) {
    return elementwise("logaddexp2", {input, other}, {})[0];
}

/// input * log(other), 0 where input is 0.
inline Tensor xlogy(const Operand& input, const Operand& other) {
    return elementwise("xlogy", {input, other}, {})[0];
}

/// input * log1p(other), 0 where input is 0.
inline Tensor xlog1py(const Operand& input, const Operand& other) {
    return elementwise("xlog1py", {input, other}, {})[0];
}

/// -x log x, 0 at 0, -inf below.
inline Tensor entr(const Operand& input) {
    return elementwise("entr", {input}, {})[0];
}

/// log(x / (1 - x)).
inline Tensor logit_plain(const Operand& input) {
    return elementwise("logit_plain", {input}, {})[0];
}

/// logit of the input limited to [low, high].
inline Tensor logit_clamped(const Operand& input, double low, double high) {
    return elementwise("logit_clamped", {input}, {low, high})[0];
}

/// input with the sign of other.
inline Tensor copysign(const Operand& input, const Operand& other) {
    return elementwise("copysign", {input, other}, {})[0];
}

/// The angle of a complex number in the plane, in (-pi, pi]; of a real one 0 or pi, NaN for NaN.
inline Tensor angle(const Operand& input) {
    return elementwise("angle", {input}, {})[0];
}

/// The next number from input towards other; the gradient is input's where the two differ, as in PyTorch.
inline Tensor nextafter(const Operand& input, const Operand& other) {
    return elementwise("nextafter", {input, other}, {})[0];
}

/// input * 2 ** other.
inline Tensor ldexp(const Operand& input, const Operand& other) {
    return elementwise("ldexp", {input, other}, {})[0];
}

/// The part after the point.
inline Tensor frac(const Operand& input) {
    return elementwise("frac", {input}, {})[0];
}

/// The nearest integer, ties to even.
inline Tensor round_even(const Operand& input) {
    return elementwise("round_even", {input}, {})[0];
}

/// 0 below 0, values at 0, 1 above.
inline Tensor heaviside(const Operand& input, const Operand& values) {
    return elementwise("heaviside", {input, values}, {})[0];
}

/// Whether the sign bit is set.
inline Tensor signbit(const Operand& input) {
    return elementwise("signbit", {input}, {})[0];
}

/// Whether positive infinity.
inline Tensor isposinf(const Operand& input) {
    return elementwise("isposinf", {input}, {})[0];
}

/// Whether negative infinity.
inline Tensor isneginf(const Operand& input) {
    return elementwise("isneginf", {input}, {})[0];
}

/// input with NaN and the infinities replaced.
inline Tensor nan_to_num_values(const Operand& input, double nan, double posinf, double neginf) {
    return elementwise("nan_to_num_values", {input}, {nan, posinf, neginf})[0];
}

/// The larger of two, ignoring NaN.
inline Tensor fmax(const Operand& input, const Operand& other) {
    return elementwise("fmax", {input, other}, {})[0];
}

/// The smaller of two, ignoring NaN.
inline Tensor fmin(const Operand& input, const Operand& other) {
    return elementwise("fmin", {input, other}, {})[0];
}

/// input + weight * (end - input).
inline Tensor lerp(const Operand& input, const Operand& end, const Operand& weight) {
    return elementwise("lerp", {input, end, weight}, {})[0];
}

/// input + value * tensor1 * tensor2.
inline Tensor addcmul_scaled(const Operand& input, const Operand& tensor1, const Operand& tensor2, double value) {
    return elementwise("addcmul_scaled", {input, tensor1, tensor2}, {value})[0];
}

/// input + value * tensor1 / tensor2.
inline Tensor addcdiv_scaled(const Operand& input, const Operand& tensor1, const Operand& tensor2, double value) {
    return elementwise("addcdiv_scaled", {input, tensor1, tensor2}, {value})[0];
}

/// |input - other| <= atol + rtol * |other|.
inline Tensor close_to(const Operand& input, const Operand& other, double rtol, double atol) {
    return elementwise("close_to", {input, other}, {rtol, atol})[0];
}

/// Whether exactly one is non-zero.
inline Tensor logical_xor(const Operand& input, const Operand& other) {
    return elementwise("logical_xor", {input, other}, {})[0];
}

/// Greatest common divisor.
inline Tensor gcd(const Operand& input, const Operand& other) {
    return elementwise("gcd", {input, other}, {})[0];
}

/// Least common multiple.
inline Tensor lcm(const Operand& input, const Operand& other) {
    return elementwise("lcm", {input, other}, {})[0];
}

/// input shifted left by other bits.
inline Tensor bitwise_left_shift(const Operand& input, const Operand& other) {
    return elementwise("bitwise_left_shift", {input, other}, {})[0];
}

/// input shifted right by other bits, keeping the sign.
inline Tensor bitwise_right_shift(const Operand& input, const Operand& other) {
    return elementwise("bitwise_right_shift", {input, other}, {})[0];
}

/// How a gamma distributed output moves with its parameter input, while its quantile stays.
inline Tensor standard_gamma_grad(const Operand& input, const Operand& output) {
    return elementwise("standard_gamma_grad", {input, output}, {})[0];
}

/// How a beta distributed x moves with its parameter alpha, while its quantile stays, divided by 1 - x.
inline Tensor dirichlet_grad(const Operand& x, const Operand& alpha, const Operand& beta) {
    return elementwise("dirichlet_grad", {x, alpha, beta}, {})[0];
}

inline Tensor Tensor::add(const Operand& other) const { return ct::add(*this, other); }

inline Tensor Tensor::sub(const Operand& other) const { return ct::sub(*this, other); }

inline Tensor Tensor::mul(const Operand& other) const { return ct::mul(*this, other); }

inline Tensor Tensor::div(const Operand& other) const { return ct::div(*this, other); }

inline Tensor Tensor::neg() const { return ct::neg(*this); }

inline Tensor Tensor::pow(const Operand& exponent) const { return ct::pow(*this, exponent); }

inline Tensor Tensor::square() const { return ct::square(*this); }

inline Tensor Tensor::sqrt() const { return ct::sqrt(*this); }

inline Tensor Tensor::rsqrt() const { return ct::rsqrt(*this); }

inline Tensor Tensor::reciprocal() const { return ct::reciprocal(*this); }

inline Tensor Tensor::abs() const { return ct::abs(*this); }

inline Tensor Tensor::sgn() const { return ct::sgn(*this); }

inline Tensor Tensor::sign() const { return ct::sign(*this); }

inline Tensor Tensor::remainder(const Operand& other) const { return ct::remainder(*this, other); }

inline Tensor Tensor::fmod(const Operand& other) const { return ct::fmod(*this, other); }

inline Tensor Tensor::floor_divide(const Operand& other) const { return ct::floor_divide(*this, other); }

inline Tensor Tensor::exp() const { return ct::exp(*this); }

inline Tensor Tensor::exp2() const { return ct::exp2(*this); }

inline Tensor Tensor::expm1() const { return ct::expm1(*this); }

inline Tensor Tensor::log() const { return ct::log(*this); }

inline Tensor Tensor::log2() const { return ct::log2(*this); }

inline Tensor Tensor::log10() const { return ct::log10(*this); }

inline Tensor Tensor::log1p() const { return ct::log1p(*this); }

inline Tensor Tensor::sin() const { return ct::sin(*this); }

inline Tensor Tensor::cos() const { return ct::cos(*this); }

inline Tensor Tensor::tan() const { return ct::tan(*this); }

inline Tensor Tensor::tanh() const { return ct::tanh(*this); }

inline Tensor Tensor::sigmoid() const { return ct::sigmoid(*this); }

inline Tensor Tensor::floor() const { return ct::floor(*this); }

inline Tensor Tensor::ceil() const { return ct::ceil(*this); }

inline Tensor Tensor::trunc() const { return ct::trunc(*this); }

inline Tensor Tensor::maximum(const Operand& other) const { return ct::maximum(*this, other); }

inline Tensor Tensor::minimum(const Operand& other) const { return ct::minimum(*this, other); }

inline Tensor Tensor::clamp_min(const Operand& min) const { return ct::clamp_min(*this, min); }

inline Tensor Tensor::clamp_max(const Operand& max) const { return ct::clamp_max(*this, max); }

inline Tensor Tensor::eq(const Operand& other) const { return ct::eq(*this, other); }

inline Tensor Tensor::ne(const Operand& other) const { return ct::ne(*this, other); }

inline Tensor Tensor::lt(const Operand& other) const { return ct::lt(*this, other); }

inline Tensor Tensor::le(const Operand& other) const { return ct::le(*this, other); }

inline Tensor Tensor::gt(const Operand& other) const { return ct::gt(*this, other); }

inline Tensor Tensor::ge(const Operand& other) const { return ct::ge(*this, other); }

inline Tensor Tensor::logical_and(const Operand& other) const { return ct::logical_and(*this, other); }

inline Tensor Tensor::logical_or(const Operand& other) const { return ct::logical_or(*this, other); }

inline Tensor Tensor::logical_not() const { return ct::logical_not(*this); }

inline Tensor Tensor::bitwise_and(const Operand& other) const { return ct::bitwise_and(*this, other); }

inline Tensor Tensor::bitwise_or(const Operand& other) const { return ct::bitwise_or(*this, other); }

inline Tensor Tensor::bitwise_xor(const Operand& other) const { return ct::bitwise_xor(*this, other); }

inline Tensor Tensor::bitwise_not() const { return ct::bitwise_not(*this); }

inline Tensor Tensor::isnan() const { return ct::isnan(*this); }

inline Tensor Tensor::isinf() const { return ct::isinf(*this); }

inline Tensor Tensor::isfinite() const { return ct::isfinite(*this); }

inline Tensor Tensor::relu() const { return ct::relu(*this); }

inline Tensor Tensor::hardshrink(double lambd) const { return ct::hardshrink(*this, lambd); }

inline Tensor Tensor::acos() const { return ct::acos(*this); }

inline Tensor Tensor::asin() const { return ct::asin(*this); }

inline Tensor Tensor::atan() const { return ct::atan(*this); }

inline Tensor Tensor::sinh() const { return ct::sinh(*this); }

inline Tensor Tensor::cosh() const { return ct::cosh(*this); }

inline Tensor Tensor::asinh() const { return ct::asinh(*this); }

inline Tensor Tensor::acosh() const { return ct::acosh(*this); }

inline Tensor Tensor::atanh() const { return ct::atanh(*this); }

inline Tensor Tensor::atan2(const Operand& other) const { return ct::atan2(*this, other); }

inline Tensor Tensor::hypot(const Operand& other) const { return ct::hypot(*this, other); }

inline Tensor Tensor::sinc() const { return ct::sinc(*this); }

inline Tensor Tensor::deg2rad() const { return ct::deg2rad(*this); }

inline Tensor Tensor::rad2deg() const { return ct::rad2deg(*this); }

inline Tensor Tensor::erf() const { return ct::erf(*this); }

inline Tensor Tensor::erfc() const { return ct::erfc(*this); }

inline Tensor Tensor::erfinv() const { return ct::erfinv(*this); }

inline Tensor Tensor::lgamma() const { return ct::lgamma(*this); }

inline Tensor Tensor::digamma() const { return ct::digamma(*this); }

inline Tensor Tensor::igamma(const Operand& other) const { return ct::igamma(*this, other); }

inline Tensor Tensor::igammac(const Operand& other) const { return ct::igammac(*this, other); }

inline Tensor Tensor::i0() const { return ct::i0(*this); }

inline Tensor Tensor::logaddexp(const Operand& other) const { return ct::logaddexp(*this, other); }

inline Tensor Tensor::logaddexp2(const Operand& other) const { return ct::logaddexp2(*this, other); }

inline Tensor Tensor::xlogy(const Operand& other) const { return ct::xlogy(*this, other); }

inline Tensor Tensor::copysign(const Operand& other) const { return ct::copysign(*this, other); }

inline Tensor Tensor::angle() const { return ct::angle(*this); }

inline Tensor Tensor::nextafter(const Operand& other) const { return ct::nextafter(*this, other); }

inline Tensor Tensor::ldexp(const Operand& other) const { return ct::ldexp(*this, other); }

inline Tensor Tensor::frac() const { return ct::frac(*this); }

inline Tensor Tensor::heaviside(const Operand& values) const { return ct::heaviside(*this, values); }

inline Tensor Tensor::signbit() const { return ct::signbit(*this); }

inline Tensor Tensor::isposinf() const { return ct::isposinf(*this); }

inline Tensor Tensor::isneginf() const { return ct::isneginf(*this); }

inline Tensor Tensor::fmax(const Operand& other) const { return ct::fmax(*this, other); }

inline Tensor Tensor::fmin(const Operand& other) const { return ct::fmin(*this, other); }

inline Tensor Tensor::lerp(const Operand& end, const Operand& weight) const { return ct::lerp(*this, end, weight); }

inline Tensor Tensor::logical_xor(const Operand& other) const { return ct::logical_xor(*this, other); }

inline Tensor Tensor::gcd(const Operand& other) const { return ct::gcd(*this, other); }

inline Tensor Tensor::lcm(const Operand& other) const { return ct::lcm(*this, other); }

inline Tensor Tensor::bitwise_left_shift(const Operand& other) const { return ct::bitwise_left_shift(*this, other); }

inline Tensor Tensor::bitwise_right_shift(const Operand& other) const { return ct::bitwise_right_shift(*this, other); }

}  // namespace ct
