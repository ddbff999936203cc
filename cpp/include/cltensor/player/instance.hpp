// Instance: a plan for one choice of sizes on a device: buffers, kernels with their arguments set, and steps that run.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "array.hpp"
#include "device.hpp"
#include "numbers.hpp"
#include "parameters.hpp"

namespace ct::player {

/// A buffer that lasts as long as the program.
struct Lasting {
    Memory buffer;
    std::uint64_t bytes;
};

/// What the instances of a program have in common.
struct Shared {
    Json program;
    std::string name;
    std::vector<std::string> sources;
    std::vector<Lasting> memories;
    std::map<std::string, std::vector<unsigned char>> constants;
    Numbers numbers;
    std::uint64_t limit = 0, taken = 0;  // bytes that it may take; bytes of the memories
    std::map<std::pair<const void*, std::string>, std::vector<std::string>> parameters;  // of kernels, by text and name
};

class Instance {
public:
    struct Output {
        std::size_t buffer;
        const DType* dtype;
        Shape shape, strides;
        std::int64_t offset;
    };

    Instance(Shared& shared, Device& device, const Json& plan, const std::vector<std::int64_t>& sizes) : shared_(shared), device_(device), sizes_(sizes) {
        using namespace detail;
        shared_.numbers.put_sizes(sizes);
        const Json& buffers = list(part(plan, "buffers"));
        if (buffers.size() > kSteps) fail("it has too many buffers");
        measure(buffers);
        for (std::size_t k = 0; k < buffers.size(); k++) make(k, buffers[k]);
        const Json& inputs = part(shared_.program, "inputs");
        for (std::size_t i = 0; i < inputs.size(); i++)
            if (i >= buffers.size() || buffers[i]["kind"] != "input" || buffers[i]["input"] != i) fail("its first buffers are not its inputs");
        for (const Json& o : part(shared_.program, "outputs")) outputs_.push_back(output(o));
        std::size_t left = kSteps;
        once_ = steps(part(plan, "once"), buffers, left, 0);
        steps_ = steps(part(plan, "steps"), buffers, left, 0);
    }

    cl_mem buffer(std::size_t k) const { return buffers_[k]; }
    const Output& output(std::size_t k) const { return outputs_.at(k); }

    /// Enqueue a run.  changes: a number that differs where memories were written to from outside since the last one.
    void run(std::uint64_t changes) {
        shared_.numbers.put_sizes(sizes_);
        if (fresh_ != changes) {
            run(once_);
            fresh_ = changes;
        }
        shared_.numbers.begin();
        run(steps_);
        shared_.numbers.end();
    }

    /// Throw what kernels have noted.
    void check_notes() {
        if (notes_.empty() || notes_buffer_ >= buffers_.size()) return;
        std::int64_t note[4] = {};
        device_.read(note, buffers_[notes_buffer_], 0, 32);
        if (!note[0]) return;
        const std::int64_t zeros[4] = {};
        device_.write(buffers_[notes_buffer_], zeros, 32);
        const bool known = note[0] > 0 && static_cast<std::uint64_t>(note[0]) <= notes_.size();
        std::string told = known ? notes_[static_cast<std::size_t>(note[0] - 1)] : "a kernel met a value that it cannot work with";
        const bool lost = note[1] < -(std::int64_t{1} << 61);
        float real;
        const auto low = static_cast<std::uint32_t>(note[1]);
        std::memcpy(&real, &low, 4);
        replace(told, "{value}", std::to_string(lost ? note[1] + (std::int64_t{1} << 62) : note[1]));
        replace(told, "{size}", lost ? "?" : std::to_string(note[2]));
        replace(told, "{float}", std::to_string(real));
        fail(shared_.name, ": ", told);
    }

private:
    static constexpr std::size_t kSteps = 1u << 18, kDepth = 64;

    /// What one argument is set to at each run.
    struct Argument {
        cl_uint at;
        char kind;  // 'i', 'u', 'f'
        int bytes;
        Expression value;

        void convert(const Value& v, unsigned char* to) const {
            if (kind != 'f') {
                const std::int64_t n = Numbers::whole(v);
                std::memcpy(to, &n, static_cast<std::size_t>(bytes));  // little-endian
            } else if (bytes == 8) {
                const double x = v.as_double();
                std::memcpy(to, &x, 8);
            } else if (bytes == 4) {
                const float x = static_cast<float>(v.as_double());
                std::memcpy(to, &x, 4);
            } else {
                const std::uint16_t x = half(v.as_double());
                std::memcpy(to, &x, 2);
            }
        }
    };

    struct Step {
        enum Kind { launch, set, check, copy, choice, loop } kind = launch;
        Kernel kernel;
        cl_uint dimensions = 1;
        std::size_t grid[3] = {1, 1, 1}, group[3] = {1, 1, 1};
        std::vector<Argument> arguments;
        std::vector<std::pair<std::size_t, Expression>> values;  // of set and check
        std::string message;
        std::size_t buffer = 0, to = 0;  // of copy, choice and loop: buffers, positions in them and bytes
        std::uint64_t byte = 0, to_byte = 0, bytes = 0;
        std::vector<Step> first, second;
    };

    std::int64_t size(const Json& x) const { return shared_.numbers.size(x); }

    // --- buffers --------------------------------------------------------------------------------------------------------------

    void measure(const Json& buffers) {
        std::uint64_t total = shared_.taken;
        for (const Json& b : buffers) {
            bytes_.push_back(bytes_of(b));
            if (b["kind"] != "memory") total += bytes_.back();
            if (total > shared_.limit) fail("the program takes more than the ", shared_.limit, " bytes of memory that are allowed");
        }
    }

    std::uint64_t bytes_of(const Json& b) const {
        using namespace detail;
        const std::string kind = text(part(b, "kind"));
        if (kind == "memory") return shared_.memories[index(part(b, "memory"), shared_.memories.size())].bytes;
        if (kind == "input") {
            const Json& inputs = part(shared_.program, "inputs");
            const Json& x = inputs[index(part(b, "input"), inputs.size())];
            Shape shape;
            for (const Json& n : part(x, "shape")) shape.push_back(size(n));
            return static_cast<std::uint64_t>(product(shape)) * dtype_named(text(part(x, "dtype")))->size;
        }
        if (kind == "notes") return 32;
        if (kind == "constant" || (kind == "kept" && b.contains("tensor"))) return shared_.constants.at(text(part(b, "tensor"))).size();
        if (kind == "kept" || kind == "output" || kind == "temporary") return static_cast<std::uint64_t>(size(part(b, "bytes")));
        fail("there is no kind '", kind.substr(0, 20), "' of buffers");
    }

    void make(std::size_t k, const Json& b) {
        using namespace detail;
        const std::string kind = text(b["kind"]);
        if (kind == "memory") {
            buffers_.push_back(shared_.memories[index(b["memory"], shared_.memories.size())].buffer.get());
            return;
        }
        own_.push_back(device_.allocate(bytes_[k]));
        buffers_.push_back(own_.back().get());
        if (kind == "notes") {
            notes_buffer_ = k;
            const std::int64_t zeros[4] = {};
            device_.write(buffers_[k], zeros, 32);
        } else if (b.contains("tensor")) {
            device_.write(buffers_[k], shared_.constants.at(text(b["tensor"])).data(), bytes_[k]);
        }
    }

    Output output(const Json& o) const {
        using namespace detail;
        Output made{index(part(o, "buffer"), buffers_.size()), dtype_named(text(part(o, "dtype"))), {}, {}, size(part(o, "offset"))};
        for (const Json& n : list(part(o, "shape"))) made.shape.push_back(size(n));
        for (const Json& n : list(part(o, "strides"))) made.strides.push_back(size(n));
        inside(made.shape, made.strides, made.offset, made.dtype->size, bytes_[made.buffer], text(part(o, "name")));
        if (static_cast<std::uint64_t>(product(made.shape)) * made.dtype->size > shared_.limit) fail("an output is larger than the memory that is allowed");
        return made;
    }

    void range(std::size_t buffer, std::uint64_t first, std::uint64_t count, const std::string& what) const {
        if (count > bytes_[buffer] || first > bytes_[buffer] - count)
            fail(what.substr(0, 80), " takes bytes ", first, " to ", first + count, " of a buffer of ", bytes_[buffer]);
    }

    // --- steps ----------------------------------------------------------------------------------------------------------------

    std::vector<Step> steps(const Json& described, const Json& buffers, std::size_t& left, std::size_t depth) {
        using namespace detail;
        if (depth > kDepth) fail("its steps are nested too deep");
        std::vector<Step> found;
        for (const Json& s : list(described)) {
            if (!left--) fail("it has too many steps");
            if (!s.is_object()) fail("there is a step of an unknown kind");
            found.emplace_back();
            Step& step = found.back();
            if (s.contains("kernel")) launch(step, s);
            else if (s.contains("set") || s.contains("check")) numbers(step, s);
            else if (s.contains("copy")) copy(step, list(s["copy"]), buffers);
            else if (s.contains("if") || s.contains("while")) {
                const bool loops = s.contains("while");
                const Json& what = list(s[loops ? "while" : "if"]);
                step.kind = loops ? Step::loop : Step::choice;
                step.buffer = index(what.at(0), buffers.size());
                step.byte = static_cast<std::uint64_t>(size(what.at(1)));
                range(step.buffer, step.byte, 1, "what decides");
                step.first = steps(part(s, loops ? "test" : "then"), buffers, left, depth + 1);
                step.second = steps(part(s, loops ? "do" : "else"), buffers, left, depth + 1);
            } else fail("there is a step of an unknown kind");
        }
        return found;
    }

    void numbers(Step& step, const Json& s) {
        using namespace detail;
        if (s.contains("check")) {
            step.kind = Step::check;
            step.values.emplace_back(0, shared_.numbers.expression(s["check"]));
            step.message = text(part(s, "message"));
            return;
        }
        step.kind = Step::set;
        for (const Json& pair : list(s["set"])) {
            Expression value = shared_.numbers.expression(list(pair).at(1));
            step.values.emplace_back(shared_.numbers.place(text(pair.at(0))), std::move(value));
        }
    }

    void copy(Step& step, const Json& c, const Json& buffers) {
        using namespace detail;
        step.kind = Step::copy;
        step.buffer = index(c.at(0), buffers.size());
        step.byte = static_cast<std::uint64_t>(size(c.at(1)));
        step.to = index(c.at(2), buffers.size());
        step.to_byte = static_cast<std::uint64_t>(size(c.at(3)));
        step.bytes = static_cast<std::uint64_t>(size(c.at(4)));
        if (buffers[step.to]["kind"] == "constant" || buffers[step.to]["kind"] == "notes") fail("it copies to a buffer that is never written to");
        range(step.buffer, step.byte, step.bytes, "a copy");
        range(step.to, step.to_byte, step.bytes, "a copy");
    }

    void launch(Step& step, const Json& s) {
        using namespace detail;
        const std::string name = text(s["kernel"]);
        const Json &grid = list(part(s, "global")), &group = list(part(s, "local"));
        if (grid.empty() || grid.size() > 3 || group.size() != grid.size()) fail("kernel '", name.substr(0, 80), "' has a grid of no or too many dimensions");
        step.dimensions = static_cast<cl_uint>(grid.size());
        std::size_t items = 1;
        for (std::size_t k = 0; k < grid.size(); k++) {
            step.grid[k] = static_cast<std::size_t>(size(grid[k]));
            step.group[k] = static_cast<std::size_t>(size(group[k]));
            if (!step.group[k] || step.group[k] > device_.work_group() || step.grid[k] % step.group[k]) fail("kernel '", name.substr(0, 80), "' has a grid that ", device_.name(), " cannot run");
            items *= step.group[k];
        }
        if (items > device_.work_group()) fail("kernel '", name.substr(0, 80), "' has work-groups that ", device_.name(), " cannot run");
        const std::string& source = shared_.sources[index(part(s, "source"), shared_.sources.size())];
        const auto key = std::make_pair(static_cast<const void*>(&source), name);
        if (!shared_.parameters.count(key)) shared_.parameters[key] = parameters(source, name);
        Setting setting{step, name, shared_.parameters[key], 0};
        step.kernel = device_.kernel(source, name);
        for (const Json& a : list(part(s, "arguments"))) argument(setting, list(a), s);
        if (setting.at != setting.kinds.size()) fail("kernel '", name, "' has ", setting.kinds.size(), " parameters, ", setting.at, " arguments are given");
    }

    /// Sets the arguments of a kernel one after another; refuses those of another kind than the parameter.
    struct Setting {
        Step& step;
        const std::string& name;
        const std::vector<std::string>& kinds;
        cl_uint at;

        void put(std::initializer_list<const char*> allowed, std::size_t bytes, const void* value) {
            for (const char* kind : allowed)
                if (at < kinds.size() && kinds[at] == kind && clSetKernelArg(step.kernel.get(), at, bytes, value) == CL_SUCCESS) {
                    at++;
                    return;
                }
            fail("argument ", at, " of kernel '", name, "' does not fit its parameter: ", at < kinds.size() ? kinds[at] : "there is none");
        }

        void put(const std::string& kind, std::size_t bytes, const void* value) {
            if (kind == "f32") put({"float"}, bytes, value);
            else if (kind == "f64") put({"double"}, bytes, value);
            else if (kind == "f16") put({"half", "short", "ushort"}, bytes, value);
            else if (kind == "i32" || kind == "u32") put({"int", "uint"}, bytes, value);
            else if (kind == "i64" || kind == "u64") put({"long", "ulong"}, bytes, value);
            else fail("there is no kind '", kind.substr(0, 20), "' of arguments");
        }
    };

    void argument(Setting& setting, const Json& a, const Json& s) {
        using namespace detail;
        const std::string kind = text(a.at(0));
        if (kind == "tensor" || kind == "buffer") {
            const std::size_t k = index(a.at(1), buffers_.size());
            setting.put({"pointer"}, sizeof(cl_mem), &buffers_[k]);
            if (kind == "buffer") return;
            const std::int64_t offset = size(a.at(2)), item = size(a.at(3)), extent = size(a.at(4));
            constexpr std::int64_t most = std::int64_t{1} << 55;
            if (extent) {
                if (item > 64 || offset > most || extent > most) fail("an operand of '", setting.name, "' does not lie in its buffer");
                range(k, static_cast<std::uint64_t>(offset * item), static_cast<std::uint64_t>(extent * item), setting.name);
            }
            setting.put("i64", sizeof offset, &offset);
            return;
        }
        if (kind == "ticket") {
            notes_.push_back(s.contains("notes") ? text(s["notes"]) : "a kernel met a value that it cannot work with: {value}");
            const std::int64_t ticket = static_cast<std::int64_t>(notes_.size());
            setting.put("i64", sizeof ticket, &ticket);
            return;
        }
        Argument made{setting.at, kind.empty() ? ' ' : kind[0], kind == "f16" ? 2 : kind == "i32" || kind == "u32" || kind == "f32" ? 4 : 8, shared_.numbers.expression(a.at(1))};
        unsigned char bytes[8] = {};
        const bool stays = shared_.numbers.only_sizes(a.at(1));
        if (stays) made.convert(made.value(shared_.numbers.values()), bytes);
        setting.put(kind, static_cast<std::size_t>(made.bytes), bytes);
        if (!stays) setting.step.arguments.push_back(std::move(made));
    }

    // --- running --------------------------------------------------------------------------------------------------------------

    void run(const std::vector<Step>& steps) {
        for (const Step& s : steps) {
            switch (s.kind) {
                case Step::launch:
                    enqueue(s);
                    break;
                case Step::set:
                    for (const auto& [place, value] : s.values) shared_.numbers.set(place, value(shared_.numbers.values()));
                    break;
                case Step::check:
                    if (!s.values[0].second(shared_.numbers.values()).truth()) fail(shared_.name, ": ", s.message);
                    break;
                case Step::copy:
                    if (s.bytes) check(clEnqueueCopyBuffer(device_.queue(), buffers_[s.buffer], buffers_[s.to], s.byte, s.to_byte, s.bytes, 0, nullptr, nullptr), "clEnqueueCopyBuffer");
                    break;
                case Step::choice:
                    run(decided(s) ? s.first : s.second);
                    break;
                case Step::loop:
                    for (run(s.first); decided(s); run(s.first)) run(s.second);
                    break;
            }
        }
    }

    void enqueue(const Step& s) {
        for (const Argument& a : s.arguments) {
            unsigned char bytes[8];
            a.convert(a.value(shared_.numbers.values()), bytes);
            check(clSetKernelArg(s.kernel.get(), a.at, static_cast<std::size_t>(a.bytes), bytes), "clSetKernelArg");
        }
        if (s.grid[0] && s.grid[1] && s.grid[2])
            check(clEnqueueNDRangeKernel(device_.queue(), s.kernel.get(), s.dimensions, nullptr, s.grid, s.group, 0, nullptr, nullptr), "clEnqueueNDRangeKernel");
    }

    bool decided(const Step& s) {
        unsigned char byte = 0;
        device_.read(&byte, buffers_[s.buffer], s.byte, 1);
        check_notes();
        return byte != 0;
    }

    static void replace(std::string& text, const std::string& what, const std::string& by) {
        const std::size_t at = text.find(what);
        if (at != std::string::npos) text.replace(at, what.size(), by);
    }

    Shared& shared_;
    Device& device_;
    std::vector<std::int64_t> sizes_;
    std::vector<Memory> own_;
    std::vector<cl_mem> buffers_;
    std::vector<std::uint64_t> bytes_;
    std::vector<Step> once_, steps_;
    std::vector<Output> outputs_;
    std::vector<std::string> notes_;  // by ticket - 1
    std::size_t notes_buffer_ = ~std::size_t{0};
    std::uint64_t fresh_ = 0;
};

}  // namespace ct::player
