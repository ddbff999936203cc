// Optimisers: SGD, Adam and AdamW, each step one kernel for each parameter; and schedules of the learning rate.
#pragma once

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "print.hpp"

namespace ct::optim {

/// What optimisers share: the parameters, and the learning rate that schedules change.
class Optimizer {
public:
    virtual ~Optimizer() = default;

    /// Move each parameter that has a gradient.
    void step() {
        const NoGrad off;
        for (std::size_t i = 0; i < parameters_.size(); i++)
            if (const Tensor g = parameters_[i].grad(); g.defined()) update(i, parameters_[i], g);
    }

    /// Forget all gradients.
    void zero_grad() {
        for (const Tensor& p : parameters_) p.set_grad({});
    }

    double lr;

protected:
    Optimizer(std::vector<Tensor> parameters, double lr, double weight_decay, const char* call)
        : lr(lr), parameters_(std::move(parameters)), weight_decay_(weight_decay) {
        if (parameters_.empty()) fail(call, ": there are no parameters; give module.parameters()");
        if (lr < 0 || weight_decay < 0) fail(call, ": lr and weight_decay must not be negative, got ", lr, " and ", weight_decay);
    }

    virtual void update(std::size_t i, const Tensor& p, const Tensor& g) = 0;

    std::vector<Tensor> parameters_;
    double weight_decay_;
};

/// p -= lr * d with d = g + weight_decay * p, or with momentum its running sum.
class SGD : public Optimizer {
public:
    explicit SGD(std::vector<Tensor> parameters, double lr = 1e-3, double momentum = 0, double dampening = 0,
                 double weight_decay = 0, bool nesterov = false)
        : Optimizer(std::move(parameters), lr, weight_decay, "SGD"),
          momentum_(momentum),
          dampening_(dampening),
          nesterov_(nesterov),
          sums_(parameters_.size()) {
        if (momentum < 0) fail("SGD: momentum must not be negative, got ", momentum);
        if (nesterov && (momentum <= 0 || dampening != 0)) fail("SGD: Nesterov momentum requires a momentum and zero dampening");
    }

protected:
    void update(std::size_t i, const Tensor& p, const Tensor& g) override {
        if (momentum_ == 0) return elementwise_to({p}, "sgd_step", {p, g}, {lr, weight_decay_, 1});
        const bool first = !sums_[i].defined();
        if (first) sums_[i] = zeros_like(p);
        elementwise_to({p, sums_[i]}, "sgd_momentum_step", {p, g, sums_[i]},
                       {lr, momentum_, first ? 0 : momentum_, first ? 1 : 1 - dampening_, weight_decay_, nesterov_ ? 1.0 : 0.0, 1});
    }

private:
    double momentum_, dampening_;
    bool nesterov_;
    std::vector<Tensor> sums_;
};

/// p -= lr * m' / (sqrt(v') + eps), with bias-corrected running means m' of g and v' of g squared (Kingma and Ba 2015).
class Adam : public Optimizer {
public:
    explicit Adam(std::vector<Tensor> parameters, double lr = 1e-3, std::pair<double, double> betas = {0.9, 0.999},
                  double eps = 1e-8, double weight_decay = 0)
        : Adam(std::move(parameters), lr, betas, eps, weight_decay, false, "Adam") {}

protected:
    Adam(std::vector<Tensor> parameters, double lr, std::pair<double, double> betas, double eps, double weight_decay,
         bool decoupled, const char* call)
        : Optimizer(std::move(parameters), lr, weight_decay, call),
          betas_(betas),
          eps_(eps),
          decoupled_(decoupled),
          states_(parameters_.size()) {
        if (!(betas.first >= 0 && betas.first < 1 && betas.second >= 0 && betas.second < 1))
            fail(call, ": betas must be in [0, 1), got ", betas.first, " and ", betas.second);
    }

    void update(std::size_t i, const Tensor& p, const Tensor& g) override {
        State& state = states_[i];
        if (!state.steps++) {
            state.m = zeros_like(p);
            state.v = zeros_like(p);
        }
        const auto [b1, b2] = betas_;
        elementwise_to({p, state.m, state.v}, "adam_step", {p, g, state.m, state.v},
                       {1 - b1, b2, 1 - b2, eps_, lr / (1 - std::pow(b1, state.steps)), std::sqrt(1 - std::pow(b2, state.steps)),
                        decoupled_ ? 0 : weight_decay_, decoupled_ ? 1 - lr * weight_decay_ : 1, 1});
    }

private:
    struct State {
        std::int64_t steps = 0;
        Tensor m, v;
    };
    std::pair<double, double> betas_;
    double eps_;
    bool decoupled_;
    std::vector<State> states_;
};

/// Adam with decoupled weight decay (Loshchilov and Hutter 2019).
class AdamW : public Adam {
public:
    explicit AdamW(std::vector<Tensor> parameters, double lr = 1e-3, std::pair<double, double> betas = {0.9, 0.999},
                   double eps = 1e-8, double weight_decay = 1e-2)
        : Adam(std::move(parameters), lr, betas, eps, weight_decay, true, "AdamW") {}
};

/// The learning rate falls from its first value to eta_min along half a cosine, in T_max steps.
class CosineAnnealingLR {
public:
    CosineAnnealingLR(Optimizer& optimizer, std::int64_t T_max, double eta_min = 0)
        : optimizer_(optimizer), first_(optimizer.lr), steps_(T_max), least_(eta_min) {
        if (T_max < 1) fail("CosineAnnealingLR: T_max must be >= 1, got ", T_max);
    }

    void step() {
        at_++;
        optimizer_.lr = least_ + (first_ - least_) *
                                     (1 + std::cos(std::acos(-1.0) * static_cast<double>(at_) / static_cast<double>(steps_))) / 2;
    }

private:
    Optimizer& optimizer_;
    double first_;
    std::int64_t steps_, at_ = 0;
    double least_;
};

}  // namespace ct::optim
