// Pooling of images (N, C, H, W): the largest or the mean of each window.
#pragma once

#include "convolution.hpp"

namespace ct {

namespace detail {

struct Window {
    Pair kernel, stride, padding;
    bool counts_padding = true;
};

inline void check_pool(const char* call, const Tensor& x, const Window& w) {
    if (x.dim() != 4) fail(call, ": input ", shown(x.shape()), " must have 4 dimensions, (N, C, H, W)");
    if (w.kernel.h < 1 || w.kernel.w < 1 || w.stride.h < 1 || w.stride.w < 1) fail(call, ": kernel_size and stride must be >= 1");
    if (w.padding.h < 0 || w.padding.w < 0 || 2 * w.padding.h > w.kernel.h || 2 * w.padding.w > w.kernel.w)
        fail(call, ": padding must be from 0 to half of kernel_size");
    if (x.size(2) + 2 * w.padding.h < w.kernel.h || x.size(3) + 2 * w.padding.w < w.kernel.w)
        fail(call, ": a window of ", w.kernel.h, " x ", w.kernel.w, " is larger than the padded input ", shown(x.shape()));
}

/// The launch of a form of the pool template; wide: the images, narrow: an element for each window; read: what has strides.
inline Launch pool_launch(const std::string& op, const Tensor& wide, const Tensor& narrow, const Tensor& read, const Window& w) {
    Launch launch(runtime().key(op, name(wide.dtype())));
    launch.number("n", wide.size(0)).number("c", wide.size(1)).numbers("i", {1, wide.size(2), wide.size(3)});
    launch.numbers("o", {1, narrow.size(2), narrow.size(3)});
    const Shape& s = read.strides();
    launch.number("xn", s[0]).number("xc", s[1]).numbers("x", {0, s[2], s[3]});
    launch.numbers("k", {1, w.kernel.h, w.kernel.w}).numbers("s", {1, w.stride.h, w.stride.w});
    launch.numbers("p", {0, w.padding.h, w.padding.w}).numbers("d", {1, 1, 1});
    launch.number("include_pad", w.counts_padding).number("divisor", 0);
    return launch;
}

inline Shape pooled(const Tensor& x, const Window& w) {
    return {x.size(0), x.size(1), (x.size(2) + 2 * w.padding.h - w.kernel.h) / w.stride.h + 1,
            (x.size(3) + 2 * w.padding.w - w.kernel.w) / w.stride.w + 1};
}

}  // namespace detail

/// The largest element of each window; stride: by default the window's size.
inline Tensor max_pool2d(const Tensor& x, Pair kernel_size, std::optional<Pair> stride = {}, Pair padding = 0) {
    const detail::Window w{kernel_size, stride.value_or(kernel_size), padding};
    detail::check_pool("max_pool2d", x, w);
    Tensor y = empty(detail::pooled(x, w), x.dtype()), at = empty(y.shape(), DType::int64);
    if (y.numel())
        detail::pool_launch("max_pool", x, y, x, w)
            .buffer("x", x.memory(), x.offset())
            .buffer("y", y.memory())
            .buffer("position", at.memory())
            .run();
    if (wants_history({x}))
        record("max_pool2d", {x}, {y}, [from = x.shape(), at, w](const std::vector<Tensor>& gs, const std::vector<bool>&) {
            const Tensor& g = gs[0];
            Tensor gx = empty(from, g.dtype());
            const Shape& s = at.strides();
            if (gx.numel())
                detail::pool_launch("max_pool_gradient", gx, g, g, w)
                    .number("tn", s[0])
                    .number("tc", s[1])
                    .numbers("t", {0, s[2], s[3]})
                    .buffer("g", g.memory(), g.offset())
                    .buffer("position", at.memory())
                    .buffer("gx", gx.memory())
                    .run();
            return std::vector<Tensor>{gx};
        });
    return y;
}

/// The mean of each window.
inline Tensor avg_pool2d(const Tensor& x, Pair kernel_size, std::optional<Pair> stride = {}, Pair padding = 0,
                         bool count_include_pad = true) {
    const detail::Window w{kernel_size, stride.value_or(kernel_size), padding, count_include_pad};
    detail::check_pool("avg_pool2d", x, w);
    Tensor y = empty(detail::pooled(x, w), x.dtype());
    if (y.numel()) detail::pool_launch("avg_pool", x, y, x, w).buffer("x", x.memory(), x.offset()).buffer("y", y.memory()).run();
    if (wants_history({x}))
        record("avg_pool2d", {x}, {y}, [from = x.shape(), w](const std::vector<Tensor>& gs, const std::vector<bool>&) {
            Tensor gx = empty(from, gs[0].dtype());
            if (gx.numel())
                detail::pool_launch("avg_pool_gradient", gx, gs[0], gs[0], w)
                    .buffer("g", gs[0].memory(), gs[0].offset())
                    .buffer("gx", gx.memory())
                    .run();
            return std::vector<Tensor>{gx};
        });
    return y;
}

}  // namespace ct
