// Arrays: dense values in host memory with a dtype and a shape; .npy files of them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <string>
#include <type_traits>
#include <vector>

#include "error.hpp"

namespace ct::player {

using Shape = std::vector<std::int64_t>;

/// A dtype: its name, as in Python, its code in safetensors, its code in .npy files ("" where those have none), its bytes.
struct DType {
    const char* name;
    const char* code;
    const char* npy;
    std::size_t size;
};

/// The DType of a name; null for an unknown one.
inline const DType* dtype_named(const std::string& name) {
    static constexpr DType all[] = {
        {"bool", "BOOL", "|b1", 1}, {"uint8", "U8", "|u1", 1}, {"int8", "I8", "|i1", 1}, {"int16", "I16", "<i2", 2}, {"uint16", "U16", "<u2", 2},
        {"int32", "I32", "<i4", 4}, {"uint32", "U32", "<u4", 4}, {"int64", "I64", "<i8", 8}, {"uint64", "U64", "<u8", 8},
        {"float16", "F16", "<f2", 2}, {"bfloat16", "BF16", "", 2}, {"float32", "F32", "<f4", 4}, {"float64", "F64", "<f8", 8},
        {"complex32", "C32", "", 4}, {"complex64", "C64", "<c8", 8}, {"complex128", "C128", "<c16", 16}};
    for (const DType& d : all)
        if (name == d.name || name == d.code || (*d.npy && name == d.npy)) return &d;
    return nullptr;
}

/// The dtype's name of a C++ type.
template <class T>
constexpr const char* dtype_of() {
    if constexpr (std::is_same_v<T, bool>) return "bool";
    else if constexpr (std::is_floating_point_v<T>) return sizeof(T) == 4 ? "float32" : "float64";
    else if constexpr (std::is_unsigned_v<T>) return sizeof(T) == 1 ? "uint8" : sizeof(T) == 2 ? "uint16" : sizeof(T) == 4 ? "uint32" : "uint64";
    else return sizeof(T) == 1 ? "int8" : sizeof(T) == 2 ? "int16" : sizeof(T) == 4 ? "int32" : "int64";
}

inline std::string shown(const Shape& shape) {
    std::string out = "[";
    for (std::size_t k = 0; k < shape.size(); k++) out += (k ? ", " : "") + std::to_string(shape[k]);
    return out + "]";
}

/// The product of sizes; throws where it is more than 2^58.
inline std::int64_t product(const Shape& shape) {
    std::int64_t count = 1;
    for (const std::int64_t n : shape)
        if (n == 0) return 0;
    for (const std::int64_t n : shape) {
        if (n < 0 || n > (std::int64_t{1} << 58) / count) fail("the shape ", shown(shape), " is larger than any that can be made");
        count *= n;
    }
    return count;
}

/// Throw unless a tensor of these sizes and strides lies in so many bytes.
inline void inside(const Shape& shape, const Shape& strides, std::int64_t offset, std::size_t item, std::uint64_t bytes, const std::string& name) {
    if (shape.size() != strides.size() || shape.size() > 64) fail("'", name.substr(0, 80), "' has as many strides as dimensions, or is damaged");
    product(shape);
    double last = static_cast<double>(offset);
    std::uint64_t exact = static_cast<std::uint64_t>(offset);
    for (std::size_t k = 0; k < shape.size(); k++) {
        if (shape[k] == 0) return;
        last += static_cast<double>(shape[k] - 1) * static_cast<double>(strides[k]);
        exact += static_cast<std::uint64_t>(shape[k] - 1) * static_cast<std::uint64_t>(strides[k]);
    }
    if (last > 4e18 || (exact + 1) > bytes / item) fail("'", name.substr(0, 80), "' does not lie in its memory");
}

/// Call visit(position row by row, position by strides) for each element.
template <class Visit>
void each(const Shape& shape, const Shape& strides, std::int64_t offset, const Visit& visit) {
    const std::int64_t total = product(shape);
    Shape at(shape.size(), 0);
    std::int64_t to = offset;
    for (std::int64_t from = 0; from < total; from++) {
        visit(static_cast<std::size_t>(from), static_cast<std::size_t>(to));
        for (std::size_t d = shape.size(); d--;) {
            to += strides[d];
            if (++at[d] < shape[d]) break;
            to -= strides[d] * shape[d];
            at[d] = 0;
        }
    }
}

/// Values in host memory, row by row.
struct Array {
    std::string dtype = "float32";
    Shape shape;
    std::vector<unsigned char> bytes;

    Array() = default;
    /// Zeros.
    Array(std::string type, Shape sizes) : dtype(std::move(type)), shape(std::move(sizes)) {
        const DType* d = dtype_named(dtype);
        if (!d) fail("there is no dtype '", dtype, "'");
        bytes.resize(static_cast<std::size_t>(product(shape)) * d->size);
    }
    /// The values of a vector.
    template <class T>
    Array(Shape sizes, const std::vector<T>& values) : Array(dtype_of<T>(), std::move(sizes)) {
        if (values.size() * sizeof(T) != bytes.size()) fail(values.size(), " values do not fill the shape ", shown(shape));
        std::memcpy(bytes.data(), values.data(), bytes.size());
    }

    std::int64_t size() const { return product(shape); }

    /// The values, of the type that the dtype says.
    template <class T>
    const T* data() const {
        if (dtype != dtype_of<T>()) fail("the array has dtype ", dtype, ", not ", dtype_of<T>());
        return reinterpret_cast<const T*>(bytes.data());
    }
    template <class T>
    T* data() {
        return const_cast<T*>(static_cast<const Array*>(this)->data<T>());
    }
};

/// The array in a .npy file, of version 1 or 2, in C order.
inline Array read_npy(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) fail(path, ": there is no such file, or it cannot be read");
    unsigned char start[12] = {};
    file.read(reinterpret_cast<char*>(start), 10);
    if (file.gcount() != 10 || std::memcmp(start, "\x93NUMPY", 6) != 0) fail(path, ": this is no .npy file");
    std::size_t length = start[8] + 256u * start[9];
    if (start[6] > 1) {
        file.read(reinterpret_cast<char*>(start + 10), 2);
        length += (static_cast<std::size_t>(start[10]) << 16) + (static_cast<std::size_t>(start[11]) << 24);
    }
    if (length > 65536) fail(path, ": its header is longer than any that is needed");
    std::string header(length, '\0');
    file.read(header.data(), static_cast<std::streamsize>(length));
    const auto value = [&](const char* key) {
        const std::size_t at = header.find(key);
        if (!file || at == std::string::npos) fail(path, ": its header is damaged");
        return header.substr(header.find(':', at) + 1);
    };
    std::string type = value("'descr'");
    const std::size_t quote = type.find('\'');
    type = quote == std::string::npos ? "" : type.substr(quote + 1, type.find('\'', quote + 1) - quote - 1);
    if (type.size() > 1 && type[0] == '=') type[0] = '<';
    const DType* dtype = dtype_named(type);
    if (!dtype || type != dtype->npy) fail(path, ": its dtype is '", type, "', which is none that programs have");
    const std::string order = value("'fortran_order'");
    if (order.substr(0, 6).find("False") == std::string::npos) fail(path, ": it is in Fortran order; write it with numpy.ascontiguousarray");
    const std::string sizes = value("'shape'");
    const std::size_t open = sizes.find('('), close = sizes.find(')');
    if (open == std::string::npos || close == std::string::npos || close < open) fail(path, ": its header is damaged");
    Shape shape;
    for (std::size_t k = open + 1; k < close;) {
        if (!std::isdigit(static_cast<unsigned char>(sizes[k]))) {
            k++;
            continue;
        }
        std::size_t used = 0;
        const std::string number = sizes.substr(k, std::min<std::size_t>(close - k, 18));
        shape.push_back(std::stoll(number, &used));
        k += used;
    }
    if (shape.size() > 64) fail(path, ": it has more than 64 dimensions");
    const std::size_t wanted = static_cast<std::size_t>(product(shape)) * dtype->size;
    const auto here = file.tellg();
    file.seekg(0, std::ios::end);
    if (!file || static_cast<std::size_t>(file.tellg() - here) < wanted) fail(path, ": it is cut short");
    file.seekg(here);
    Array made(dtype->name, shape);
    file.read(reinterpret_cast<char*>(made.bytes.data()), static_cast<std::streamsize>(wanted));
    return made;
}

/// Write an array as a .npy file.
inline void write_npy(const std::string& path, const Array& array) {
    const DType* dtype = dtype_named(array.dtype);
    if (!dtype || !*dtype->npy) fail(path, ": .npy files have no dtype ", array.dtype);
    std::string sizes = "(";
    for (const std::int64_t n : array.shape) sizes += std::to_string(n) + ", ";
    if (array.shape.size() > 1) sizes.resize(sizes.size() - 2);
    else if (array.shape.size() == 1) sizes.pop_back();
    std::string header = std::string("{'descr': '") + dtype->npy + "', 'fortran_order': False, 'shape': " + sizes + "), }";
    header += std::string(63 - (10 + header.size()) % 64, ' ') + "\n";
    std::ofstream file(path, std::ios::binary);
    const unsigned char start[10] = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, static_cast<unsigned char>(header.size()), static_cast<unsigned char>(header.size() >> 8)};
    file.write(reinterpret_cast<const char*>(start), 10);
    file.write(header.data(), static_cast<std::streamsize>(header.size()));
    file.write(reinterpret_cast<const char*>(array.bytes.data()), static_cast<std::streamsize>(array.bytes.size()));
    if (!file.flush()) fail(path, ": it cannot be written");
}

}  // namespace ct::player
