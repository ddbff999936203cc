// What the tests of the front end share: comparison with numbers, gradients by finite differences, and Python's references.
#pragma once

#include <doctest/doctest.h>
#include <cltensor/cltensor.hpp>

#include <cmath>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace checks {

using ct::Shape;
using ct::Tensor;

/// The largest difference, relative to the larger of 1 and the largest number; infinite for other shapes; NaN equals NaN.
inline double difference(const std::vector<double>& a, const std::vector<double>& b) {
    if (a.size() != b.size()) return INFINITY;
    double worst = 0, largest = 1;
    for (const double x : b)
        if (std::isfinite(x)) largest = std::max(largest, std::fabs(x));
    for (std::size_t i = 0; i < a.size(); i++) {
        if ((std::isnan(a[i]) && std::isnan(b[i])) || a[i] == b[i]) continue;
        const double d = std::fabs(a[i] - b[i]);
        worst = std::isnan(d) ? INFINITY : std::max(worst, d);
    }
    return worst / largest;
}

inline bool close(const Tensor& x, const std::vector<double>& wanted, double allowed = 1e-5) {
    return difference(x.to_vector<double>(), wanted) <= allowed;
}

inline bool close(const Tensor& x, const Tensor& wanted, double allowed = 1e-5) {
    return x.shape() == wanted.shape() && close(x, wanted.to_vector<double>(), allowed);
}

/// The message of the Error that a call throws; "" if it throws none.
inline std::string error_of(const std::function<void()>& call) {
    try {
        call();
    } catch (const ct::Error& e) {
        return e.what();
    }
    return "";
}

inline bool has(const std::string& message, const std::string& part) { return message.find(part) != std::string::npos; }

/// The largest difference between the gradients of the results' weighted sum and finite differences, over float64 inputs.
inline double gradient_error(const std::function<std::vector<Tensor>(const std::vector<Tensor>&)>& f, std::vector<Tensor> inputs) {
    std::vector<std::vector<double>> weights;
    const auto total = [&](const std::vector<Tensor>& xs) {
        Tensor sum;
        const std::vector<Tensor> results = f(xs);
        for (std::size_t k = 0; k < results.size(); k++) {
            if (!ct::is_floating_point(results[k].dtype())) continue;
            if (weights.size() <= k) weights.resize(k + 1);
            for (std::int64_t i = static_cast<std::int64_t>(weights[k].size()); i < results[k].numel(); i++)
                weights[k].push_back(std::sin(1.7 * static_cast<double>(i) + static_cast<double>(k)) + 0.3);
            const Tensor part = (results[k] * ct::tensor(weights[k], results[k].shape())).sum();
            sum = sum.defined() ? sum + part : part;
        }
        return sum;
    };
    for (Tensor& x : inputs)
        if (ct::is_floating_point(x.dtype())) x = x.detach().clone().requires_grad_();
    total(inputs).backward();
    double worst = 0;
    for (std::size_t k = 0; k < inputs.size(); k++) {
        if (!inputs[k].requires_grad()) continue;
        const ct::NoGrad off;
        const std::vector<double> at = inputs[k].to_vector<double>();
        std::vector<double> slopes(at.size());
        const double h = 1e-6;
        for (std::size_t i = 0; i < at.size(); i++) {
            std::vector<Tensor> moved = inputs;
            double ends[2];
            for (const int side : {0, 1}) {
                std::vector<double> near = at;
                near[i] += side ? h : -h;
                moved[k] = ct::tensor(near, inputs[k].shape());
                ends[side] = total(moved).item();
            }
            slopes[i] = (ends[1] - ends[0]) / (2 * h);
        }
        const Tensor g = inputs[k].grad();
        worst = std::max(worst, difference(g.defined() ? g.to_vector<double>() : std::vector<double>(at.size(), 0), slopes));
    }
    return worst;
}

inline double gradient_error(const std::function<Tensor(const std::vector<Tensor>&)>& f, const std::vector<Tensor>& inputs) {
    return gradient_error([&](const std::vector<Tensor>& xs) { return std::vector<Tensor>{f(xs)}; }, inputs);
}

/// float64 numbers in shape, all different, from low to high.
inline Tensor numbers(const Shape& shape, double low = -1, double high = 1, int seed = 0) {
    std::vector<double> values(static_cast<std::size_t>(ct::product(shape)));
    for (std::size_t i = 0; i < values.size(); i++) {
        const double x = std::sin(12.9898 * static_cast<double>(i + 1) + 78.233 * seed) * 43758.5453;
        values[i] = low + (high - low) * (x - std::floor(x));
    }
    return ct::tensor(values, shape);
}

/// The folder with what Python wrote; "" where the program runs alone.
inline std::string folder() { return ct::detail::setting("CT_REFERENCES"); }

/// Python's references: tensors by name.
inline const std::map<std::string, Tensor>& references() {
    static const std::map<std::string, Tensor> all = [] {
        const ct::StateDict found = ct::load(folder() + "/references.safetensors");
        return std::map<std::string, Tensor>(found.begin(), found.end());
    }();
    return all;
}

inline const Tensor& reference(const std::string& name) {
    const auto found = references().find(name);
    if (found == references().end()) ct::fail("there is no reference ", name);
    return found->second;
}

}  // namespace checks
