// Initial values of parameters, as in Python: the same seed gives the same numbers.
#pragma once

#include <cmath>

#include "module.hpp"

namespace ct::nn::init {

inline Tensor uniform_(const Tensor& x, double low, double high) { return detail::draw(x, "uniform", low, high); }
inline Tensor normal_(const Tensor& x, double mean = 0, double std = 1) { return detail::draw(x, "normal", mean, std); }

/// Uniform in +-bound, for a new tensor.
inline Tensor within(const Shape& shape, double bound) { return uniform_(empty(shape), -bound, bound); }

/// 1 / sqrt(n), or 0.
inline double inverse_root(std::int64_t n) { return n > 0 ? 1 / std::sqrt(static_cast<double>(n)) : 0; }

}  // namespace ct::nn::init
