// Printing: tensors as Python shows them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ostream>
#include <string>
#include <vector>

#include "pooling.hpp"

namespace ct {

namespace detail {

constexpr std::int64_t kThreshold = 1000, kEdge = 3;  // larger tensors are summarised by so many elements at each end
constexpr std::size_t kLine = 80;

/// The numbers of a tensor as text, aligned.
class Table {
public:
    Table(const Tensor& x) : x_(x), short_(x.numel() > kThreshold) {
        values_ = x.detach().to_vector<double>();
        for (const double v : values_) choose(v);
        for (const double v : values_) width_ = std::max(width_, one(v).size());
    }

    std::string all() const { return x_.dim() ? part(0, 0, 7) : one(values_[0]); }

private:
    const Tensor& x_;
    bool short_, whole_ = true, scientific_ = false;
    double largest_ = 0, smallest_ = INFINITY;
    std::vector<double> values_;
    std::size_t width_ = 0;

    void choose(double v) {
        if (!std::isfinite(v)) return;
        const double size = std::fabs(v);
        whole_ = whole_ && v == std::nearbyint(v);
        if (size > 0) smallest_ = std::min(smallest_, size);
        largest_ = std::max(largest_, size);
        scientific_ = largest_ > 1e8 || (smallest_ < INFINITY && (largest_ / smallest_ > 1e3 || smallest_ < 1e-4) && !whole_);
    }

    std::string one(double v) const {
        if (x_.dtype() == DType::bool_) return v != 0 ? "True" : "False";
        if (std::isnan(v)) return "nan";
        if (std::isinf(v)) return v < 0 ? "-inf" : "inf";
        char out[64];
        if (!is_floating_point(x_.dtype()))
            std::snprintf(out, sizeof out, "%.0f", v);
        else
            std::snprintf(out, sizeof out, scientific_ ? "%.4e" : whole_ ? "%.0f." : "%.4f", v);
        return out;
    }

    std::string part(std::size_t d, std::int64_t start, std::size_t indent) const {
        const std::int64_t n = x_.shape()[d];
        std::int64_t below = 1;
        for (std::size_t i = d + 1; i < x_.shape().size(); i++) below *= x_.shape()[i];
        const bool last = d + 1 == x_.shape().size(), cut = short_ && n > 2 * kEdge;
        std::string out = "[", line;
        for (std::int64_t i = 0; i < n; i++) {
            std::string next;
            if (cut && i == kEdge) {
                next = last ? " ..." : "...";
                i = n - kEdge - 1;
            } else if (last) {
                next = one(values_[static_cast<std::size_t>(start + i)]);
                next.insert(0, width_ - std::min(width_, next.size()), ' ');
            } else
                next = part(d + 1, start + i * below, indent + 1);
            const bool end = i + 1 == n;
            if (!last) {
                out += next + (end ? "" : "," + std::string(x_.shape().size() - d - 1, '\n') + std::string(indent + 1, ' '));
                continue;
            }
            if (!line.empty() && indent + line.size() + next.size() + 2 > kLine) {
                out += line + "\n" + std::string(indent + 1, ' ');
                line.clear();
            } else if (!line.empty())
                line += " ";
            line += next + (end ? "" : ",");
        }
        return out + line + "]";
    }
};

}  // namespace detail

inline std::string to_string(const Tensor& x) {
    if (!x.defined()) return "tensor(undefined)";
    std::string out = "tensor(" + (x.numel() ? detail::Table(x).all() : "[]");
    const bool usual = x.dtype() == DType::float32 || x.dtype() == DType::int64 || x.dtype() == DType::bool_;
    if (!x.numel() && x.dim() != 1) {
        out += ", size=(";
        for (std::size_t i = 0; i < x.shape().size(); i++) out += (i ? ", " : "") + std::to_string(x.shape()[i]);
        out += ")";
    }
    if (!usual || (!x.numel() && x.dtype() != DType::float32)) out += ", dtype=cltensor." + name(x.dtype());
    if (x.body()->history)
        out += ", grad_fn=<" + x.body()->history->name + ">";
    else if (x.requires_grad())
        out += ", requires_grad=True";
    return out + ")";
}

inline std::ostream& operator<<(std::ostream& out, const Tensor& x) { return out << to_string(x); }

}  // namespace ct
