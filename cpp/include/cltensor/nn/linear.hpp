// Linear: x @ weight.T + bias.
#pragma once

#include "init.hpp"

namespace ct::nn {

/// weight (out_features, in_features) and bias (out_features,) start uniform in +-1 / sqrt(in_features).
class Linear : public Module {
public:
    Tensor weight, bias;

    Linear(std::int64_t in_features, std::int64_t out_features, bool with_bias = true) {
        if (in_features < 0 || out_features < 0)
            fail("Linear: sizes must not be negative, got ", in_features, " and ", out_features);
        const double bound = init::inverse_root(in_features);
        weight = parameter("weight", init::within({out_features, in_features}, bound));
        if (with_bias) bias = parameter("bias", init::within({out_features}, bound));
    }

    Tensor forward(const Tensor& x) override { return linear(x, weight, bias); }
};

/// Dimensions from start to end as one.
class Flatten : public Module {
public:
    explicit Flatten(std::int64_t start = 1, std::int64_t end = -1) : start_(start), end_(end) {}
    Tensor forward(const Tensor& x) override { return x.flatten(start_, end_); }

private:
    std::int64_t start_, end_;
};

}  // namespace ct::nn
