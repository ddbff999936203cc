// Shapes and strides: arithmetic on how elements lie in memory.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include "error.hpp"

namespace ct {

/// Sizes or strides of dimensions, outermost first; strides count elements.
using Shape = std::vector<std::int64_t>;

inline std::int64_t product(const Shape& sizes) {
    return std::accumulate(sizes.begin(), sizes.end(), std::int64_t{1}, std::multiplies<>());
}

inline std::string shown(const Shape& shape) {
    std::string out = "[";
    for (std::size_t i = 0; i < shape.size(); i++) out += (i ? ", " : "") + std::to_string(shape[i]);
    return out + "]";
}

inline Shape dense_strides(const Shape& shape) {
    Shape strides(shape.size());
    std::int64_t step = 1;
    for (std::size_t i = shape.size(); i-- > 0;) {
        strides[i] = step;
        step *= std::max<std::int64_t>(shape[i], 1);
    }
    return strides;
}

inline bool is_dense(const Shape& shape, const Shape& strides) {
    std::int64_t step = 1;
    for (std::size_t i = shape.size(); i-- > 0;) {
        if (shape[i] == 0) return true;
        if (shape[i] != 1 && strides[i] != step) return false;
        step *= shape[i];
    }
    return true;
}

/// A dimension as 0 .. rank - 1; negative ones count from the end.
inline std::int64_t wrapped(std::int64_t dim, std::int64_t rank, const char* call) {
    const std::int64_t most = std::max<std::int64_t>(rank, 1);
    if (dim < -most || dim >= most)
        fail(call, ": dimension ", dim, " is out of range for ", rank, " dimensions; use one from ", -most, " to ", most - 1);
    return dim < 0 ? dim + most : dim;
}

inline Shape broadcast(const Shape& a, const Shape& b, const std::string& call) {
    Shape out(std::max(a.size(), b.size()));
    for (std::size_t i = 0; i < out.size(); i++) {
        const std::int64_t x = i < a.size() ? a[a.size() - 1 - i] : 1, y = i < b.size() ? b[b.size() - 1 - i] : 1;
        if (x != y && x != 1 && y != 1)
            fail(call, ": shapes ", shown(a), " and ", shown(b),
                 " do not broadcast: aligned at the last dimension, sizes must be "
                 "equal or 1; reshape or unsqueeze one");
        out[out.size() - 1 - i] = x == 1 ? y : x;
    }
    return out;
}

/// Strides of a tensor seen in a shape it broadcasts to.
inline Shape broadcast_strides(const Shape& shape, const Shape& strides, const Shape& to) {
    Shape out(to.size(), 0);
    const std::size_t lead = to.size() - shape.size();
    for (std::size_t i = 0; i < shape.size(); i++)
        if (shape[i] != 1 || to[lead + i] == 1) out[lead + i] = shape[i] == 1 ? 0 : strides[i];
    return out;
}

/// Dimensions in which neighbours were merged where all operands allow it, and the operands' strides along them.
struct Merged {
    Shape sizes;
    std::vector<Shape> strides;

    /// Put dimensions of size 1 in front until there are `rank`.  Fails where there are more.
    void pad(std::size_t rank, const std::string& call) {
        if (sizes.size() > rank)
            fail(call, ": operands that lie in memory in ", sizes.size(), " separate dimensions; kernels have ", rank,
                 "; make them contiguous() first");
        const std::size_t missing = rank - sizes.size();
        sizes.insert(sizes.begin(), missing, 1);
        for (Shape& each : strides) each.insert(each.begin(), missing, 0);
    }
};

inline Merged merged(const Shape& shape, const std::vector<Shape>& operands) {
    Merged out;
    out.strides.resize(operands.size());
    for (std::size_t i = 0; i < shape.size(); i++) {
        if (shape[i] == 1) continue;
        bool joins = !out.sizes.empty();
        for (std::size_t k = 0; joins && k < operands.size(); k++) joins = out.strides[k].back() == operands[k][i] * shape[i];
        if (joins)
            out.sizes.back() *= shape[i];
        else
            out.sizes.push_back(shape[i]);
        for (std::size_t k = 0; k < operands.size(); k++) {
            if (joins)
                out.strides[k].back() = operands[k][i];
            else
                out.strides[k].push_back(operands[k][i]);
        }
    }
    return out;
}

}  // namespace ct
