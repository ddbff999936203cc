// Reductions: sums, means, extremes and their places, over some dimensions or all.
#pragma once

#include <numeric>
#include <string>
#include <vector>

#include "elementwise_ops.hpp"
#include "views.hpp"

namespace ct {

namespace detail {

/// The dimensions that are reduced, as 0 .. rank - 1 in order; all where none is given.
inline Shape reduced_dims(const Shape& dims, std::int64_t rank, const std::string& call) {
    Shape out;
    for (const std::int64_t d : dims) out.push_back(wrapped(d, rank, call.c_str()));
    std::sort(out.begin(), out.end());
    if (std::adjacent_find(out.begin(), out.end()) != out.end()) fail(call, ": ", shown(dims), " names a dimension twice");
    if (dims.empty()) {
        out.resize(static_cast<std::size_t>(rank));
        std::iota(out.begin(), out.end(), 0);
    }
    if (rank == 0) out.clear();
    return out;
}

inline Shape kept_shape(const Shape& shape, const Shape& dims, bool keepdim) {
    Shape out;
    for (std::size_t i = 0; i < shape.size(); i++) {
        const bool gone = std::binary_search(dims.begin(), dims.end(), static_cast<std::int64_t>(i));
        if (!gone)
            out.push_back(shape[i]);
        else if (keepdim)
            out.push_back(1);
    }
    return out;
}

/// How kept and reduced dimensions lie in memory, and the pack's kernel for it.
struct Folding {
    std::string layout = "any";
    Merged kept, reduced;

    Folding(const std::vector<Tensor>& inputs, const Shape& dims, const std::string& call) {
        Shape sizes[2];
        std::vector<Shape> strides[2] = {std::vector<Shape>(inputs.size()), std::vector<Shape>(inputs.size())};
        const Shape& shape = inputs[0].shape();
        for (std::size_t i = 0; i < shape.size(); i++) {
            const bool gone = std::binary_search(dims.begin(), dims.end(), static_cast<std::int64_t>(i));
            sizes[gone].push_back(shape[i]);
            for (std::size_t k = 0; k < inputs.size(); k++) strides[gone][k].push_back(inputs[k].strides()[i]);
        }
        kept = merged(sizes[0], strides[0]);
        reduced = merged(sizes[1], strides[1]);
        if (runs(reduced) && kept.sizes.size() <= 1)
            layout = "row";
        else if (runs(kept) && !kept.sizes.empty() && reduced.sizes.size() <= 1)
            layout = "column";
        const Pack& pack = runtime().pack();
        kept.pad(layout == "any" ? pack.kept() : 1, call);
        reduced.pad(layout == "any" ? pack.reduced() : 1, call);
    }

    static bool runs(const Merged& part) {
        if (part.sizes.size() > 1) return false;
        for (const Shape& each : part.strides)
            if (!each.empty() && each[0] != 1) return false;
        return true;
    }
};

constexpr std::int64_t kLongest = 8192, kMostParts = 64;  // elements of a part, and parts, where few results reduce many

/// The results of a reduction without history, shaped like the kept dimensions.
inline std::vector<Tensor> run_reduction(const std::string& op, const std::vector<Tensor>& inputs, const Shape& dims,
                                         bool keepdim) {
    Runtime& r = runtime();
    const Tensor& x = inputs[0];
    const Shape shape = kept_shape(x.shape(), dims, keepdim);
    const KernelText& any = r.pack().kernel(r.key(op, name(x.dtype()), "any"));
    std::vector<Tensor> results;
    for (const DType d : any.results) results.push_back(empty(shape, d));
    const std::int64_t units = product(shape);
    if (!units) return results;
    const std::int64_t count = x.numel() / units;
    if (!count) {
        const bool nothing = op == "sum_reduce" || op == "sum_product" || op == "sum_squared_deviation" || op == "any_reduce";
        if (!nothing && op != "prod_reduce" && op != "all_reduce" && op != "mean_reduce")
            fail(op, ": shape ", shown(x.shape()), " has no elements to reduce over dimensions ", shown(dims));
        results[0].fill_(nothing ? 0 : op == "mean_reduce" ? NAN : 1);
        return results;
    }
    const Folding lay(inputs, dims, op);
    const KernelText& kernel = r.pack().kernel(r.key(op, name(x.dtype()), lay.layout));
    const std::int64_t parts = lay.layout == "column" || units >= 4 * r.opencl().compute_units()
                                   ? 1
                                   : std::clamp<std::int64_t>(count / kLongest, 1, kMostParts);
    std::vector<std::shared_ptr<Memory>> partial;
    const auto launch = [&](int mode) {
        Launch made(kernel);
        for (std::size_t i = 0; i < inputs.size(); i++) {
            const std::string name = "x" + std::to_string(i);
            made.buffer(name + "_p", inputs[i].memory(), inputs[i].offset());
            made.numbers(name + "_ks", lay.kept.strides[i]).numbers(name + "_rs", lay.reduced.strides[i]);
        }
        for (std::size_t i = 0; i < results.size(); i++) made.buffer("y" + std::to_string(i) + "_p", results[i].memory());
        for (std::size_t i = 0; kernel.interface->at.count("partial" + std::to_string(i)); i++) {
            if (partial.size() == i)
                partial.push_back(parts > 1 ? r.allocate(static_cast<std::size_t>(units * parts) * 8) : r.faults());
            made.buffer("partial" + std::to_string(i), *partial[i]);
        }
        made.numbers("kd", lay.kept.sizes).numbers("rd", lay.reduced.sizes);
        made.number("units", units).number("count", count).number("parts", parts).number("mode", mode);
        const bool beside = lay.layout == "column" && r.opencl().style() == Style::cpu;
        made.number("columns", beside ? std::min(kernel.values.at("W"), lay.kept.sizes.back()) : 1);
        made.run();
    };
    if (parts == 1)
        launch(0);
    else {
        launch(1);
        launch(2);
    }
    return results;
}

/// A result of a reduction with its reduced dimensions back, as size 1.
inline Tensor with_dims(const Tensor& y, const Shape& from, const Shape& dims) { return y.reshape(kept_shape(from, dims, true)); }

inline Tensor summed_to(const Tensor& g, const Shape& shape) {
    Shape dims;
    const std::size_t lead = g.shape().size() - shape.size();
    for (std::size_t i = 0; i < g.shape().size(); i++)
        if (i < lead || (shape[i - lead] == 1 && g.shape()[i] != 1)) dims.push_back(static_cast<std::int64_t>(i));
    if (dims.empty()) return g.reshape(shape);
    return run_reduction("sum_reduce", {g}, dims, true)[0].reshape(shape);
}

inline Tensor added(const Tensor& a, const Tensor& b) { return run_elementwise("add", a.dtype(), {a, b}, {})[0]; }

/// A reduction of one tensor with its gradient, made by `back` from the result's gradient, the input and the result.
template <class Back>
Tensor reduced(const char* call, const std::string& op, const Tensor& x, const Shape& dims, bool keepdim, Back back) {
    const Shape over = reduced_dims(dims, x.dim(), call);
    const Tensor y = run_reduction(op, {x}, over, keepdim)[0];
    if (wants_history({x}))
        record(call, {x}, {y},
               [=, name = std::string(call), x = Saved(x), y = Saved(y)](const std::vector<Tensor>& gs, const std::vector<bool>&) {
                   const Tensor input = x.get(name);
                   return std::vector<Tensor>{
                       back(with_dims(gs[0], input.shape(), over), input, with_dims(y.get(name), input.shape(), over))};
               });
    return y;
}

inline Tensor extreme_gradient(const Tensor& g, const Tensor& x, const Tensor& y) {
    const Tensor at = eq(x, y).to(g.dtype());
    Shape dims;
    for (std::size_t i = 0; i < x.shape().size(); i++)
        if (y.shape()[i] != x.shape()[i]) dims.push_back(static_cast<std::int64_t>(i));
    return dims.empty() ? g : mul(at, div(g, run_reduction("sum_reduce", {at}, dims, true)[0]));
}

}  // namespace detail

inline Tensor Tensor::sum(const Shape& dims, bool keepdim) const {
    const Tensor x = dtype() == DType::bool_ ? to(DType::int64) : *this;
    const Shape over = detail::reduced_dims(dims, x.dim(), "sum");
    const Tensor y = detail::run_reduction("sum_reduce", {x}, over, keepdim)[0];
    if (wants_history({x}))
        record("sum", {x}, {y}, [over, from = x.shape()](const std::vector<Tensor>& gs, const std::vector<bool>&) {
            return std::vector<Tensor>{detail::with_dims(gs[0], from, over).expand(from)};
        });
    return y;
}

inline Tensor Tensor::mean(const Shape& dims, bool keepdim) const {
    if (!is_floating_point(dtype()))
        fail("mean: a tensor of ", dtype(), " has no mean of its dtype; convert it with to(ct::DType::float32)");
    const Shape over = detail::reduced_dims(dims, dim(), "mean");
    const Tensor y = detail::run_reduction("mean_reduce", {*this}, over, keepdim)[0];
    if (wants_history({*this}))
        record("mean", {*this}, {y},
               [over, from = shape(), n = static_cast<double>(numel()) / static_cast<double>(std::max<std::int64_t>(y.numel(), 1))](
                   const std::vector<Tensor>& gs, const std::vector<bool>&) {
                   return std::vector<Tensor>{ct::div(detail::with_dims(gs[0], from, over), n).expand(from)};
               });
    return y;
}

inline Tensor Tensor::amax(const Shape& dims, bool keepdim) const {
    return detail::reduced("amax", "amax", *this, dims, keepdim, detail::extreme_gradient);
}
inline Tensor Tensor::amin(const Shape& dims, bool keepdim) const {
    return detail::reduced("amin", "amin", *this, dims, keepdim, detail::extreme_gradient);
}

inline Tensor Tensor::prod(const Shape& dims, bool keepdim) const {
    const Shape over = detail::reduced_dims(dims, dim(), "prod");
    if (!wants_history({*this})) return detail::run_reduction("prod_reduce", {*this}, over, keepdim)[0];
    // By halves, whose products have exact gradients where factors are 0.
    Shape order, wanted = detail::kept_shape(shape(), over, keepdim);
    for (std::int64_t i = 0; i < dim(); i++)
        if (!std::binary_search(over.begin(), over.end(), i)) order.push_back(i);
    const std::size_t kept = order.size();
    order.insert(order.end(), over.begin(), over.end());
    Shape rows(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(kept));
    for (std::int64_t& d : rows) d = shape()[static_cast<std::size_t>(d)];
    rows.push_back(-1);
    if (!numel()) return detail::run_reduction("prod_reduce", {*this}, over, keepdim)[0];
    Tensor left = permute(order).reshape(rows);
    while (left.size(-1) > 1) {
        const std::int64_t n = left.size(-1), half = n / 2;
        const Tensor joined = ct::mul(left.narrow(-1, 0, half), left.narrow(-1, half, half));
        left = n % 2 ? cat({joined, left.narrow(-1, n - 1, 1)}, -1) : joined;
    }
    return left.reshape(wanted);
}

inline Tensor Tensor::var(const Shape& dims, double correction, bool keepdim) const {
    const Shape over = detail::reduced_dims(dims, dim(), "var");
    const Tensor apart = ct::sub(*this, mean(over.empty() ? dims : over, true));
    const Tensor sum = ct::square(apart).sum(over.empty() ? dims : over, keepdim);
    return ct::div(sum, std::max(0.0, static_cast<double>(numel()) / static_cast<double>(std::max<std::int64_t>(sum.numel(), 1)) -
                                          correction));
}

inline Tensor Tensor::std(const Shape& dims, double correction, bool keepdim) const {
    return ct::sqrt(var(dims, correction, keepdim));
}
inline Tensor Tensor::norm() const { return ct::sqrt(ct::square(*this).sum()); }
inline Tensor Tensor::argmax() const { return detail::run_reduction("argmax_reduce", {flatten()}, {0}, false)[0]; }
inline Tensor Tensor::argmin() const { return detail::run_reduction("argmin_reduce", {flatten()}, {0}, false)[0]; }
inline Tensor Tensor::argmax(std::int64_t d, bool keepdim) const {
    return detail::run_reduction("argmax_reduce", {*this}, detail::reduced_dims({d}, dim(), "argmax"), keepdim)[0];
}
inline Tensor Tensor::argmin(std::int64_t d, bool keepdim) const {
    return detail::run_reduction("argmin_reduce", {*this}, detail::reduced_dims({d}, dim(), "argmin"), keepdim)[0];
}
inline Tensor Tensor::any() const {
    return detail::run_reduction("any_reduce", {*this}, detail::reduced_dims({}, dim(), "any"), false)[0];
}
inline Tensor Tensor::all() const {
    return detail::run_reduction("all_reduce", {*this}, detail::reduced_dims({}, dim(), "all"), false)[0];
}

}  // namespace ct
