// Indexing by tensors: gather, scatter, index_select, embeddings.  An index out of range is reported where values are next read.
#pragma once

#include "softmax.hpp"

namespace ct {

namespace detail {

inline void check_index(const char* call, const Tensor& at) {
    if (at.dtype() != DType::int64)
        fail(call, ": indices are int64, these are ", at.dtype(), "; convert them with to(ct::DType::int64)");
}

/// out[.., t, ..] = x[.., at[.., t, ..], ..] along d; `at` seen with these strides in the result's shape.
inline Tensor run_gather(const char* call, const Tensor& x, const Tensor& at, const Shape& shape, const Shape& at_strides,
                         std::int64_t d, bool wrap) {
    Tensor out = empty(shape, x.dtype());
    if (!out.numel()) return out;
    Shape walked = x.strides();
    walked[static_cast<std::size_t>(d)] = 0;
    Merged lay = merged(shape, {walked, at_strides, out.strides()});
    lay.pad(runtime().pack().rank(), call);
    const std::int64_t size = x.size(d);
    Launch(runtime().key("gather", name(x.dtype())))
        .buffer("x_p", x.memory(), x.offset())
        .buffer("index_p", at.memory(), at.offset())
        .buffer("out_p", out.memory())
        .numbers("d", lay.sizes)
        .numbers("x_s", lay.strides[0])
        .numbers("index_s", lay.strides[1])
        .numbers("out_s", lay.strides[2])
        .number("rows", out.numel() / lay.sizes.back())
        .number("size", size)
        .number("low", wrap ? -size : 0)
        .number("along", x.strides()[static_cast<std::size_t>(d)])
        .noted(call)
        .run();
    return out;
}

/// out[.., at[.., t, ..], ..] combined with from[.., t, ..] along d; `at` seen with these strides in from's shape.
inline void run_scatter(const char* call, const char* kernel, const Tensor& out, const Tensor& at, const Shape& at_strides,
                        const Tensor& from, std::int64_t d, bool wrap) {
    if (!from.numel()) return;
    const auto k = static_cast<std::size_t>(d);
    const auto without = [k](Shape s) {
        s.erase(s.begin() + static_cast<std::ptrdiff_t>(k));
        return s;
    };
    Merged lay = merged(without(from.shape()), {without(at_strides), without(from.strides()), without(out.strides())});
    lay.pad(runtime().pack().rank(), call);
    const std::int64_t size = out.size(d);
    Launch(runtime().key(kernel, name(out.dtype())))
        .buffer("index_p", at.memory(), at.offset())
        .buffer("src_p", from.memory(), from.offset())
        .buffer("out_p", out.memory(), out.offset())
        .numbers("d", lay.sizes)
        .numbers("index_s", lay.strides[0])
        .numbers("src_s", lay.strides[1])
        .numbers("out_s", lay.strides[2])
        .number("rows", product(lay.sizes) / lay.sizes.back())
        .number("count", from.size(d))
        .number("size", size)
        .number("low", wrap ? -size : 0)
        .number("along", out.strides()[k])
        .number("index_t", at_strides[k])
        .number("src_t", from.strides()[k])
        .noted(call)
        .run();
    written(out);
}

/// Gather with the gradient that adds up what came from one place.
inline Tensor gathered(const char* call, const Tensor& x, const Tensor& at, const Shape& shape, const Shape& at_strides,
                       std::int64_t d, bool wrap) {
    const Tensor y = run_gather(call, x, at, shape, at_strides, d, wrap);
    if (wants_history({x}))
        record(call, {x}, {y}, [=, from = x.shape(), at = Saved(at)](const std::vector<Tensor>& gs, const std::vector<bool>&) {
            Tensor whole = zeros(from, gs[0].dtype());
            run_scatter(call, "scatter/add", whole, at.get(call), at_strides, gs[0], d, wrap);
            return std::vector<Tensor>{whole};
        });
    return y;
}

/// Strides of a one-dimensional index in a shape whose dimension d it fills.
inline Shape along(const Tensor& at, std::size_t rank, std::int64_t d) {
    Shape strides(rank, 0);
    strides[static_cast<std::size_t>(d)] = at.strides()[0];
    return strides;
}

}  // namespace detail

/// out[i][j] = x[at[i][j]][j] for d = 0, and so on: an index for each element of the result.
inline Tensor gather(const Tensor& x, std::int64_t dim, const Tensor& at) {
    detail::check_index("gather", at);
    const std::int64_t d = wrapped(dim, x.dim(), "gather");
    bool fits = x.dim() == at.dim() && x.dim() > 0;
    for (std::int64_t i = 0; fits && i < x.dim(); i++) fits = i == d || at.size(i) <= x.size(i);
    if (!fits)
        fail("gather: index ", shown(at.shape()), " must have as many dimensions as input ", shown(x.shape()), ", and in all but ",
             d, " no larger size");
    return detail::gathered("gather", x, at, at.shape(), at.strides(), d, false);
}

/// Rows, or slices along another dimension, by number.
inline Tensor index_select(const Tensor& x, std::int64_t dim, const Tensor& at, bool wrap = false) {
    detail::check_index("index_select", at);
    const std::int64_t d = wrapped(dim, x.dim(), "index_select");
    if (at.dim() != 1 || !x.dim())
        fail("index_select: the index must have one dimension, got ", shown(at.shape()), " for an input of ", shown(x.shape()));
    Shape shape = x.shape();
    shape[static_cast<std::size_t>(d)] = at.numel();
    return detail::gathered("index_select", x, at, shape, detail::along(at, shape.size(), d), d, wrap);
}

inline Tensor Tensor::gather(std::int64_t d, const Tensor& at) const { return ct::gather(*this, d, at); }
inline Tensor Tensor::index_select(std::int64_t d, const Tensor& at) const { return ct::index_select(*this, d, at); }

/// x[at]: for int64 indices of any shape, slices along the first dimension; negative ones count from the end.
inline Tensor Tensor::operator[](const Tensor& at) const {
    Shape shape = at.shape();
    shape.insert(shape.end(), this->shape().begin() + 1, this->shape().end());
    return ct::index_select(*this, 0, at.flatten(), true).reshape(shape);
}

/// The rows of weight (number, width) for indices of any shape: (*indices, width).
inline Tensor embedding(const Tensor& indices, const Tensor& weight) {
    Shape shape = indices.shape();
    shape.push_back(weight.size(1));
    return index_select(weight, 0, indices.flatten()).reshape(shape);
}

/// A copy of x with from[.., t, ..] written to, or added at, place at[.., t, ..] along a dimension.
inline Tensor scatter(const Tensor& x, std::int64_t dim, const Tensor& at, const Tensor& from, bool add = false) {
    const char* call = add ? "scatter_add" : "scatter";
    detail::check_index(call, at);
    const std::int64_t d = wrapped(dim, x.dim(), call);
    if (at.shape() != from.shape() || at.dim() != x.dim())
        fail(call, ": index ", shown(at.shape()), " and source ", shown(from.shape()),
             " must have one shape, with as many dimensions as input ", shown(x.shape()));
    Tensor out = x.detach().clone();
    detail::run_scatter(call, add ? "scatter/add" : "scatter/set", out, at, at.strides(), from.to(x.dtype()), d, false);
    if (wants_history({x, from}))
        record(call, {x, from}, {out}, [=, at = Saved(at)](const std::vector<Tensor>& gs, const std::vector<bool>&) {
            const Tensor places = at.get(call),
                         own = detail::run_gather(call, gs[0], places, places.shape(), places.strides(), d, false);
            if (add) return std::vector<Tensor>{gs[0], own};
            Tensor rest = gs[0].clone();
            detail::run_scatter(call, "scatter/set", rest, places, places.strides(), zeros_like(own), d, false);
            return std::vector<Tensor>{rest, own};
        });
    return out;
}

}  // namespace ct
