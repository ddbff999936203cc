// Normalisation: BatchNorm2d over batches, LayerNorm over the last dimensions.
#pragma once

#include "init.hpp"

namespace ct {

namespace detail {

/// (mean, sum of squared deviations) of x over some dimensions, kept as size 1.
inline std::pair<Tensor, Tensor> moments(const Tensor& x, const Shape& dims) {
    const Shape over = reduced_dims(dims, x.dim(), "norm");
    const Tensor mean = x.mean(over, true), center = mean.detach().expand(x.shape());
    const Tensor m2 = run_reduction("sum_squared_deviation", {x.detach(), center}, over, true)[0];
    if (wants_history({x}))  // by the mean, the gradient is 0: deviations add up to 0
        record("sum_squared_deviation", {x}, {m2},
               [x = Saved(x), center = Saved(center)](const std::vector<Tensor>& gs, const std::vector<bool>&) {
                   return std::vector<Tensor>{mul(mul(sub(x.get("norm"), center.get("norm")), gs[0]), 2)};
               });
    return {mean, m2};
}

}  // namespace detail

/// (x - mean) / sqrt(variance + eps) * weight + bias, the moments over the last dimensions, as many as `shape` has.
inline Tensor layer_norm(const Tensor& x, const Shape& shape, const Tensor& weight = {}, const Tensor& bias = {},
                         double eps = 1e-5) {
    if (shape.empty() || x.dim() < static_cast<std::int64_t>(shape.size()) ||
        !std::equal(shape.rbegin(), shape.rend(), x.shape().rbegin()))
        fail("layer_norm: normalized_shape ", shown(shape), " must be the last sizes of the input, ", shown(x.shape()));
    Shape dims;
    for (std::int64_t i = 0; i < static_cast<std::int64_t>(shape.size()); i++) dims.push_back(x.dim() - 1 - i);
    const auto [mean, m2] = detail::moments(x, dims);
    const double r = 1 / static_cast<double>(std::max<std::int64_t>(product(shape), 1));
    return norm_apply(x, mean, m2, weight.defined() ? Operand(weight) : Operand(1.0), bias.defined() ? Operand(bias) : Operand(0.0),
                      r, eps);
}

namespace nn {

/// Normalisation of each channel of (N, C, H, W) over all else; running_mean and running_var serve evaluation.
class BatchNorm2d : public Module {
public:
    Tensor weight, bias, running_mean, running_var, num_batches_tracked;

    explicit BatchNorm2d(std::int64_t num_features, double eps = 1e-5, double momentum = 0.1)
        : weight(parameter("weight", ones({num_features}))),
          bias(parameter("bias", zeros({num_features}))),
          running_mean(buffer("running_mean", zeros({num_features}))),
          running_var(buffer("running_var", ones({num_features}))),
          num_batches_tracked(buffer("num_batches_tracked", zeros({}, DType::int64))),
          eps_(eps),
          momentum_(momentum) {}

    Tensor forward(const Tensor& x) override {
        if (x.dim() != 4 || x.size(1) != weight.numel())
            fail("BatchNorm2d: input ", shown(x.shape()), " must have 4 dimensions, (N, ", weight.numel(), ", H, W)");
        const Shape along{1, -1, 1, 1};
        const Tensor w = weight.reshape(along), b = bias.reshape(along);
        if (!is_training()) return norm_apply(x, running_mean.reshape(along), running_var.reshape(along), w, b, 1, eps_);
        const std::int64_t count = x.numel() / std::max<std::int64_t>(weight.numel(), 1);
        if (count < 2)
            fail("BatchNorm2d: more than 1 value for each channel is needed in training, got input ", shown(x.shape()),
                 "; call eval(), or give a larger batch");
        const auto [mean, m2] = detail::moments(x, {0, 2, 3});
        {
            const NoGrad off;
            elementwise_to({running_mean, running_var}, "norm_running",
                           {running_mean, running_var, mean.detach().flatten(), m2.detach().flatten()},
                           {momentum_, 1 / static_cast<double>(count - 1)});
            num_batches_tracked += 1;
        }
        return norm_apply(x, mean, m2, w, b, 1 / static_cast<double>(count), eps_);
    }

private:
    double eps_, momentum_;
};

/// Normalisation over the last dimensions, with a weight and a bias for each place in them.
class LayerNorm : public Module {
public:
    Tensor weight, bias;

    explicit LayerNorm(const Shape& normalized_shape, double eps = 1e-5, bool elementwise_affine = true)
        : shape_(normalized_shape), eps_(eps) {
        if (!elementwise_affine) return;
        weight = parameter("weight", ones(shape_));
        bias = parameter("bias", zeros(shape_));
    }

    Tensor forward(const Tensor& x) override { return layer_norm(x, shape_, weight, bias, eps_); }

private:
    Shape shape_;
    double eps_;
};

}  // namespace nn
}  // namespace ct
