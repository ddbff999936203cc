// Dtypes: what the elements of a tensor are, under Python's names.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>

#include "error.hpp"

namespace ct {

enum class DType { bool_, uint8, int8, int16, int32, int64, float16, bfloat16, float32, float64 };

/// How numbers are promoted: truth values give way to whole numbers, and these to floating ones.
enum class Category { truth, whole, floating };

namespace detail {

struct DTypeFacts {
    const char* name;
    std::size_t size;
    Category category;
    const char* safetensors;
};

inline const std::array<DTypeFacts, 10>& dtype_facts() {
    static const std::array<DTypeFacts, 10> facts{{{"bool", 1, Category::truth, "BOOL"},
                                                   {"uint8", 1, Category::whole, "U8"},
                                                   {"int8", 1, Category::whole, "I8"},
                                                   {"int16", 2, Category::whole, "I16"},
                                                   {"int32", 4, Category::whole, "I32"},
                                                   {"int64", 8, Category::whole, "I64"},
                                                   {"float16", 2, Category::floating, "F16"},
                                                   {"bfloat16", 2, Category::floating, "BF16"},
                                                   {"float32", 4, Category::floating, "F32"},
                                                   {"float64", 8, Category::floating, "F64"}}};
    return facts;
}

inline const DTypeFacts& facts(DType d) { return dtype_facts()[static_cast<std::size_t>(d)]; }

}  // namespace detail

inline std::string name(DType d) { return detail::facts(d).name; }
inline std::size_t item_size(DType d) { return detail::facts(d).size; }
inline Category category(DType d) { return detail::facts(d).category; }
inline bool is_floating_point(DType d) { return category(d) == Category::floating; }
inline std::ostream& operator<<(std::ostream& out, DType d) { return out << name(d); }

/// The dtype of this name.
inline DType dtype_of(const std::string& wanted) {
    for (std::size_t i = 0; i < detail::dtype_facts().size(); i++)
        if (wanted == detail::dtype_facts()[i].name) return static_cast<DType>(i);
    fail("dtype_of: there is no dtype '", wanted,
         "'; there are bool, uint8, int8, int16, int32, int64, float16, bfloat16, "
         "float32 and float64");
}

/// The dtype that holds a C++ type.
template <class T>
constexpr DType dtype_for();
template <>
constexpr DType dtype_for<bool>() {
    return DType::bool_;
}
template <>
constexpr DType dtype_for<std::uint8_t>() {
    return DType::uint8;
}
template <>
constexpr DType dtype_for<std::int8_t>() {
    return DType::int8;
}
template <>
constexpr DType dtype_for<std::int16_t>() {
    return DType::int16;
}
template <>
constexpr DType dtype_for<std::int32_t>() {
    return DType::int32;
}
template <>
constexpr DType dtype_for<std::int64_t>() {
    return DType::int64;
}
template <>
constexpr DType dtype_for<float>() {
    return DType::float32;
}
template <>
constexpr DType dtype_for<double>() {
    return DType::float64;
}

}  // namespace ct
