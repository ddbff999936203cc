// Operators: arithmetic and comparisons of tensors and numbers.
#pragma once

#include <type_traits>

#include "reduce.hpp"

namespace ct {

namespace detail {

template <class A, class B>
using OfTensors = std::enable_if_t<(std::is_same_v<A, Tensor> && (std::is_same_v<B, Tensor> || std::is_arithmetic_v<B>)) ||
                                       (std::is_arithmetic_v<A> && std::is_same_v<B, Tensor>),
                                   Tensor>;

}  // namespace detail

template <class A, class B>
detail::OfTensors<A, B> operator+(const A& a, const B& b) {
    return add(a, b);
}
template <class A, class B>
detail::OfTensors<A, B> operator-(const A& a, const B& b) {
    return sub(a, b);
}
template <class A, class B>
detail::OfTensors<A, B> operator*(const A& a, const B& b) {
    return mul(a, b);
}
template <class A, class B>
detail::OfTensors<A, B> operator/(const A& a, const B& b) {
    return div(a, b);
}
template <class A, class B>
detail::OfTensors<A, B> operator%(const A& a, const B& b) {
    return remainder(a, b);
}
template <class A, class B>
detail::OfTensors<A, B> operator<(const A& a, const B& b) {
    return lt(a, b);
}
template <class A, class B>
detail::OfTensors<A, B> operator<=(const A& a, const B& b) {
    return le(a, b);
}
template <class A, class B>
detail::OfTensors<A, B> operator>(const A& a, const B& b) {
    return gt(a, b);
}
template <class A, class B>
detail::OfTensors<A, B> operator>=(const A& a, const B& b) {
    return ge(a, b);
}
template <class A, class B>
detail::OfTensors<A, B> operator==(const A& a, const B& b) {
    return eq(a, b);
}
template <class A, class B>
detail::OfTensors<A, B> operator!=(const A& a, const B& b) {
    return ne(a, b);
}
inline Tensor operator-(const Tensor& x) { return neg(x); }

inline Tensor& Tensor::operator+=(const Tensor& other) {
    elementwise_to({*this}, "add", {*this, other.to(dtype())}, {});
    return *this;
}
inline Tensor& Tensor::operator-=(const Tensor& other) {
    elementwise_to({*this}, "sub", {*this, other.to(dtype())}, {});
    return *this;
}
inline Tensor& Tensor::operator*=(const Tensor& other) {
    elementwise_to({*this}, "mul", {*this, other.to(dtype())}, {});
    return *this;
}
inline Tensor& Tensor::operator/=(const Tensor& other) {
    elementwise_to({*this}, "div", {*this, other.to(dtype())}, {});
    return *this;
}
inline Tensor& Tensor::operator+=(double other) { return *this += detail::constant(other, dtype()); }
inline Tensor& Tensor::operator-=(double other) { return *this -= detail::constant(other, dtype()); }
inline Tensor& Tensor::operator*=(double other) { return *this *= detail::constant(other, dtype()); }
inline Tensor& Tensor::operator/=(double other) { return *this /= detail::constant(other, dtype()); }

/// Elements of `input` where `condition` holds, of `other` elsewhere.
inline Tensor where(const Operand& condition, const Operand& input, const Operand& other) {
    return where_select(condition, input, other);
}

/// Elements moved into [low, high].
inline Tensor clamp(const Tensor& x, double low, double high) { return clamp_both(x, low, high); }

}  // namespace ct
