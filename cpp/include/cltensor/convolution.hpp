// Convolution of images (N, C, H, W) with weights (K, C / groups, height, width), and its gradients.
//
// Each is a sum of products that reads the images in place, at offsets for the pixel plus offsets for the tap.  Weights, or the
// gradient, are packed into panels first, with channels side by side.
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

/// Four nested indices: their sizes, and the strides of both operands for them.
struct Nest {
    Shape sizes, x, other;
};

/// A sum of products: of each row of x, at each step, with the panel's element of the same step, for each lane.
struct PanelProduct {
    Nest rows, steps;                        // other: the strides of y, and those of the panel's source
    Tensor x, source, bias;                  // bias: what sums begin with, for each lane of all groups
    std::int64_t x_start, x_group;           // where row 0 reads at step 0, and from group to group
    std::int64_t source_lane, source_group;  // strides of the source
    std::int64_t groups, lanes;              // lanes of each group
    std::int64_t y_lane, y_group;            // strides of y
};

constexpr std::int64_t kDepth = 256, kShortestPiece = 512;  // steps at a time, and steps of a piece of a long sum, at least

/// The fewest equal parts of at most `most`: the size of a part, a multiple of unit.
inline std::int64_t even(std::int64_t n, std::int64_t most, std::int64_t unit = 1) {
    const std::int64_t parts = std::max<std::int64_t>(1, (n + most - 1) / most);
    return std::max(unit, (n + parts * unit - 1) / (parts * unit) * unit);
}

/// Compute a PanelProduct of shape y.  long_sums: whether the steps may be cut into pieces whose sums are added up.
inline Tensor run_product(const PanelProduct& p, const Shape& shape, bool long_sums) {
    Runtime& r = runtime();
    const std::string dtype = name(p.x.dtype());
    const std::int64_t width = r.pack().kernel(r.key("conv_panel", dtype)).values.at("LANES");
    const std::int64_t count = (p.lanes + width - 1) / width, length = product(p.steps.sizes), rows = product(p.rows.sizes);
    const auto panels = r.allocate(static_cast<std::size_t>(p.groups * count * (1 + length) * width) * item_size(p.x.dtype()));
    const auto table = r.allocate(static_cast<std::size_t>(length) * 8);
    const Tensor& bias = p.bias.defined() ? p.bias : p.source;
    Launch(r.key("conv_panel", dtype))
        .buffer("source", p.source.memory(), p.source.offset())
        .buffer("bias", bias.memory(), bias.offset())
        .number("bias_s", p.bias.defined() ? bias.strides()[0] : 0)
        .number("biased", p.bias.defined())
        .number("groups", p.groups)
        .number("lanes", p.lanes)
        .number("count", count)
        .number("ks", p.source_lane)
        .number("gs", p.source_group)
        .number("L", length)
        .numbers("n", p.steps.sizes)
        .numbers("x", p.steps.x)
        .numbers("m", p.steps.sizes)
        .numbers("s", p.steps.other)
        .buffer("panels", *panels)
        .buffer("steps", *table)
        .run();
    Launch launch(r.key("conv_product", dtype));
    const bool cpu = r.opencl().style() == Style::cpu;
    const std::int64_t strip = cpu ? even(rows, launch.value("STRIP") / launch.value("MR") * launch.value("MR"), launch.value("MR"))
                                   : 16 * launch.value("TM");
    const std::int64_t units = p.groups * count * ((rows + strip - 1) / strip), wanted = 4 * r.opencl().compute_units();
    const std::int64_t pieces =
        long_sums && units < wanted
            ? std::clamp<std::int64_t>(length / kShortestPiece, 1, std::min<std::int64_t>(wanted / units + 1, 64))
            : 1;
    Shape whole = shape;
    whole.insert(whole.begin(), pieces);
    const Tensor y = empty(whole, p.x.dtype());
    launch.buffer("x", p.x.memory(), p.x.offset() + p.x_start)
        .buffer("panels", *panels)
        .buffer("steps", *table)
        .buffer("y", y.memory());
    launch.numbers("r", p.rows.sizes)
        .numbers("xs", p.rows.x)
        .numbers("ys", p.rows.other)
        .number("groups", p.groups)
        .number("xg", p.x_group);
    launch.number("yg", p.y_group).number("lanes", p.lanes).number("count", count).number("ks", p.y_lane).number("L", length);
    launch.number("splits", pieces).number("split_s", product(shape));
    launch.number("strip_rows", strip).number("block", count).number("panels_first", 0).number("kc", even(length, kDepth));
    if (cpu)
        launch.number("work_groups", std::max<std::int64_t>(1, std::min(wanted, p.groups * pieces * ((rows + strip - 1) / strip))));
    launch.run();
    return pieces == 1 ? y.reshape(shape) : run_reduction("sum_reduce", {y}, {0}, false)[0];
}

/// x with `before` zeros in front of rows and columns, or fewer of them if negative, and so many rows and columns in all.
inline Tensor padded(const Tensor& x, Pair before, Pair sizes) {
    Tensor out = empty({x.size(0), x.size(1), sizes.h, sizes.w}, x.dtype());
    const Shape& s = x.strides();
    if (out.numel())
        Launch(runtime().key("conv_pad", name(x.dtype())))
            .buffer("x", x.memory(), x.offset())
            .buffer("xp", out.memory())
            .number("n", x.size(0))
            .number("c", x.size(1))
            .number("d", 1)
            .number("h", x.size(2))
            .number("w", x.size(3))
            .number("sn", s[0])
            .number("sc", s[1])
            .number("sd", 0)
            .number("sh", s[2])
            .number("sw", s[3])
            .numbers("lo", {0, before.h, before.w})
            .number("pd", 1)
            .number("ph", sizes.h)
            .number("pw", sizes.w)
            .number("plane", sizes.h * sizes.w)
            .run();
    return out;
}

inline Tensor padded(const Tensor& x, Pair by) {
    return by.h || by.w ? padded(x, by, {x.size(2) + 2 * by.h, x.size(3) + 2 * by.w}) : x;
}

inline Tensor run_convolution(const Tensor& x, const Tensor& w, const Tensor& bias, const ConvolutionOptions& o) {
    const std::int64_t h = (x.size(2) + 2 * o.padding.h - o.dilation.h * (w.size(2) - 1) - 1) / o.stride.h + 1;
    const std::int64_t v = (x.size(3) + 2 * o.padding.w - o.dilation.w * (w.size(3) - 1) - 1) / o.stride.w + 1;
    const Shape shape{x.size(0), w.size(0), h, v}, ys = dense_strides(shape), ws = w.strides();
    if (!product(shape)) return zeros(shape, x.dtype());
    const Tensor read = padded(x, o.padding);
    const Shape& s = read.strides();
    const std::int64_t k = w.size(0) / o.groups, c = w.size(1);
    return run_product(
        {{{shape[0], 1, h, v}, {s[0], 0, o.stride.h * s[2], o.stride.w * s[3]}, {ys[0], 0, ys[2], ys[3]}},
         {{c, 1, w.size(2), w.size(3)}, {s[1], 0, o.dilation.h * s[2], o.dilation.w * s[3]}, {ws[1], 0, ws[2], ws[3]}},
         read,
         w,
         bias,
         0,
         c * s[1],
         ws[0],
         k * ws[0],
         o.groups,
         k,
         ys[1],
         k * ys[1]},
        shape, false);
}

/// Rows are the places of weights, steps the pixels.
inline Tensor weight_gradient(const Tensor& g, const Tensor& x, const Shape& shape, const ConvolutionOptions& o) {
    if (!g.numel()) return zeros(shape, g.dtype());
    const Tensor read = padded(x, o.padding);
    const Shape &s = read.strides(), &gs = g.strides(), ys = dense_strides(shape);
    const std::int64_t k = shape[0] / o.groups, c = shape[1];
    return run_product(
        {{{c, 1, shape[2], shape[3]}, {s[1], 0, o.dilation.h * s[2], o.dilation.w * s[3]}, {ys[1], 0, ys[2], ys[3]}},
         {{g.size(0), 1, g.size(2), g.size(3)}, {s[0], 0, o.stride.h * s[2], o.stride.w * s[3]}, {gs[0], 0, gs[2], gs[3]}},
         read,
         g,
         {},
         0,
         c * s[1],
         gs[1],
         k * gs[1],
         o.groups,
         k,
         ys[0],
         k * ys[0]},
        shape, true);
}

/// Zeros with the outputs of a convolution `stride` apart, so that each input reads them at its taps.
inline Tensor spread(const Tensor& g, Pair sizes, Pair first, Pair stride) {
    if (stride.h == 1 && stride.w == 1) return padded(g, first, sizes);
    Tensor out = zeros({g.size(0), g.size(1), sizes.h, sizes.w}, g.dtype());
    const auto inside = [](std::int64_t size, std::int64_t outs, std::int64_t first, std::int64_t stride) {
        const std::int64_t low = first < 0 ? (-first + stride - 1) / stride : 0;
        return std::array<std::int64_t, 3>{low, std::min(outs, (size - 1 - first) / stride + 1) - low,
                                           low * stride + first};  // from, count, place
    };
    const auto rows = inside(sizes.h, g.size(2), first.h, stride.h), columns = inside(sizes.w, g.size(3), first.w, stride.w);
    if (rows[1] > 0 && columns[1] > 0)
        copy_into(out.slice(2, {rows[2], {}, stride.h})
                      .narrow(2, 0, rows[1])
                      .slice(3, {columns[2], {}, stride.w})
                      .narrow(3, 0, columns[1]),
                  g.narrow(2, rows[0], rows[1]).narrow(3, columns[0], columns[1]));
    return out;
}

/// Rows are the input's pixels, lanes its channels; the taps are walked backwards.
inline Tensor input_gradient(const Tensor& g, const Tensor& w, const Shape& shape, const ConvolutionOptions& o) {
    if (!g.numel() || !product(shape)) return zeros(shape, g.dtype());
    const Pair reach(o.dilation.h * (w.size(2) - 1), o.dilation.w * (w.size(3) - 1));
    const Tensor read =
        spread(g, {shape[2] + reach.h, shape[3] + reach.w}, {reach.h - o.padding.h, reach.w - o.padding.w}, o.stride);
    const Shape &s = read.strides(), &ws = w.strides(), ys = dense_strides(shape);
    const std::int64_t k = w.size(0) / o.groups, c = w.size(1);
    return run_product(
        {{{shape[0], 1, shape[2], shape[3]}, {s[0], 0, s[2], s[3]}, {ys[0], 0, ys[2], ys[3]}},
         {{k, 1, w.size(2), w.size(3)}, {s[1], 0, -o.dilation.h * s[2], -o.dilation.w * s[3]}, {ws[0], 0, ws[2], ws[3]}},
         read,
         w,
         {},
         reach.h * s[2] + reach.w * s[3],
         k * s[1],
         ws[1],
         k * ws[0],
         o.groups,
         c,
         ys[1],
         c * ys[1]},
        shape, false);
}

inline void check_convolution(const Tensor& x, const Tensor& w, const Tensor& bias, const ConvolutionOptions& o) {
    if (x.dim() != 4 || w.dim() != 4)
        fail("conv2d: input ", shown(x.shape()), " and weight ", shown(w.shape()),
             " must have 4 dimensions, (N, C, H, W) and (K, C / groups, h, w)");
    if (o.groups < 1 || x.size(1) != w.size(1) * o.groups || w.size(0) % o.groups)
        fail("conv2d: groups = ", o.groups, ", weight ", shown(w.shape()), " and input ", shown(x.shape()),
             ": input channels must be weight.size(1) * "
             "groups, and output channels divisible by groups");
    if (x.dtype() != w.dtype() || (bias.defined() && (bias.dtype() != w.dtype() || bias.shape() != Shape{w.size(0)})))
        fail("conv2d: input is ", x.dtype(), " and weight ", w.dtype(),
             "; they must agree, and a bias must be of the same dtype and shape ", shown({w.size(0)}));
    if (o.stride.h < 1 || o.stride.w < 1 || o.dilation.h < 1 || o.dilation.w < 1 || o.padding.h < 0 || o.padding.w < 0)
        fail("conv2d: stride and dilation must be >= 1 and padding >= 0");
    const auto reach = [](std::int64_t kernel, std::int64_t dilation) { return dilation * (kernel - 1) + 1; };
    if (x.size(2) + 2 * o.padding.h < reach(w.size(2), o.dilation.h) ||
        x.size(3) + 2 * o.padding.w < reach(w.size(3), o.dilation.w))
        fail("conv2d: the weight ", shown(w.shape()), " is larger than the padded input ", shown(x.shape()),
             "; add padding or use a smaller one");
}

}  // namespace detail

/// y[n, k, o] = bias[k] + sum over c, t of x[n, c, o * stride - padding + t * dilation] * w[k, c, t].
inline Tensor conv2d(const Tensor& x, const Tensor& w, const Tensor& bias = {}, const ConvolutionOptions& o = {}) {
    detail::check_convolution(x, w, bias, o);
    const Tensor y = detail::run_convolution(x, w, bias, o);
    if (wants_history({x, w, bias}))
        record("conv2d", {x, w, bias}, {y},
               [x = Saved(x), w = Saved(w), o](const std::vector<Tensor>& gs, const std::vector<bool>& needs) {
                   std::vector<Tensor> made(3);
                   if (needs[0]) made[0] = detail::input_gradient(gs[0], w.get("conv2d"), x.get("conv2d").shape(), o);
                   if (needs[1]) made[1] = detail::weight_gradient(gs[0], x.get("conv2d"), w.get("conv2d").shape(), o);
                   if (needs[2]) made[2] = gs[0].sum({0, 2, 3});
                   return made;
               });
    return y;
}

}  // namespace ct
