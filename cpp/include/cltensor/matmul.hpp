// Products of matrices, batched and broadcast.
#pragma once

#include "operators.hpp"

namespace ct {

namespace detail {

/// Batch dimensions and strides of both operands, merged to the three that kernels have.
struct Batches {
    Shape shape;
    Merged lay;
};

inline std::int64_t rounded(std::int64_t n, std::int64_t unit) { return (n + unit - 1) / unit * unit; }

/// a (..., M, K) @ b (..., K, N) without history.
inline Tensor run_matmul(Tensor a, Tensor b) {
    Runtime& r = runtime();
    if (a.dtype() != b.dtype())
        fail("matmul: a is ", a.dtype(), " and b ", b.dtype(), "; the two must agree, convert one with to()");
    const std::int64_t M = a.size(-2), K = a.size(-1), N = b.size(-1);
    if (b.size(-2) != K)
        fail("matmul: shapes ", shown(a.shape()), " and ", shown(b.shape()), " do not fit: the last size of the first, ", K,
             ", must be the last but one of "
             "the second, ",
             b.size(-2), "; transpose one");
    const auto batch_of = [](const Shape& whole) { return Shape(whole.begin(), whole.end() - 2); };
    const Shape batch = broadcast(batch_of(a.shape()), batch_of(b.shape()), "matmul");
    const auto lay = [&] {
        return merged(batch, {broadcast_strides(batch_of(a.shape()), batch_of(a.strides()), batch),
                              broadcast_strides(batch_of(b.shape()), batch_of(b.strides()), batch)});
    };
    Merged batches = lay();
    if (batches.sizes.size() > 3) {
        a = a.contiguous();
        b = b.contiguous();
        batches = lay();
    }
    batches.pad(3, "matmul");
    Shape shape = batch;
    shape.insert(shape.end(), {M, N});
    Tensor c = empty(shape, a.dtype());
    if (!c.numel()) return c;
    if (!K) return c.fill_(0);
    const auto stride = [](const Tensor& x, std::int64_t d) { return x.strides()[static_cast<std::size_t>(x.dim() + d)]; };
    Launch launch(r.key("matmul", name(a.dtype())));
    const std::int64_t count = product(batch);
    launch.buffer("a", a.memory(), a.offset()).buffer("b", b.memory(), b.offset()).buffer("c", c.memory());
    launch.number("M", M).number("N", N).number("K", K).number("am", stride(a, -2)).number("ak", stride(a, -1));
    launch.number("bk", stride(b, -2)).number("bn", stride(b, -1)).number("batches", count);
    launch.numbers("n", batches.sizes).numbers("a_batch", batches.strides[0]).numbers("b_batch", batches.strides[1]);
    std::shared_ptr<Memory> scratch;
    if (r.opencl().style() == Style::gpu)
        launch.buffer("parts", *r.faults()).number("slices", 1);
    else {
        const std::int64_t unit = launch.value("MR"), vector = launch.value("V"), columns = launch.value("NV") * vector;
        const std::int64_t rows = rounded(std::min<std::int64_t>(M, 384), unit),
                           wide = rounded(std::min<std::int64_t>(N, 128), columns);
        const std::int64_t depth = rounded(std::min<std::int64_t>(K, 256), vector);
        const std::int64_t share = rounded(depth * columns + (depth < K ? rows * wide : unit * columns), 16);
        const std::int64_t tiles = count * ((M + rows - 1) / rows) * ((N + wide - 1) / wide);
        const std::int64_t groups = std::min(tiles, 4 * r.opencl().compute_units());
        scratch = r.allocate(static_cast<std::size_t>(groups * share) * 8);
        launch.buffer("scratch", *scratch).number("slice", share).number("MC", rows).number("NC", wide).number("KC", depth);
        launch.number("copy_a", 0).number("copy_b", stride(b, -1) != 1 || rows >= 96).number("groups", groups);
    }
    launch.run();
    return c;
}

}  // namespace detail

/// The product of two matrices, of stacks of them (which broadcast), or with vectors, as in Python.
inline Tensor matmul(const Tensor& a, const Tensor& b) {
    if (!a.dim() || !b.dim())
        fail("matmul: both operands need at least one dimension, got ", shown(a.shape()), " and ", shown(b.shape()), "; use *");
    if (a.dim() == 1) {
        const Tensor y = matmul(a.unsqueeze(0), b);
        return y.squeeze(b.dim() == 1 ? 0 : -2);
    }
    if (b.dim() == 1) return matmul(a, b.unsqueeze(1)).squeeze(-1);
    if (a.dim() > 2 && b.dim() == 2) {  // all rows at once
        Shape shape = a.shape();
        shape.back() = b.size(-1);
        return matmul(a.reshape({-1, a.size(-1)}), b).reshape(shape);
    }
    const Tensor y = detail::run_matmul(a, b);
    if (wants_history({a, b}))
        record("matmul", {a, b}, {y}, [a = Saved(a), b = Saved(b)](const std::vector<Tensor>& gs, const std::vector<bool>& needs) {
            std::vector<Tensor> made(2);
            if (needs[0]) made[0] = detail::run_matmul(gs[0], b.get("matmul").transpose(-1, -2));
            if (needs[1]) made[1] = detail::run_matmul(a.get("matmul").transpose(-1, -2), gs[0]);
            return made;
        });
    return y;
}

inline Tensor Tensor::matmul(const Tensor& other) const { return ct::matmul(*this, other); }

/// input @ weight.T + bias; bias may be left out.
inline Tensor linear(const Tensor& input, const Tensor& weight, const Tensor& bias = {}) {
    const Tensor y = matmul(input, weight.t());
    return bias.defined() ? y + bias : y;
}

}  // namespace ct
