// Softmax and log-softmax over one dimension.
#pragma once

#include "matmul.hpp"

namespace ct {

namespace detail {

/// A kernel of the softmax template over dimension `d`; inputs: one or two tensors of one shape.
inline Tensor run_softmax(const std::string& op, const std::vector<Tensor>& inputs, std::int64_t d) {
    const Tensor x = inputs[0].contiguous(), y = inputs.size() > 1 ? inputs[1].contiguous() : x;
    Tensor out = empty(x.shape(), x.dtype());
    std::int64_t outer = 1, inner = 1;
    const std::int64_t n = x.dim() ? x.size(d) : 1;
    for (std::int64_t i = 0; i < x.dim(); i++) (i < d ? outer : inner) *= i == d ? 1 : x.size(i);
    if (!out.numel()) return out;
    Launch(runtime().key(op + (inner == 1 ? "/inner" : "/outer"), name(x.dtype())))
        .buffer("x_p", x.memory(), x.offset())
        .buffer("y_p", y.memory(), y.offset())
        .buffer("out_p", out.memory())
        .number("outer", outer)
        .number("n", n)
        .number("inner", inner)
        .run();
    return out;
}

inline Tensor softmax_with(const char* op, const Tensor& x, std::int64_t dim) {
    const std::int64_t d = wrapped(dim, x.dim(), op);
    const Tensor y = run_softmax(op, {x}, d);
    if (wants_history({x}))
        record(op, {x}, {y}, [op = std::string(op), d, y = Saved(y)](const std::vector<Tensor>& gs, const std::vector<bool>&) {
            return std::vector<Tensor>{run_softmax(op + "_grad", {gs[0], y.get(op)}, d)};
        });
    return y;
}

}  // namespace detail

/// exp(x) normalised to sum 1 over a dimension.
inline Tensor softmax(const Tensor& x, std::int64_t dim) { return detail::softmax_with("softmax", x, dim); }
/// The logarithm of softmax.
inline Tensor log_softmax(const Tensor& x, std::int64_t dim) { return detail::softmax_with("log_softmax", x, dim); }
inline Tensor Tensor::softmax(std::int64_t d) const { return ct::softmax(*this, d); }
inline Tensor Tensor::log_softmax(std::int64_t d) const { return ct::log_softmax(*this, d); }

}  // namespace ct
