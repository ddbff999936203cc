// Convolution of images (N, C, H, W) with weights (K, C / groups, height, width), and its gradients.
//
// Each is a product of matrices: the patches that a weight meets are copied side by side first.
#pragma once

#include <array>

#include "random.hpp"

namespace ct {

/// A number for each spatial dimension; one number stands for both.
struct Pair {
    std::int64_t h, w;
    Pair(std::int64_t both) : h(both), w(both) {}
    Pair(int both) : h(both), w(both) {}
    Pair(std::int64_t h, std::int64_t w) : h(h), w(w) {}
};

/// How a convolution's weight moves.
struct ConvolutionOptions {
    Pair stride = 1, padding = 0, dilation = 1;
    std::int64_t groups = 1;
};

namespace detail {

/// x in the middle of zeros.
inline Tensor padded(const Tensor& x, Pair by) {
    if (!by.h && !by.w) return x;
    Tensor out = zeros({x.size(0), x.size(1), x.size(2) + 2 * by.h, x.size(3) + 2 * by.w}, x.dtype());
    copy_into(out.narrow(2, by.h, x.size(2)).narrow(3, by.w, x.size(3)), x);
    return out;
}

/// The patches of images x that a kernel meets: (N, C, kh, kw, oh, ow), as a view.
inline Tensor patches(const Tensor& x, Pair kernel, Pair out, Pair stride, Pair dilation) {
    const Shape& s = x.strides();
    return aliased(x, {x.size(0), x.size(1), kernel.h, kernel.w, out.h, out.w},
                   {s[0], s[1], s[2] * dilation.h, s[3] * dilation.w, s[2] * stride.h, s[3] * stride.w}, x.offset());
}

inline Pair convolved(const Tensor& x, Pair kernel, const ConvolutionOptions& o) {
    return {(x.size(2) + 2 * o.padding.h - o.dilation.h * (kernel.h - 1) - 1) / o.stride.h + 1,
            (x.size(3) + 2 * o.padding.w - o.dilation.w * (kernel.w - 1) - 1) / o.stride.w + 1};
}

inline Tensor run_convolution(const Tensor& x, const Tensor& w, const ConvolutionOptions& o) {
    const Pair kernel(w.size(2), w.size(3)), out = convolved(x, kernel, o);
    const std::int64_t n = x.size(0), taps = w.size(1) * kernel.h * kernel.w, k = w.size(0);
    const Tensor columns = patches(padded(x, o.padding), kernel, out, o.stride, o.dilation).contiguous();
    const Tensor product = run_matmul(w.reshape({1, o.groups, k / o.groups, taps}), columns.reshape({n, o.groups, taps, out.h * out.w}));
    return product.reshape({n, k, out.h, out.w});
}

inline Tensor weight_gradient(const Tensor& g, const Tensor& x, const Shape& shape, const ConvolutionOptions& o) {
    const Pair kernel(shape[2], shape[3]), out(g.size(2), g.size(3));
    const std::int64_t pixels = g.size(0) * out.h * out.w, k = shape[0], taps = shape[1] * kernel.h * kernel.w;
    const Tensor columns = patches(padded(x, o.padding), kernel, out, o.stride, o.dilation).permute({1, 2, 3, 0, 4, 5}).contiguous();
    const Tensor lanes = g.permute({1, 0, 2, 3}).contiguous().reshape({o.groups, k / o.groups, pixels});
    return run_matmul(lanes, columns.reshape({o.groups, taps, pixels}).transpose(-1, -2)).reshape(shape);
}

/// A convolution of g, spread by the stride, with the weights turned round.
inline Tensor input_gradient(const Tensor& g, const Tensor& w, const Shape& shape, const ConvolutionOptions& o) {
    const auto spread = [&](std::int64_t size, std::int64_t outs, std::int64_t kernel, std::int64_t stride, std::int64_t pad, std::int64_t dilation) {
        const std::int64_t whole = size + dilation * (kernel - 1), first = dilation * (kernel - 1) - pad;
        const std::int64_t low = first < 0 ? (-first + stride - 1) / stride : 0, high = std::min(outs, (whole - 1 - first) / stride + 1);
        return std::array<std::int64_t, 4>{whole, low, high, low * stride + first};  // size; outputs inside; where the first of them lies
    };
    const auto rows = spread(shape[2], g.size(2), w.size(2), o.stride.h, o.padding.h, o.dilation.h);
    const auto columns = spread(shape[3], g.size(3), w.size(3), o.stride.w, o.padding.w, o.dilation.w);
    Tensor spaced = zeros({g.size(0), g.size(1), rows[0], columns[0]}, g.dtype());
    if (rows[2] > rows[1] && columns[2] > columns[1])
        copy_into(spaced.slice(2, {rows[3], {}, o.stride.h}).narrow(2, 0, rows[2] - rows[1]).slice(3, {columns[3], {}, o.stride.w}).narrow(3, 0, columns[2] - columns[1]),
                  g.narrow(2, rows[1], rows[2] - rows[1]).narrow(3, columns[1], columns[2] - columns[1]));
    const std::int64_t k = w.size(0) / o.groups, c = w.size(1);
    const Tensor dense = w.contiguous();
    const Tensor turned = aliased(dense, {o.groups, k, c, w.size(2), w.size(3)},
                                  {k * c * w.size(2) * w.size(3), c * w.size(2) * w.size(3), w.size(2) * w.size(3), -w.size(3), -1},
                                  dense.offset() + w.size(2) * w.size(3) - 1)
                              .transpose(1, 2).contiguous().reshape({o.groups * c, k, w.size(2), w.size(3)});
    ConvolutionOptions plain;
    plain.dilation = o.dilation;
    plain.groups = o.groups;
    return run_convolution(spaced, turned, plain);
}

inline void check_convolution(const Tensor& x, const Tensor& w, const ConvolutionOptions& o) {
    if (x.dim() != 4 || w.dim() != 4)
        fail("conv2d: input ", shown(x.shape()), " and weight ", shown(w.shape()), " must have 4 dimensions, (N, C, H, W) and (K, C / groups, h, w)");
    if (o.groups < 1 || x.size(1) != w.size(1) * o.groups || w.size(0) % o.groups)
        fail("conv2d: groups = ", o.groups, ", weight ", shown(w.shape()), " and input ", shown(x.shape()), ": input channels must be weight.size(1) * "
             "groups, and output channels divisible by groups");
    if (o.stride.h < 1 || o.stride.w < 1 || o.dilation.h < 1 || o.dilation.w < 1 || o.padding.h < 0 || o.padding.w < 0)
        fail("conv2d: stride and dilation must be >= 1 and padding >= 0");
    const auto reach = [](std::int64_t kernel, std::int64_t dilation) { return dilation * (kernel - 1) + 1; };
    if (x.size(2) + 2 * o.padding.h < reach(w.size(2), o.dilation.h) || x.size(3) + 2 * o.padding.w < reach(w.size(3), o.dilation.w))
        fail("conv2d: the weight ", shown(w.shape()), " is larger than the padded input ", shown(x.shape()), "; add padding or use a smaller one");
}

}  // namespace detail

/// y[n, k, o] = bias[k] + sum over c, t of x[n, c, o * stride - padding + t * dilation] * w[k, c, t].
inline Tensor conv2d(const Tensor& x, const Tensor& w, const Tensor& bias = {}, const ConvolutionOptions& o = {}) {
    detail::check_convolution(x, w, o);
    const Tensor y = detail::run_convolution(x, w, o);
    if (wants_history({x, w}))
        record("conv2d", {x, w}, {y}, [x = Saved(x), w = Saved(w), o](const std::vector<Tensor>& gs, const std::vector<bool>& needs) {
            std::vector<Tensor> made(2);
            if (needs[0]) made[0] = detail::input_gradient(gs[0], w.get("conv2d"), x.get("conv2d").shape(), o);
            if (needs[1]) made[1] = detail::weight_gradient(gs[0], x.get("conv2d"), w.get("conv2d").shape(), o);
            return made;
        });
    return bias.defined() ? y + bias.reshape({-1, 1, 1}) : y;
}

}  // namespace ct
