// Random numbers: the stream of a seed is Python's, number for number.
#pragma once

#include <cmath>
#include <random>

#include "indexing.hpp"

namespace ct {

/// A stream of random numbers: a seed, and how many were drawn.
class Generator {
public:
    void manual_seed(std::uint64_t seed) {
        seed_ = seed;
        offset_ = 0;
    }
    std::uint64_t initial_seed() const { return seed_; }

    /// (seed, number of the first) of the next n numbers.
    std::pair<std::int64_t, std::int64_t> advance(std::int64_t n) {
        const std::uint64_t first = offset_;
        offset_ += static_cast<std::uint64_t>(n);
        return {static_cast<std::int64_t>(seed_), static_cast<std::int64_t>(first)};
    }

private:
    std::uint64_t seed_ = (static_cast<std::uint64_t>(std::random_device{}()) << 32) | std::random_device{}(), offset_ = 0;
};

inline Generator& default_generator() {
    static Generator one;
    return one;
}

inline void manual_seed(std::uint64_t seed) { default_generator().manual_seed(seed); }

namespace detail {

/// Fill a contiguous tensor with numbers of a distribution of the pack.
inline Tensor draw(const Tensor& out, const char* distribution, double a, double b) {
    check_writable(out, {}, distribution);
    if (!out.numel()) return out;
    const auto [seed, offset] = default_generator().advance(out.numel());
    Launch(runtime().key(std::string("random/") + distribution, name(out.dtype())))
        .buffer("out_p", out.memory(), out.offset())
        .number("seed", seed)
        .number("offset", offset)
        .number("a", a)
        .number("b", b)
        .number("n", out.numel())
        .run();
    written(out);
    return out;
}

}  // namespace detail

/// Uniform in [0, 1).
inline Tensor rand(const Shape& shape, DType dtype = DType::float32) { return detail::draw(empty(shape, dtype), "uniform", 0, 1); }
/// Normal, of mean 0 and variance 1.
inline Tensor randn(const Shape& shape, DType dtype = DType::float32) { return detail::draw(empty(shape, dtype), "normal", 0, 1); }
/// Whole numbers in [low, high).
inline Tensor randint(std::int64_t low, std::int64_t high, const Shape& shape) {
    if (high <= low) fail("randint: high must be larger than low, got ", low, " and ", high);
    return detail::draw(empty(shape, DType::int64), "integers", static_cast<double>(low), static_cast<double>(high));
}

namespace detail {

inline Tensor run_dropout(const Tensor& x, double p, std::int64_t seed, std::int64_t offset) {
    const Tensor dense = x.contiguous();
    Tensor out = empty(x.shape(), x.dtype());
    if (!out.numel()) return out;
    Launch(runtime().key("dropout", name(x.dtype())))
        .buffer("x_p", dense.memory(), dense.offset())
        .buffer("out_p", out.memory())
        .number("seed", seed)
        .number("offset", offset)
        .number("a", p < 1 ? p : INFINITY)
        .number("b", p < 1 ? 1 / (1 - p) : 0.0)
        .number("n", out.numel())
        .run();
    return out;
}

}  // namespace detail

/// Elements times 1 / (1 - p), or 0 with probability p; the gradient draws the same numbers again.
inline Tensor dropout(const Tensor& x, double p = 0.5, bool training = true) {
    if (!(p >= 0 && p <= 1)) fail("dropout: p is a probability from 0 to 1, got ", p);
    if (!training || p == 0) return x;
    const auto [seed, offset] = default_generator().advance(x.numel());
    const Tensor y = detail::run_dropout(x, p, seed, offset);
    if (wants_history({x}))
        record("dropout", {x}, {y}, [p, seed = seed, offset = offset](const std::vector<Tensor>& gs, const std::vector<bool>&) {
            return std::vector<Tensor>{detail::run_dropout(gs[0], p, seed, offset)};
        });
    return y;
}

}  // namespace ct
