// Tensor: shape, strides and dtype over memory of the device; reading, writing and making them.
#pragma once

#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "dtype.hpp"
#include "error.hpp"
#include "runtime.hpp"
#include "shape.hpp"

namespace ct {

struct Node;
struct Operand;
class Tensor;

/// Memory that tensors share, and how often it was written to.
struct Storage {
    std::shared_ptr<Memory> memory;
    std::uint64_t version = 0;
};

/// What the copies of a Tensor share.
struct TensorBody {
    std::shared_ptr<Storage> storage;
    Shape shape, strides;
    std::int64_t offset = 0;  // of the first element, in elements
    DType dtype = DType::float32;
    bool requires_grad = false;
    std::shared_ptr<Node> history;  // what computed it; none for a leaf
    std::size_t result = 0;         // which of its results this is
    std::shared_ptr<TensorBody> grad;
};

/// A part of a dimension: from start up to stop, step apart.  Left out: from the beginning, to the end.
struct Slice {
    std::optional<std::int64_t> start = {}, stop = {};
    std::int64_t step = 1;
};

/// What an index is made of: a number, a Slice, or `ct::newaxis`.
struct NewAxis {};
inline constexpr NewAxis newaxis{};
struct Index {
    enum class Kind { number, slice, newaxis } kind;
    std::int64_t number = 0;
    Slice slice = {};
    Index(int at) : kind(Kind::number), number(at) {}
    Index(std::int64_t at) : kind(Kind::number), number(at) {}
    Index(Slice part) : kind(Kind::slice), slice(part) {}
    Index(NewAxis) : kind(Kind::newaxis) {}
};

/// A tensor on the device, as in Python: copies share memory and history.
class Tensor {
public:
    Tensor() = default;
    explicit Tensor(std::shared_ptr<TensorBody> body) : body_(std::move(body)) {}

    bool defined() const { return body_ != nullptr; }
    const std::shared_ptr<TensorBody>& body() const { return body_; }

    // --- what it is ---
    const Shape& shape() const { return whole("shape").shape; }
    const Shape& strides() const { return whole("strides").strides; }
    std::int64_t offset() const { return whole("offset").offset; }
    DType dtype() const { return whole("dtype").dtype; }
    std::int64_t dim() const { return static_cast<std::int64_t>(shape().size()); }
    std::int64_t numel() const { return product(shape()); }
    std::int64_t size(std::int64_t d) const { return shape()[static_cast<std::size_t>(wrapped(d, dim(), "size"))]; }
    bool is_contiguous() const { return is_dense(shape(), strides()); }
    const Memory& memory() const { return *whole("memory").storage->memory; }

    // --- gradients ---
    bool requires_grad() const { return defined() && body_->requires_grad; }
    Tensor& requires_grad_(bool wanted = true);
    bool is_leaf() const { return !whole("is_leaf").history; }
    Tensor grad() const { return Tensor(whole("grad").grad); }
    void set_grad(const Tensor& g) const { whole("set_grad").grad = g.body_; }
    /// Gradients of this tensor, of one element unless `gradient` is given, by all leaves that require grad; added to their grad().
    void backward(const Tensor& gradient = {}, bool retain_graph = false) const;
    Tensor detach() const;

    // --- values on the host ---
    /// All elements in row-major order.
    template <class T>
    std::vector<T> to_vector() const;
    /// The value of a tensor of one element.
    template <class T = double>
    T item() const;
    /// Write all elements, in row-major order.
    template <class T>
    Tensor& copy_from(const std::vector<T>& values);
    /// The elements' bytes, in row-major order.
    std::vector<unsigned char> to_bytes() const;

    // --- copies ---
    Tensor clone() const;
    Tensor contiguous() const;
    Tensor to(DType wanted) const;

    // --- views ---
    Tensor reshape(Shape wanted) const;
    Tensor view(Shape wanted) const;
    Tensor flatten(std::int64_t start = 0, std::int64_t end = -1) const;
    Tensor permute(const Shape& dims) const;
    Tensor transpose(std::int64_t a, std::int64_t b) const;
    Tensor t() const { return dim() < 2 ? *this : transpose(0, 1); }
    Tensor squeeze(std::int64_t d) const;
    Tensor squeeze() const;
    Tensor unsqueeze(std::int64_t d) const;
    Tensor expand(const Shape& wanted) const;
    Tensor slice(std::int64_t d, Slice part) const;
    Tensor narrow(std::int64_t d, std::int64_t start, std::int64_t length) const;
    Tensor select(std::int64_t d, std::int64_t at) const;
    Tensor operator[](std::int64_t at) const { return select(0, at); }
    Tensor operator[](const Tensor& at) const;
    Tensor index(const std::vector<Index>& at) const;
    std::vector<Tensor> split(std::int64_t size, std::int64_t d = 0) const;
    std::vector<Tensor> chunk(std::int64_t count, std::int64_t d = 0) const;

    // --- writes ---
    Tensor& copy_(const Tensor& from);
    Tensor& fill_(double value);
    Tensor& zero_() { return fill_(0); }
    Tensor& operator+=(const Tensor& other);
    Tensor& operator-=(const Tensor& other);
    Tensor& operator*=(const Tensor& other);
    Tensor& operator/=(const Tensor& other);
    Tensor& operator+=(double other);
    Tensor& operator-=(double other);
    Tensor& operator*=(double other);
    Tensor& operator/=(double other);

    // --- reductions: over all dimensions, or some ---
    Tensor sum(const Shape& dims = {}, bool keepdim = false) const;
    Tensor mean(const Shape& dims = {}, bool keepdim = false) const;
    Tensor var(const Shape& dims = {}, double correction = 1, bool keepdim = false) const;
    Tensor std(const Shape& dims = {}, double correction = 1, bool keepdim = false) const;
    Tensor prod(const Shape& dims = {}, bool keepdim = false) const;
    Tensor amax(const Shape& dims = {}, bool keepdim = false) const;
    Tensor amin(const Shape& dims = {}, bool keepdim = false) const;
    Tensor max() const { return amax(); }
    Tensor min() const { return amin(); }
    Tensor argmax() const;
    Tensor argmax(std::int64_t d, bool keepdim = false) const;
    Tensor argmin() const;
    Tensor argmin(std::int64_t d, bool keepdim = false) const;
    Tensor any() const;
    Tensor all() const;
    Tensor norm() const;

    // --- products and more ---
    Tensor matmul(const Tensor& other) const;
    Tensor softmax(std::int64_t d) const;
    Tensor log_softmax(std::int64_t d) const;
    Tensor gather(std::int64_t d, const Tensor& at) const;
    Tensor index_select(std::int64_t d, const Tensor& at) const;

#include "elementwise_methods.inc"

private:
    std::shared_ptr<TensorBody> body_;

    TensorBody& whole(const char* call) const {
        if (!body_) fail(call, ": this Tensor holds nothing; assign one to it first");
        return *body_;
    }
};

// --- making tensors ----------------------------------------------------------------------------------------------------

/// A contiguous tensor of any values.
inline Tensor empty(const Shape& shape, DType dtype = DType::float32) {
    for (const std::int64_t n : shape)
        if (n < 0) fail("empty: sizes must not be negative, got ", shown(shape));
    auto body = std::make_shared<TensorBody>();
    body->shape = shape;
    body->strides = dense_strides(shape);
    body->dtype = dtype;
    body->storage = std::make_shared<Storage>();
    body->storage->memory = runtime().allocate(static_cast<std::size_t>(product(shape)) * item_size(dtype));
    return Tensor(std::move(body));
}

namespace detail {

/// A tensor over the memory of another, without history.
inline Tensor aliased(const Tensor& base, Shape shape, Shape strides, std::int64_t offset) {
    auto body = std::make_shared<TensorBody>();
    body->storage = base.body()->storage;
    body->shape = std::move(shape);
    body->strides = std::move(strides);
    body->offset = offset;
    body->dtype = base.dtype();
    return Tensor(std::move(body));
}

inline float half_to_float(std::uint16_t h) {
    const int sign = h >> 15, exponent = (h >> 10) & 31, fraction = h & 1023;
    const double magnitude = exponent == 31 ? (fraction ? NAN : INFINITY)
                             : exponent     ? std::ldexp(1024 + fraction, exponent - 25)
                                            : std::ldexp(fraction, -24);
    return static_cast<float>(sign ? -magnitude : magnitude);
}

inline std::uint16_t double_to_half(double x) {
    const std::uint16_t sign = std::signbit(x) ? 0x8000 : 0;
    x = std::fabs(x);
    if (std::isnan(x)) return 0x7e00;
    if (x >= 65520) return sign | 0x7c00;
    int exponent;
    std::frexp(x, &exponent);
    const int unit = std::max(exponent - 11, -24);
    const auto whole = static_cast<std::uint32_t>(std::nearbyint(std::ldexp(x, -unit)));
    return sign | static_cast<std::uint16_t>(unit == -24 && whole < 1024 ? whole : ((unit + 25) << 10) + (whole - 1024));
}

inline float bfloat_to_float(std::uint16_t b) {
    const std::uint32_t bits = static_cast<std::uint32_t>(b) << 16;
    float out;
    std::memcpy(&out, &bits, 4);
    return out;
}

inline std::uint16_t double_to_bfloat(double x) {
    const auto single = static_cast<float>(x);
    std::uint32_t bits;
    std::memcpy(&bits, &single, 4);
    if (std::isnan(single)) return 0x7fc0;
    return static_cast<std::uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

template <class Stored, class T>
void unpack(const unsigned char* from, std::vector<T>& to) {
    for (std::size_t i = 0; i < to.size(); i++) {
        Stored value;
        std::memcpy(&value, from + i * sizeof value, sizeof value);
        to[i] = static_cast<T>(value);
    }
}

/// Elements of a dtype as numbers of a C++ type.
template <class T>
std::vector<T> unpacked(const std::vector<unsigned char>& bytes, DType dtype) {
    std::vector<T> out(bytes.size() / item_size(dtype));
    const unsigned char* from = bytes.data();
    const auto at = [&](std::size_t i) {
        std::uint16_t h;
        std::memcpy(&h, from + 2 * i, 2);
        return h;
    };
    switch (dtype) {
        case DType::bool_:
        case DType::uint8: unpack<std::uint8_t>(from, out); break;
        case DType::int8: unpack<std::int8_t>(from, out); break;
        case DType::int16: unpack<std::int16_t>(from, out); break;
        case DType::int32: unpack<std::int32_t>(from, out); break;
        case DType::int64: unpack<std::int64_t>(from, out); break;
        case DType::float32: unpack<float>(from, out); break;
        case DType::float64: unpack<double>(from, out); break;
        case DType::float16:
            for (std::size_t i = 0; i < out.size(); i++) out[i] = static_cast<T>(half_to_float(at(i)));
            break;
        case DType::bfloat16:
            for (std::size_t i = 0; i < out.size(); i++) out[i] = static_cast<T>(bfloat_to_float(at(i)));
            break;
    }
    return out;
}

template <class Stored, class T>
void pack(const std::vector<T>& from, unsigned char* to) {
    for (std::size_t i = 0; i < from.size(); i++) {
        const T source = from[i];
        const auto value = static_cast<Stored>(source);
        std::memcpy(to + i * sizeof value, &value, sizeof value);
    }
}

/// Numbers as the bytes of elements of a dtype.
template <class T>
std::vector<unsigned char> packed(const std::vector<T>& values, DType dtype) {
    std::vector<unsigned char> out(values.size() * item_size(dtype));
    unsigned char* to = out.data();
    const auto put = [&](std::size_t i, std::uint16_t h) { std::memcpy(to + 2 * i, &h, 2); };
    switch (dtype) {
        case DType::bool_:
            for (std::size_t i = 0; i < values.size(); i++) to[i] = values[i] != T(0);
            break;
        case DType::uint8: pack<std::uint8_t>(values, to); break;
        case DType::int8: pack<std::int8_t>(values, to); break;
        case DType::int16: pack<std::int16_t>(values, to); break;
        case DType::int32: pack<std::int32_t>(values, to); break;
        case DType::int64: pack<std::int64_t>(values, to); break;
        case DType::float32: pack<float>(values, to); break;
        case DType::float64: pack<double>(values, to); break;
        case DType::float16:
            for (std::size_t i = 0; i < values.size(); i++) put(i, double_to_half(static_cast<double>(values[i])));
            break;
        case DType::bfloat16:
            for (std::size_t i = 0; i < values.size(); i++) put(i, double_to_bfloat(static_cast<double>(values[i])));
            break;
    }
    return out;
}

inline Tensor from_bytes(const std::vector<unsigned char>& bytes, const Shape& shape, DType dtype, const char* call) {
    if (bytes.size() != static_cast<std::size_t>(product(shape)) * item_size(dtype))
        fail(call, ": ", bytes.size() / item_size(dtype), " values do not fill the shape ", shown(shape), ", which has ",
             product(shape));
    Tensor out = empty(shape, dtype);
    runtime().write(out.memory(), 0, bytes.data(), bytes.size());
    return out;
}

}  // namespace detail

/// A tensor of these values in row-major order; shape: by default one dimension.
template <class T>
Tensor tensor(const std::vector<T>& values, std::optional<Shape> shape = {}, DType dtype = dtype_for<T>()) {
    return detail::from_bytes(detail::packed(values, dtype), shape ? *shape : Shape{static_cast<std::int64_t>(values.size())},
                              dtype, "tensor");
}

inline Tensor tensor(std::initializer_list<double> values, std::optional<Shape> shape = {}, DType dtype = DType::float32) {
    return tensor(std::vector<double>(values), std::move(shape), dtype);
}

inline Tensor tensor(double value, DType dtype = DType::float32) { return tensor(std::vector<double>{value}, Shape{}, dtype); }

inline Tensor full(const Shape& shape, double value, DType dtype = DType::float32) {
    Tensor out = empty(shape, dtype);
    const std::vector<unsigned char> pattern = detail::packed(std::vector<double>{value}, dtype);
    const std::size_t bytes = static_cast<std::size_t>(out.numel()) * pattern.size();
    if (bytes)
        checked(clEnqueueFillBuffer(runtime().opencl().queue(), out.memory().get(), pattern.data(), pattern.size(), 0, bytes, 0,
                                    nullptr, nullptr),
                "clEnqueueFillBuffer");
    return out;
}

inline Tensor zeros(const Shape& shape, DType dtype = DType::float32) { return full(shape, 0, dtype); }
inline Tensor ones(const Shape& shape, DType dtype = DType::float32) { return full(shape, 1, dtype); }
inline Tensor zeros_like(const Tensor& x) { return zeros(x.shape(), x.dtype()); }
inline Tensor ones_like(const Tensor& x) { return ones(x.shape(), x.dtype()); }
inline Tensor empty_like(const Tensor& x) { return empty(x.shape(), x.dtype()); }
inline Tensor full_like(const Tensor& x, double value) { return full(x.shape(), value, x.dtype()); }

/// start, start + step, ... below end.
inline Tensor arange(double start, double end, double step = 1, DType dtype = DType::int64) {
    if (step == 0) fail("arange: step must not be 0");
    std::vector<double> values;
    const auto count = static_cast<std::int64_t>(std::ceil((end - start) / step));
    for (std::int64_t i = 0; i < count; i++) values.push_back(start + static_cast<double>(i) * step);
    return tensor(values, Shape{static_cast<std::int64_t>(values.size())}, dtype);
}
inline Tensor arange(double end, DType dtype = DType::int64) { return arange(0, end, 1, dtype); }

inline Tensor linspace(double start, double end, std::int64_t steps, DType dtype = DType::float32) {
    std::vector<double> values;
    for (std::int64_t i = 0; i < steps; i++)
        values.push_back(steps == 1 ? start
                         : i * 2 < steps
                             ? start + static_cast<double>(i) * (end - start) / static_cast<double>(steps - 1)
                             : end - static_cast<double>(steps - 1 - i) * (end - start) / static_cast<double>(steps - 1));
    return tensor(values, Shape{steps}, dtype);
}

inline Tensor eye(std::int64_t n, DType dtype = DType::float32) {
    std::vector<double> values(static_cast<std::size_t>(n * n), 0);
    for (std::int64_t i = 0; i < n; i++) values[static_cast<std::size_t>(i * n + i)] = 1;
    return tensor(values, Shape{n, n}, dtype);
}

// --- values on the host ------------------------------------------------------------------------------------------------

inline std::vector<unsigned char> Tensor::to_bytes() const {
    const Tensor dense = contiguous();
    std::vector<unsigned char> out(static_cast<std::size_t>(numel()) * item_size(dtype()));
    runtime().read(dense.memory(), static_cast<std::size_t>(dense.offset()) * item_size(dtype()), out.data(), out.size());
    return out;
}

template <class T>
std::vector<T> Tensor::to_vector() const {
    return detail::unpacked<T>(to_bytes(), dtype());
}

template <class T>
T Tensor::item() const {
    if (numel() != 1) fail("item: a tensor of shape ", shown(shape()), " has ", numel(), " elements; item() is for one");
    return to_vector<T>()[0];
}

template <class T>
Tensor& Tensor::copy_from(const std::vector<T>& values) {
    return copy_(tensor(values, shape(), dtype()));
}

}  // namespace ct
