// Views: tensors over the memory of others, and joining tensors.
#pragma once

#include <algorithm>
#include <vector>

#include "elementwise.hpp"

namespace ct {

namespace detail {

/// A view with a history: `back` makes the gradient of the base from the view's.
template <class Back>
Tensor viewed(const char* name, const Tensor& x, Shape shape, Shape strides, std::int64_t offset, Back back) {
    Tensor out = aliased(x, std::move(shape), std::move(strides), offset);
    if (wants_history({x}))
        record(name, {x}, {out},
               [back](const std::vector<Tensor>& gs, const std::vector<bool>&) { return std::vector<Tensor>{back(gs[0])}; });
    return out;
}

/// Strides with which a layout is seen in another shape, if it can be.
inline std::optional<Shape> restrided(const Shape& shape, const Shape& strides, const Shape& wanted) {
    const Merged whole = merged(shape, {strides});
    Shape out(wanted.size(), 1);
    std::size_t at = whole.sizes.size();
    std::int64_t room = 1, step = 1;
    for (std::size_t i = wanted.size(); i-- > 0;) {
        if (wanted[i] == 1) continue;
        if (room == 1) {
            if (at == 0) return std::nullopt;
            at--;
            room = whole.sizes[at];
            step = whole.strides[0][at];
        }
        if (room % wanted[i]) return std::nullopt;
        out[i] = step;
        step *= wanted[i];
        room /= wanted[i];
    }
    return out;
}

}  // namespace detail

inline Tensor Tensor::reshape(Shape wanted) const {
    std::int64_t known = 1;
    auto open = wanted.end();
    for (auto i = wanted.begin(); i != wanted.end(); ++i) {
        if (*i == -1 && open == wanted.end())
            open = i;
        else if (*i < 0)
            fail("reshape: ", shown(wanted), ": sizes must be >= 0, and one may be -1");
        else
            known *= *i;
    }
    if (open != wanted.end() && known) *open = numel() / known;
    if (product(wanted) != numel())
        fail("reshape: shape ", shown(wanted), " does not hold the ", numel(), " elements of shape ", shown(shape()));
    const auto strides = numel() ? detail::restrided(shape(), this->strides(), wanted) : dense_strides(wanted);
    if (!strides) return contiguous().reshape(wanted);
    return detail::viewed("reshape", *this, wanted, *strides, offset(),
                          [from = shape()](const Tensor& g) { return g.reshape(from); });
}

inline Tensor Tensor::view(Shape wanted) const { return reshape(std::move(wanted)); }

inline Tensor Tensor::flatten(std::int64_t start, std::int64_t end) const {
    const auto first = static_cast<std::size_t>(wrapped(start, dim(), "flatten")),
               last = static_cast<std::size_t>(wrapped(end, dim(), "flatten"));
    if (first > last) fail("flatten: start dimension ", start, " lies behind end dimension ", end);
    Shape wanted(shape().begin(), shape().begin() + static_cast<std::ptrdiff_t>(first));
    std::int64_t size = 1;
    for (std::size_t i = first; i <= last && i < shape().size(); i++) size *= shape()[i];
    wanted.push_back(size);
    for (std::size_t i = last + 1; i < shape().size(); i++) wanted.push_back(shape()[i]);
    return reshape(wanted);
}

inline Tensor Tensor::permute(const Shape& dims) const {
    Shape sizes, steps, back(dims.size());
    std::vector<bool> seen(shape().size());
    if (dims.size() != shape().size())
        fail("permute: ", shown(dims), " must name each of the ", dim(), " dimensions of ", shown(shape()), " once");
    for (std::size_t i = 0; i < dims.size(); i++) {
        const auto d = static_cast<std::size_t>(wrapped(dims[i], dim(), "permute"));
        if (seen[d]) fail("permute: ", shown(dims), " names dimension ", d, " twice");
        seen[d] = true;
        sizes.push_back(shape()[d]);
        steps.push_back(strides()[d]);
        back[d] = static_cast<std::int64_t>(i);
    }
    return detail::viewed("permute", *this, sizes, steps, offset(), [back](const Tensor& g) { return g.permute(back); });
}

inline Tensor Tensor::transpose(std::int64_t a, std::int64_t b) const {
    Shape dims(shape().size());
    std::iota(dims.begin(), dims.end(), 0);
    if (!dims.empty())
        std::swap(dims[static_cast<std::size_t>(wrapped(a, dim(), "transpose"))],
                  dims[static_cast<std::size_t>(wrapped(b, dim(), "transpose"))]);
    return permute(dims);
}

inline Tensor Tensor::squeeze(std::int64_t d) const {
    const auto at = wrapped(d, dim(), "squeeze");
    if (shape().empty() || shape()[static_cast<std::size_t>(at)] != 1) return *this;
    Shape wanted = shape();
    wanted.erase(wanted.begin() + at);
    return reshape(wanted);
}

inline Tensor Tensor::squeeze() const {
    Shape wanted;
    for (const std::int64_t n : shape())
        if (n != 1) wanted.push_back(n);
    return reshape(wanted);
}

inline Tensor Tensor::unsqueeze(std::int64_t d) const {
    Shape wanted = shape();
    wanted.insert(wanted.begin() + wrapped(d, dim() + 1, "unsqueeze"), 1);
    return reshape(wanted);
}

inline Tensor Tensor::expand(const Shape& wanted) const {
    Shape sizes = wanted;
    if (sizes.size() < shape().size()) fail("expand: shape ", shown(wanted), " has fewer dimensions than ", shown(shape()));
    for (std::size_t i = 0; i < shape().size(); i++) {
        std::int64_t& n = sizes[sizes.size() - 1 - i];
        if (n == -1) n = shape()[shape().size() - 1 - i];
    }
    if (broadcast(sizes, shape(), "expand") != sizes)
        fail("expand: shape ", shown(shape()), " does not broadcast to ", shown(wanted));
    return detail::viewed("expand", *this, sizes, broadcast_strides(shape(), strides(), sizes), offset(),
                          [](const Tensor& g) { return g; });
}

inline Tensor Tensor::slice(std::int64_t d, Slice part) const {
    const auto at = static_cast<std::size_t>(wrapped(d, dim(), "slice"));
    if (shape().empty()) fail("slice: a tensor without dimensions has no parts");
    if (part.step < 1) fail("slice: step must be >= 1, got ", part.step);
    const std::int64_t n = shape()[at];
    const auto bound = [n](std::int64_t i) { return std::clamp<std::int64_t>(i < 0 ? i + n : i, 0, n); };
    const std::int64_t start = bound(part.start.value_or(0)), stop = std::max(start, bound(part.stop.value_or(n)));
    Shape sizes = shape(), steps = strides();
    sizes[at] = (stop - start + part.step - 1) / part.step;
    steps[at] *= part.step;
    return detail::viewed("slice", *this, sizes, steps, offset() + start * strides()[at],
                          [from = shape(), d, part](const Tensor& g) {
                              Tensor whole = zeros(from, g.dtype());
                              whole.slice(d, part).copy_(g);
                              return whole;
                          });
}

inline Tensor Tensor::narrow(std::int64_t d, std::int64_t start, std::int64_t length) const {
    const std::int64_t n = size(d), first = start < 0 ? start + n : start;
    if (first < 0 || length < 0 || first + length > n)
        fail("narrow: ", length, " elements from ", start, " on do not lie in a dimension of size ", n);
    return slice(d, {first, first + length});
}

inline Tensor Tensor::select(std::int64_t d, std::int64_t at) const {
    if (shape().empty()) fail("select: a tensor without dimensions has no element ", at, "; use item()");
    const std::int64_t n = size(d);
    if (at < -n || at >= n)
        fail("select: index ", at, " is out of range for a dimension of size ", n, "; use one from ", -n, " to ", n - 1);
    Shape wanted = shape();
    wanted.erase(wanted.begin() + wrapped(d, dim(), "select"));
    return narrow(d, at < 0 ? at + n : at, 1).reshape(wanted);
}

inline Tensor Tensor::index(const std::vector<Index>& at) const {
    Tensor out = *this;
    std::int64_t d = 0;
    for (const Index& one : at) {
        if (one.kind == Index::Kind::newaxis)
            out = out.unsqueeze(d++);
        else if (d >= out.dim())
            fail("index: too many indices for a tensor of shape ", shown(shape()));
        else if (one.kind == Index::Kind::number)
            out = out.select(d, one.number);
        else
            out = out.slice(d++, one.slice);
    }
    return out;
}

inline std::vector<Tensor> Tensor::split(std::int64_t size, std::int64_t d) const {
    if (size < 1) fail("split: parts must have at least 1 element, got ", size);
    std::vector<Tensor> parts;
    const std::int64_t n = this->size(d);
    for (std::int64_t start = 0; start < n; start += size) parts.push_back(narrow(d, start, std::min(size, n - start)));
    return parts;
}

inline std::vector<Tensor> Tensor::chunk(std::int64_t count, std::int64_t d) const {
    if (count < 1) fail("chunk: the number of parts must be at least 1, got ", count);
    return split(std::max<std::int64_t>(1, (size(d) + count - 1) / count), d);
}

/// Tensors one after another along a dimension.
inline Tensor cat(const std::vector<Tensor>& parts, std::int64_t d = 0) {
    if (parts.empty()) fail("cat: give at least one tensor");
    const std::int64_t at = wrapped(d, parts[0].dim(), "cat");
    Shape shape = parts[0].shape();
    if (shape.empty()) fail("cat: tensors without dimensions cannot be joined; use stack");
    DType dtype = parts[0].dtype();
    std::int64_t total = 0;
    for (const Tensor& part : parts) {
        Shape rest = part.shape();
        if (rest.size() == shape.size()) rest[static_cast<std::size_t>(at)] = shape[static_cast<std::size_t>(at)];
        if (rest != shape)
            fail("cat: shapes ", shown(parts[0].shape()), " and ", shown(part.shape()), " must agree in all dimensions but ", at);
        total += part.size(at);
        if (category(part.dtype()) > category(dtype) || (category(part.dtype()) == category(dtype) && part.dtype() > dtype))
            dtype = part.dtype();
    }
    shape[static_cast<std::size_t>(at)] = total;
    Tensor out = empty(shape, dtype);
    std::vector<std::int64_t> starts;
    std::int64_t start = 0;
    for (const Tensor& part : parts) {
        starts.push_back(start);
        detail::copy_into(out.detach().narrow(at, start, part.size(at)), part.detach());
        start += part.size(at);
    }
    if (wants_history(parts)) {
        starts.push_back(total);
        record("cat", parts, {out}, [starts, at](const std::vector<Tensor>& gs, const std::vector<bool>& needs) {
            std::vector<Tensor> made(needs.size());
            for (std::size_t i = 0; i < needs.size(); i++)
                if (needs[i]) made[i] = gs[0].narrow(at, starts[i], starts[i + 1] - starts[i]);
            return made;
        });
    }
    return out;
}

/// Tensors of one shape along a new dimension.
inline Tensor stack(const std::vector<Tensor>& parts, std::int64_t d = 0) {
    std::vector<Tensor> each;
    for (const Tensor& part : parts) each.push_back(part.unsqueeze(d < 0 ? d + part.dim() + 1 : d));
    if (parts.empty()) fail("stack: give at least one tensor");
    return cat(each, d < 0 ? d + each[0].dim() : d);
}

}  // namespace ct
