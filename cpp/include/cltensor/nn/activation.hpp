// Activations and dropout as modules.
#pragma once

#include "module.hpp"

namespace ct::nn {

/// A function of one tensor as a module.
class Function : public Module {
public:
    explicit Function(std::function<Tensor(const Tensor&)> function) : function_(std::move(function)) {}
    Tensor forward(const Tensor& x) override { return function_(x); }

private:
    std::function<Tensor(const Tensor&)> function_;
};

struct ReLU : Function {
    ReLU() : Function([](const Tensor& x) { return relu(x); }) {}
};
struct GELU : Function {
    explicit GELU(bool by_tanh = false) : Function([=](const Tensor& x) { return by_tanh ? gelu_tanh(x) : gelu(x); }) {}
};
struct SiLU : Function {
    SiLU() : Function([](const Tensor& x) { return silu(x); }) {}
};
struct Sigmoid : Function {
    Sigmoid() : Function([](const Tensor& x) { return sigmoid(x); }) {}
};
struct Tanh : Function {
    Tanh() : Function([](const Tensor& x) { return tanh(x); }) {}
};
struct LeakyReLU : Function {
    explicit LeakyReLU(double slope = 0.01) : Function([=](const Tensor& x) { return leaky_relu(x, slope); }) {}
};
struct ELU : Function {
    explicit ELU(double alpha = 1) : Function([=](const Tensor& x) { return elu(x, alpha); }) {}
};
struct Softplus : Function {
    explicit Softplus(double beta = 1, double threshold = 20)
        : Function([=](const Tensor& x) { return softplus(x, beta, threshold); }) {}
};
struct Softmax : Function {
    explicit Softmax(std::int64_t dim) : Function([=](const Tensor& x) { return softmax(x, dim); }) {}
};
struct LogSoftmax : Function {
    explicit LogSoftmax(std::int64_t dim) : Function([=](const Tensor& x) { return log_softmax(x, dim); }) {}
};

/// In training, elements are zeroed with probability p, and the others scaled by 1 / (1 - p).
class Dropout : public Module {
public:
    explicit Dropout(double p = 0.5) : p_(p) {
        if (!(p >= 0 && p <= 1)) fail("Dropout: p is a probability from 0 to 1, got ", p);
    }
    Tensor forward(const Tensor& x) override { return dropout(x, p_, is_training()); }

private:
    double p_;
};

}  // namespace ct::nn
