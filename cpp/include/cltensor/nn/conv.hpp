// Conv2d: a convolution with trained weights.
#pragma once

#include "init.hpp"

namespace ct::nn {

/// weight (out_channels, in_channels / groups, kh, kw) and bias (out_channels,) start uniform in +-1 / sqrt(fan_in).
class Conv2d : public Module {
public:
    Tensor weight, bias;

    Conv2d(std::int64_t in_channels, std::int64_t out_channels, Pair kernel_size, Pair stride = 1, Pair padding = 0,
           Pair dilation = 1, std::int64_t groups = 1, bool with_bias = true)
        : options_{stride, padding, dilation, groups} {
        if (groups < 1 || in_channels % groups || out_channels % groups)
            fail("Conv2d: in_channels = ", in_channels, " and out_channels = ", out_channels,
                 " must be divisible by groups = ", groups);
        const std::int64_t taps = in_channels / groups * kernel_size.h * kernel_size.w;
        const double bound = init::inverse_root(taps);
        weight = parameter("weight", init::within({out_channels, in_channels / groups, kernel_size.h, kernel_size.w}, bound));
        if (with_bias) bias = parameter("bias", init::within({out_channels}, bound));
    }

    Tensor forward(const Tensor& x) override { return conv2d(x, weight, bias, options_); }

private:
    ConvolutionOptions options_;
};

/// The largest element of each window.
class MaxPool2d : public Module {
public:
    explicit MaxPool2d(Pair kernel_size, std::optional<Pair> stride = {}, Pair padding = 0)
        : kernel_(kernel_size), stride_(stride.value_or(kernel_size)), padding_(padding) {}
    Tensor forward(const Tensor& x) override { return max_pool2d(x, kernel_, stride_, padding_); }

private:
    Pair kernel_, stride_, padding_;
};

/// The mean of each window.
class AvgPool2d : public Module {
public:
    explicit AvgPool2d(Pair kernel_size, std::optional<Pair> stride = {}, Pair padding = 0)
        : kernel_(kernel_size), stride_(stride.value_or(kernel_size)), padding_(padding) {}
    Tensor forward(const Tensor& x) override { return avg_pool2d(x, kernel_, stride_, padding_); }

private:
    Pair kernel_, stride_, padding_;
};

}  // namespace ct::nn
