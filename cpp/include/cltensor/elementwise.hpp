// Elementwise ops: the registry's, run by the pack's kernels, differentiated by the pack's gradients.
#pragma once

#include <initializer_list>
#include <string>
#include <type_traits>
#include <vector>

#include "autograd.hpp"

namespace ct {

/// An operand: a tensor or a number.
struct Operand {
    Tensor tensor;
    double number = 0;
    bool whole = false;  // whether it is a whole number
    Operand(const Tensor& x) : tensor(x) {
        if (!x.defined()) fail("an operand is a Tensor that holds nothing; assign one to it first");
    }
    template <class T, class = std::enable_if_t<std::is_arithmetic_v<T>>>
    Operand(T value) : number(static_cast<double>(value)), whole(std::is_integral_v<T>) {}
    bool is_tensor() const { return tensor.defined(); }
};

namespace detail {

constexpr std::int64_t kGrain = 4096;  // elements of a work-group of the cpu style, at least

/// The dtype that operands are promoted to: the widest of the highest category; numbers and tensors without dimensions count only
/// where their category is higher.
inline DType promoted(const std::vector<Operand>& operands, const std::vector<bool>& condition) {
    std::optional<DType> found[2];
    const auto join = [](std::optional<DType>& into, DType d) {
        if (!into || category(d) > category(*into) || (category(d) == category(*into) && d > *into)) into = d;
    };
    for (std::size_t i = 0; i < operands.size(); i++) {
        if (condition[i]) continue;
        const Operand& x = operands[i];
        if (x.is_tensor())
            join(found[x.tensor.dim() == 0], x.tensor.dtype());
        else
            join(found[1], x.whole ? DType::int64 : DType::float32);
    }
    if (!found[0]) return found[1].value_or(DType::float32);
    return found[1] && category(*found[1]) > category(*found[0]) ? *found[1] : *found[0];
}

/// The launch of one elementwise kernel over operands of its dtypes, to results of the shape they broadcast to.
inline void launch_elementwise(const std::string& op, const std::string& dtype, const std::vector<Tensor>& inputs,
                               const std::vector<double>& numbers, const std::vector<Tensor>& results) {
    const Shape& shape = results[0].shape();
    const std::int64_t count = product(shape);
    if (!count) return;
    Runtime& r = runtime();
    bool alike = true, last = inputs.size() > 1;
    for (std::size_t i = 0; i < inputs.size(); i++) {
        const bool same = inputs[i].shape() == shape && inputs[i].is_contiguous();
        alike = alike && same;
        last = last && (i + 1 < inputs.size() ? same : inputs[i].numel() == 1);
    }
    for (const Tensor& y : results) alike = alike && y.is_contiguous(), last = last && y.is_contiguous();
    std::string layout = alike ? "dense" : "any";
    if (!alike && last && r.pack().has(r.key(op, dtype, "last"))) layout = "last";
    std::vector<Shape> strides;
    for (const Tensor& x : inputs) strides.push_back(broadcast_strides(x.shape(), x.strides(), shape));
    for (const Tensor& y : results) strides.push_back(y.strides());
    Merged lay{{count}, std::vector<Shape>(strides.size(), Shape{1})};
    if (layout == "last") lay.strides[inputs.size() - 1] = {0};
    if (layout == "any") {
        lay = merged(shape, strides);
        lay.pad(r.pack().rank(), op);
    }
    Launch launch(r.key(op, dtype, layout));
    for (std::size_t i = 0; i < strides.size(); i++) {
        const bool input = i < inputs.size();
        const std::string name = (input ? "x" : "y") + std::to_string(input ? i : i - inputs.size());
        const Tensor& x = input ? inputs[i] : results[i - inputs.size()];
        launch.buffer(name + "_p", x.memory(), x.offset()).numbers(name + "_s", lay.strides[i]);
    }
    for (std::size_t i = 0; i < numbers.size(); i++) launch.number("s" + std::to_string(i), numbers[i]);
    const std::int64_t run = lay.sizes.back(), rows = count / run;
    launch.numbers("d", lay.sizes).number("run", run);
    if (r.opencl().style() == Style::cpu) {
        const std::int64_t groups = std::max<std::int64_t>(1, std::min(4 * r.opencl().compute_units(), count / kGrain));
        launch.number("row_groups", std::min(groups, rows));
        launch.number("run_groups", std::max<std::int64_t>(1, std::min(groups / std::min(groups, rows), run)));
    }
    launch.run();
    for (const Tensor& y : results) written(y);
}

/// A tensor without dimensions for each number, kept: the same numbers come again and again.
inline Tensor constant(double value, DType dtype) {
    thread_local std::unordered_map<std::string, Tensor> kept;
    thread_local std::uint64_t of = 0;
    if (of != runtime().number() || kept.size() > 1000) kept.clear();
    of = runtime().number();
    std::uint64_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    Tensor& found = kept[std::to_string(bits) + name(dtype)];
    if (!found.defined()) found = full({}, value, dtype);
    return found;
}

/// The results of an elementwise op without history, for operands of its dtype.
inline std::vector<Tensor> run_elementwise(const std::string& op, DType dtype, const std::vector<Tensor>& inputs,
                                           const std::vector<double>& numbers) {
    const Runtime& r = runtime();
    const KernelText& kernel = r.pack().kernel(r.key(op, name(dtype), "dense"));
    Shape shape;
    for (const Tensor& x : inputs) shape = broadcast(shape, x.shape(), op);
    std::vector<Tensor> results;
    for (const DType d : kernel.results) results.push_back(empty(shape, d));
    launch_elementwise(op, name(dtype), inputs, numbers, results);
    return results;
}

/// Copy into memory of the same shape, of any dtype and strides.
inline void copy_into(const Tensor& to, const Tensor& from) {
    launch_elementwise("copy", name(from.dtype()) + ">" + name(to.dtype()), {from}, {}, {to});
}

/// The gradients of an elementwise op, for the inputs in `needs`, by one of the pack's rules.
inline void apply_gradient(const OpRule& op, const GradientRule& rule, DType dtype, const std::vector<Tensor>& gs,
                           const std::vector<Tensor>& inputs, const std::vector<Tensor>& outputs,
                           const std::vector<double>& numbers, std::vector<Tensor>& made) {
    std::vector<Tensor> sources, results;
    for (const std::string& source : rule.sources) {
        const auto at = std::find(op.inputs.begin(), op.inputs.end(), source);
        if (at != op.inputs.end())
            sources.push_back(inputs[static_cast<std::size_t>(at - op.inputs.begin())]);
        else {
            const std::size_t k = std::stoul(source.substr(1));
            sources.push_back(source[0] == 'y' ? outputs[k] : gs[k].defined() ? gs[k] : constant(0, dtype));
        }
    }
    if (!rule.op.empty()) {
        std::vector<double> given;
        for (const std::string& name : rule.attributes)
            given.push_back(numbers[static_cast<std::size_t>(std::find(op.attributes.begin(), op.attributes.end(), name) -
                                                             op.attributes.begin())]);
        results = run_elementwise(rule.op, dtype, sources, given);
    }
    for (std::size_t i = 0; i < made.size(); i++) {
        const std::string& from = rule.results[i];
        if (from.empty() || made[i].defined()) continue;
        if (from == "zero")
            made[i] = zeros_like(inputs[i]);
        else if (from[0] == '#')
            made[i] = results[std::stoul(from.substr(1))];
        else
            made[i] = gs[std::stoul(from.substr(1))];
    }
}

inline std::string mask_of(const std::vector<bool>& needs) {
    std::string mask;
    for (const bool need : needs) mask += need ? '1' : '0';
    return mask;
}

/// Remember an elementwise op.
inline void record_elementwise(const OpRule& op, DType dtype, const std::vector<Tensor>& inputs, const std::vector<double>& numbers,
                               const std::vector<Tensor>& results) {
    if (op.gradients.empty() || !is_floating_point(results[0].dtype())) return;
    std::vector<Saved> saved;
    for (const Tensor& x : inputs) saved.emplace_back(x);
    for (const Tensor& y : results) saved.emplace_back(y);
    record(op.name, inputs, results,
           [&op, dtype, saved, numbers, count = inputs.size()](const std::vector<Tensor>& gs, const std::vector<bool>& needs) {
               std::vector<Tensor> ins, outs, made(count);
               for (std::size_t i = 0; i < saved.size(); i++) (i < count ? ins : outs).push_back(saved[i].get(op.name));
               if (const auto all = op.gradients.find(mask_of(needs)); all != op.gradients.end()) {
                   apply_gradient(op, all->second, dtype, gs, ins, outs, numbers, made);
                   return made;
               }
               for (std::size_t i = 0; i < count; i++) {
                   if (!needs[i]) continue;
                   std::vector<bool> alone(count);
                   alone[i] = true;
                   if (const auto one = op.gradients.find(mask_of(alone)); one != op.gradients.end())
                       apply_gradient(op, one->second, dtype, gs, ins, outs, numbers, made);
               }
               return made;
           });
}

}  // namespace detail

/// Run an elementwise op of the registry, by its name.  numbers: its attributes, in order.
///
/// Operands broadcast and are promoted as in Python; ops of floating numbers take whole ones as float32.
inline std::vector<Tensor> elementwise(const std::string& name_, const std::vector<Operand>& operands,
                                       const std::vector<double>& numbers) {
    Runtime& r = runtime();
    const OpRule& op = r.pack().op(name_);
    DType dtype = detail::promoted(operands, op.condition);
    if (!is_floating_point(dtype) && !r.pack().has(r.key(name_, name(dtype), "dense")) &&
        r.pack().has(r.key(name_, "float32", "dense")))
        dtype = DType::float32;
    std::vector<Tensor> inputs;
    for (std::size_t i = 0; i < operands.size(); i++) {
        const DType wanted = op.condition[i] ? DType::bool_ : dtype;
        inputs.push_back(operands[i].is_tensor() ? operands[i].tensor.to(wanted) : detail::constant(operands[i].number, wanted));
    }
    std::vector<Tensor> results = detail::run_elementwise(name_, dtype, inputs, numbers);
    if (wants_history(inputs)) detail::record_elementwise(op, dtype, inputs, numbers, results);
    return results;
}

/// Run an elementwise op and write its results to tensors, which may be among the operands.
inline void elementwise_to(const std::vector<Tensor>& results, const std::string& name_, const std::vector<Tensor>& inputs,
                           const std::vector<double>& numbers) {
    for (const Tensor& y : results) detail::check_writable(y, inputs, name_.c_str());
    bool alike = true;
    for (const Tensor& x : inputs) alike = alike && x.is_contiguous() && x.shape() == results[0].shape();
    for (const Tensor& y : results) alike = alike && y.is_contiguous();
    if (alike) return detail::launch_elementwise(name_, name(inputs[0].dtype()), inputs, numbers, results);
    const std::vector<Tensor> made = detail::run_elementwise(name_, inputs[0].dtype(), inputs, numbers);
    for (std::size_t i = 0; i < results.size(); i++) detail::copy_into(results[i], made[i]);
}

// --- copies ------------------------------------------------------------------------------------------------------------

inline Tensor Tensor::to(DType wanted) const {
    if (wanted == dtype()) return *this;
    Tensor out = empty(shape(), wanted);
    detail::copy_into(out, *this);
    if (wants_history({*this}) && is_floating_point(wanted))
        record("to", {*this}, {out}, [](const std::vector<Tensor>& gs, const std::vector<bool>&) { return gs; });
    return out;
}

inline Tensor Tensor::clone() const {
    Tensor out = empty(shape(), dtype());
    detail::copy_into(out, *this);
    if (wants_history({*this}))
        record("clone", {*this}, {out}, [](const std::vector<Tensor>& gs, const std::vector<bool>&) { return gs; });
    return out;
}

inline Tensor Tensor::contiguous() const { return is_contiguous() ? *this : clone(); }

inline Tensor& Tensor::copy_(const Tensor& from) {
    detail::check_writable(*this, {from}, "copy_");
    if (broadcast(shape(), from.shape(), "copy_") != shape())
        fail("copy_: a tensor of shape ", shown(from.shape()), " does not fit into one of shape ", shown(shape()),
             "; reshape it, or write to a larger one");
    const bool shared = from.body()->storage == body_->storage;
    detail::copy_into(*this, shared ? from.clone() : from);
    return *this;
}

inline Tensor& Tensor::fill_(double value) {
    detail::check_writable(*this, {}, "fill_");
    detail::copy_into(*this, detail::constant(value, dtype()));
    return *this;
}

}  // namespace ct
