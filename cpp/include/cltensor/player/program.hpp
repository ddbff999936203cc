// Program: an exported program that is loaded and runs.  docs/program-format.md says what files hold.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "array.hpp"
#include "device.hpp"
#include "expression.hpp"
#include "file.hpp"
#include "parameters.hpp"

namespace ct::player {

/// How a program is loaded.
struct Options {
    std::string device;        ///< see Device
    std::string device_class;  ///< "cpu" or "gpu"; "" for the device's own kind if the file has it, else the other one
    std::uint64_t max_bytes = 0;  ///< of memory that it may take, its tensors included; 0 for all of the device's
};

/// An input or output; a size below 0 is dynamic.
struct Signature {
    std::string name, dtype;
    Shape shape;
};

namespace detail {

constexpr std::size_t kSteps = 1u << 18, kDepth = 64;

inline const Json& part(const Json& x, const char* key) {
    if (!x.is_object()) fail("there is no object where one with '", key, "' should be");
    const auto found = x.find(key);
    if (found == x.end()) fail("'", key, "' is missing");
    return *found;
}

inline const Json& list(const Json& x) {
    if (!x.is_array()) fail("there is no list where one should be");
    return x;
}

inline std::string text(const Json& x) {
    if (!x.is_string()) fail("there is no text where one should be");
    return x.get<std::string>();
}

inline std::int64_t count(const Json& x) {
    if (!x.is_number_unsigned() || x.get<std::uint64_t>() >= std::uint64_t{1} << 62) fail("there is ", x.dump().substr(0, 40), " where a size should be");
    return x.get<std::int64_t>();
}

inline std::size_t index(const Json& x, std::size_t of) {
    const std::int64_t n = count(x);
    if (static_cast<std::uint64_t>(n) >= of) fail("there is ", n, " where one of ", of, " parts should be named");
    return static_cast<std::size_t>(n);
}

/// A double as the bits of a half, to nearest even.
inline std::uint16_t half(double x) {
    const std::uint16_t sign = std::signbit(x) ? 0x8000 : 0;
    const double a = std::fabs(x);
    if (std::isnan(x)) return 0x7e00;
    if (a >= 65520) return sign | 0x7c00;
    if (a == 0) return sign;
    const int e = std::max(std::ilogb(a), -14);
    const auto q = static_cast<std::uint16_t>(std::nearbyint(std::ldexp(a, 10 - e)));
    return static_cast<std::uint16_t>(sign + ((e + 14) << 10) + q);
}

}  // namespace detail

/// An exported program on a device.  One thread at a time may use it.
class Program {
public:
    /// Read a file; compiles what a program of fixed sizes needs.  Throws Error.
    static Program load(const std::string& path, const Options& options = {}) { return Program(path, Device(options.device), options); }

    /// The same on a device of the caller's.
    static Program load(const std::string& path, Device device, const Options& options = {}) { return Program(path, std::move(device), options); }

    const std::string& name() const { return name_; }
    const std::string& device_class() const { return class_; }
    Device& device() { return *device_; }
    const std::vector<Signature>& inputs() const { return inputs_; }
    const std::vector<Signature>& outputs() const { return outputs_; }

    /// Run it.  Returns the outputs in order.
    std::vector<Array> operator()(const std::vector<Array>& inputs) {
        bind(inputs);
        enqueue();
        std::vector<Array> found;
        for (std::size_t k = 0; k < outputs_.size(); k++) found.push_back(output(k));
        return found;
    }

    /// Copy inputs to the device.  Their sizes hold until the next call of this.
    void bind(const std::vector<Array>& inputs) {
        if (inputs.size() != inputs_.size()) fail(name_, ": it takes ", inputs_.size(), " inputs, got ", inputs.size());
        std::vector<std::int64_t> sizes;
        for (const Dimension& d : dimensions_) {
            std::int64_t n = -1;
            for (const auto& [i, k] : d.of) {
                if (k >= inputs[i].shape.size() || (n >= 0 && inputs[i].shape[k] != n)) fail(name_, ": the size ", d.name, " is not one in all inputs");
                n = inputs[i].shape[k];
            }
            if (n < d.least || n > d.most) fail(name_, ": the size ", d.name, " must be from ", d.least, " to ", d.most, ", got ", n);
            sizes.push_back(n);
        }
        for (std::size_t i = 0; i < inputs.size(); i++) check_input(i, inputs[i], sizes);
        Instance& instance = ready(sizes);
        for (std::size_t i = 0; i < inputs.size(); i++) device_->write(instance.buffers[i], inputs[i].bytes.data(), inputs[i].bytes.size());
        now_ = &instance;
    }

    /// Enqueue one run on what is bound, and return without waiting for it.
    void enqueue() {
        if (!now_) fail(name_, ": bind inputs first");
        if (now_->fresh != changes_) {
            run(now_->once, *now_);
            now_->fresh = changes_;
        }
        for (std::size_t k = 0; k < numbers_.size(); k++) values_[k] = numbers_[k].value;
        std::copy(now_->sizes.begin(), now_->sizes.end(), values_.begin() + static_cast<std::ptrdiff_t>(numbers_.size()));
        run(now_->steps, *now_);
        for (std::size_t k = 0; k < numbers_.size(); k++) numbers_[k].value = numbers_[k].real ? Value::of(values_[k].as_double()) : Value::of(whole(values_[k]));
    }

    void finish() { device_->finish(); }

    /// Output k of the last run; waits for it.  Throws what kernels have noticed, such as an index out of range.
    Array output(std::size_t k) {
        if (!now_ || k >= outputs_.size()) fail(name_, ": there is no output ", k, " yet");
        check_notes();
        const Instance::Output& o = now_->outputs.at(k);
        const DType* dtype = dtype_named(outputs_[k].dtype);
        return gathered(now_->buffers[o.buffer], *dtype, o.shape, o.strides, o.offset);
    }

    // --- numbers: learning rates, step counts, seeds --------------------------------------------------------------------------

    std::vector<std::string> number_paths() const {
        std::vector<std::string> found;
        for (const Number& n : numbers_) found.push_back(n.path);
        return found;
    }
    double number(const std::string& path) const { return numbers_[number_at(path)].value.as_double(); }
    std::int64_t whole_number(const std::string& path) const { return whole(numbers_[number_at(path)].value); }
    void set_number(const std::string& path, double value) {
        Number& n = numbers_[number_at(path)];
        if (!n.real && (!(std::fabs(value) < 9.2e18) || value != std::floor(value))) fail(name_, ": ", path, " is a whole number, got ", value);
        n.value = n.real ? Value::of(value) : Value::of(static_cast<std::int64_t>(value));
    }
    void set_number(const std::string& path, std::int64_t value) {
        Number& n = numbers_[number_at(path)];
        n.value = n.real ? Value::of(static_cast<double>(value)) : Value::of(value);
    }
    void set_number(const std::string& path, int value) { set_number(path, std::int64_t{value}); }

    // --- state: parameters, buffers, what optimisers keep ---------------------------------------------------------------------

    std::vector<std::string> state_names() const {
        std::vector<std::string> found;
        for (const State& s : state_) found.push_back(s.name);
        return found;
    }

    /// The values of a tensor that the program holds.
    Array state(const std::string& name) {
        const State& s = state_at(name);
        return gathered(memories_[s.memory].buffer.get(), *s.dtype, s.shape, s.strides, s.offset);
    }

    /// Set a tensor that the program holds.
    void set_state(const std::string& name, const Array& value) {
        const State& s = state_at(name);
        if (value.dtype != s.dtype->name || value.shape != s.shape) fail(name_, ": ", name, " is ", s.dtype->name, shown(s.shape), ", got ", value.dtype, shown(value.shape));
        Owner& m = memories_[s.memory];
        std::vector<unsigned char> whole(m.bytes);
        device_->read(whole.data(), m.buffer.get(), 0, m.bytes);
        each(s.shape, s.strides, s.offset, [&](std::size_t from, std::size_t to) { std::memcpy(&whole[to * s.dtype->size], &value.bytes[from * s.dtype->size], s.dtype->size); });
        device_->write(m.buffer.get(), whole.data(), m.bytes);
        changes_++;
    }

    /// Write all tensors that the program holds to a safetensors file, by their names.
    void save_state(const std::string& path) {
        Json header = Json::object();
        std::vector<Array> arrays;
        std::vector<const State*> order;
        for (const State& s : state_) order.push_back(&s);
        std::stable_sort(order.begin(), order.end(), [](const State* a, const State* b) { return a->dtype->size > b->dtype->size; });
        std::uint64_t at = 0;
        for (const State* s : order) {
            arrays.push_back(state(s->name));
            const std::uint64_t end = at + arrays.back().bytes.size();
            header[s->name] = {{"dtype", s->dtype->code}, {"shape", s->shape}, {"data_offsets", {at, end}}};
            at = end;
        }
        std::string described = header.dump();
        described += std::string((8 - described.size() % 8) % 8, ' ');
        std::ofstream file(path, std::ios::binary);
        unsigned char length[8];
        for (int k = 0; k < 8; k++) length[k] = static_cast<unsigned char>(static_cast<std::uint64_t>(described.size()) >> (8 * k));
        file.write(reinterpret_cast<const char*>(length), 8);
        file.write(described.data(), static_cast<std::streamsize>(described.size()));
        for (const Array& a : arrays) file.write(reinterpret_cast<const char*>(a.bytes.data()), static_cast<std::streamsize>(a.bytes.size()));
        if (!file.flush()) fail(path, ": it cannot be written");
    }

private:
    struct Dimension {
        std::string name;
        std::int64_t least, most;
        std::vector<std::pair<std::size_t, std::size_t>> of;
    };
    struct Number {
        std::string name, path;
        bool real;
        Value value;
    };
    struct Owner {
        Memory buffer;
        std::uint64_t bytes;
    };
    struct State {
        std::string name;
        const DType* dtype;
        Shape shape, strides;
        std::int64_t offset;
        std::size_t memory;
    };

    /// What one argument is set to at each run.
    struct Argument {
        cl_uint at;
        char kind;  // 'i', 'u', 'f'
        int bytes;
        Expression value;
    };

    struct Step {
        enum Kind { launch, set, check, copy, choice, loop } kind = launch;
        // launch
        Kernel kernel;
        cl_uint dimensions = 1;
        std::size_t grid[3] = {1, 1, 1}, group[3] = {1, 1, 1};
        std::vector<Argument> arguments;
        // set, check
        std::vector<std::pair<std::size_t, Expression>> values;
        std::string message;
        // copy, choice, loop: buffers and bytes
        std::size_t buffer = 0, to = 0;
        std::uint64_t byte = 0, to_byte = 0, bytes = 0;
        std::vector<Step> first, second;
    };

    /// A plan for one choice of sizes.
    struct Instance {
        struct Output {
            std::size_t buffer;
            Shape shape, strides;
            std::int64_t offset;
        };
        std::vector<Value> sizes;
        std::vector<Memory> own;
        std::vector<cl_mem> buffers;
        std::vector<std::uint64_t> bytes;
        std::vector<Step> once, steps;
        std::vector<Output> outputs;
        std::vector<std::string> notes;  // by ticket - 1
        std::size_t notes_buffer = ~std::size_t{0};
        std::uint64_t fresh = 0;
    };

    Program(const std::string& path, Device device, const Options& options) : device_(std::make_unique<Device>(std::move(device))) {
        try {
            File file(path);
            read(file, options);
            if (dimensions_.empty()) ready({});
        } catch (const Error& error) {
            const std::string told = error.what();
            throw Error(told.rfind(path, 0) == 0 ? told : path + ": " + told);
        } catch (const nlohmann::json::exception& error) {
            throw Error(path + ": it does not describe a program: " + error.what());
        } catch (const std::bad_alloc&) {
            throw Error(path + ": it takes more memory than there is");
        } catch (const std::exception& error) {
            throw Error(path + ": it does not describe a program: " + error.what());
        }
    }

    // --- reading --------------------------------------------------------------------------------------------------------------

    void read(File& file, const Options& options) {
        using namespace detail;
        program_ = file.program();
        const Json& p = program_;
        name_ = text(p.value("name", Json("program")));
        for (const Json& n : list(part(p, "numbers"))) read_number(n);
        const std::size_t first = numbers_.size();
        for (const Json& d : list(part(p, "dimensions"))) {
            Dimension made{text(part(d, "name")), count(part(d, "min")), count(part(d, "max")), {}};
            places_.emplace(made.name, places_.size());
            for (const Json& pair : list(part(d, "of"))) {
                const Json& inputs = list(part(p, "inputs"));
                const std::size_t i = index(list(pair).at(0), inputs.size());
                made.of.emplace_back(i, index(pair.at(1), list(part(inputs[i], "shape")).size()));
            }
            dimensions_.push_back(std::move(made));
        }
        if (places_.size() != first + dimensions_.size()) fail("two of its numbers have one name");
        values_.assign(places_.size(), Value{});
        for (const Json& x : list(part(p, "inputs"))) inputs_.push_back(signature(x));
        for (const Json& x : list(part(p, "outputs"))) outputs_.push_back(signature(x));
        for (const Json& s : list(part(p, "sources"))) sources_.push_back(text(s));
        choose(options.device_class);
        limit_ = options.max_bytes ? options.max_bytes : device_->memory();
        std::uint64_t total = 0;
        for (const Json& m : list(part(p, "memories"))) {
            const Entry& e = file.entry(text(part(m, "tensor")));
            if (static_cast<std::uint64_t>(count(part(m, "bytes"))) != e.size) fail("a memory is not as large as its tensor");
            total += e.size;
            if (total > limit_) fail("its tensors take more than the ", limit_, " bytes that are allowed");
        }
        for (const Json& m : p["memories"]) {
            const Entry& e = file.entry(text(m["tensor"]));
            memories_.push_back({device_->allocate(e.size), e.size});
            device_->write(memories_.back().buffer.get(), file.bytes(e).data(), e.size);
        }
        taken_ = total;
        for (const Json& s : list(part(p, "state"))) read_state(s);
        for (const Json* plan : plans_)
            for (const Json& b : list(part(*plan, "buffers")))
                if (b.is_object() && b.contains("tensor")) {
                    const std::string name = text(b["tensor"]);
                    if (!constants_.count(name)) constants_[name] = file.bytes(file.entry(name));
                }
    }

    void read_number(const Json& n) {
        using namespace detail;
        const std::string type = text(part(n, "type"));
        if (type != "int" && type != "float") fail("a number has the type '", type.substr(0, 20), "'");
        const Json& value = part(n, "value");
        Number made{text(part(n, "name")), text(part(n, "path")), type == "float", {}};
        if (made.real) {
            if (value.is_string()) made.value = constant(value, true);
            else if (value.is_number()) made.value = Value::of(value.get<double>());
            else fail("number '", made.path.substr(0, 80), "' has no value");
        } else {
            if (!value.is_number_integer()) fail("number '", made.path.substr(0, 80), "' has no value");
            made.value = Value::of(value.get<std::int64_t>());
        }
        places_.emplace(made.name, places_.size());
        numbers_.push_back(std::move(made));
    }

    Signature signature(const Json& x) const {
        using namespace detail;
        Signature made{text(part(x, "name")), text(part(x, "dtype")), {}};
        if (!dtype_named(made.dtype) || made.dtype != dtype_named(made.dtype)->name) fail("'", made.name.substr(0, 80), "' has the dtype '", made.dtype.substr(0, 20), "'");
        const Json& shape = list(part(x, "shape"));
        if (shape.size() > 64) fail("a tensor has more than 64 dimensions");
        for (const Json& n : shape) made.shape.push_back(n.is_string() ? -1 : count(n));
        return made;
    }

    void read_state(const Json& s) {
        using namespace detail;
        State made{text(part(s, "name")), dtype_named(text(part(s, "dtype"))), {}, {}, count(part(s, "offset")), index(part(s, "memory"), memories_.size())};
        if (!made.dtype) fail("'", made.name.substr(0, 80), "' has an unknown dtype");
        for (const Json& n : list(part(s, "shape"))) made.shape.push_back(count(n));
        for (const Json& n : list(part(s, "strides"))) made.strides.push_back(count(n));
        inside(made.shape, made.strides, made.offset, made.dtype->size, memories_[made.memory].bytes, made.name);
        if (static_cast<std::uint64_t>(product(made.shape)) * made.dtype->size > limit_) fail("'", made.name.substr(0, 80), "' is larger than the memory that is allowed");
        state_.push_back(std::move(made));
    }

    /// Throw unless a tensor lies in so many bytes.
    static void inside(const Shape& shape, const Shape& strides, std::int64_t offset, std::size_t item, std::uint64_t bytes, const std::string& name) {
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

    void choose(const std::string& wanted) {
        using namespace detail;
        const Json& plans = list(part(program_, "plans"));
        const std::string own = device_->processor() ? "cpu" : "gpu";
        std::string reasons;
        for (const std::string& name : wanted.empty() ? std::vector<std::string>{own, own == "cpu" ? "gpu" : "cpu"} : std::vector<std::string>{wanted}) {
            plans_.clear();
            std::string why;
            for (const Json& plan : plans) {
                const std::string its = text(part(plan, "class"));
                if (its != "cpu" && its != "gpu") fail("there is no device class '", its.substr(0, 20), "'");
                if (its != name) continue;
                plans_.push_back(&plan);
                if (why.empty()) why = refused(part(plan, "needs"));
            }
            if (!plans_.empty() && why.empty()) {
                class_ = name;
                return;
            }
            if (!plans_.empty()) reasons += "; the " + name + " class does not run, since " + why;
        }
        fail("it has no kernels for ", device_->name(), reasons, "; export it with device_classes=(\"cpu\", \"gpu\")");
    }

    std::string refused(const Json& needs) const {
        using namespace detail;
        const auto yes = [&](const char* key) { return part(needs, key).is_boolean() && needs[key].get<bool>(); };
        if (yes("fp64") && !device_->has("cl_khr_fp64")) return "it computes in double precision";
        if (yes("fp16") && !device_->has("cl_khr_fp16")) return "it computes in half precision";
        if (yes("int64_atomics") && !(device_->has("cl_khr_int64_base_atomics") && device_->has("cl_khr_int64_extended_atomics"))) return "it needs atomic operations on 64 bits";
        if (static_cast<std::size_t>(count(part(needs, "work_group"))) > device_->work_group()) return "its work-groups are larger than the device allows";
        if (static_cast<std::uint64_t>(count(part(needs, "local_memory"))) > device_->local_memory()) return "its work-groups take more local memory than the device has";
        return "";
    }

    // --- instances ------------------------------------------------------------------------------------------------------------

    Instance& ready(const std::vector<std::int64_t>& sizes) {
        const auto found = instances_.find(sizes);
        if (found != instances_.end()) return *found->second;
        if (instances_.size() >= 8) {
            now_ = nullptr;
            device_->finish();
            instances_.clear();
        }
        auto made = std::make_unique<Instance>();
        for (const std::int64_t n : sizes) made->sizes.push_back(Value::of(n));
        const Json* plan = nullptr;
        for (const Json* p : plans_)
            if (!plan && (!p->contains("where") || evaluated((*p)["where"], *made).truth())) plan = p;
        if (!plan) fail(name_, ": the file has no plan for these sizes");
        fill(*made, *plan);
        return *(instances_[sizes] = std::move(made));
    }

    void fill(Instance& made, const Json& plan) {
        using namespace detail;
        const Json& buffers = list(part(plan, "buffers"));
        if (buffers.size() > kSteps) fail("it has too many buffers");
        std::uint64_t total = taken_;
        for (const Json& b : buffers) {
            const std::string kind = text(part(b, "kind"));
            if (kind == "memory") made.bytes.push_back(memories_[index(part(b, "memory"), memories_.size())].bytes);
            else if (kind == "input") made.bytes.push_back(input_bytes(index(part(b, "input"), inputs_.size()), made));
            else if (kind == "notes") made.bytes.push_back(32);
            else if (kind == "constant" || (kind == "kept" && b.contains("tensor"))) made.bytes.push_back(constants_.at(text(part(b, "tensor"))).size());
            else if (kind == "kept" || kind == "output" || kind == "temporary") made.bytes.push_back(static_cast<std::uint64_t>(size(part(b, "bytes"), made)));
            else fail("there is no kind '", kind.substr(0, 20), "' of buffers");
            if (kind != "memory") total += made.bytes.back();
            if (total > limit_) fail("the program takes more than the ", limit_, " bytes of memory that are allowed");
        }
        for (std::size_t k = 0; k < buffers.size(); k++) {
            const std::string kind = text(buffers[k]["kind"]);
            if (kind == "memory") {
                made.buffers.push_back(memories_[index(buffers[k]["memory"], memories_.size())].buffer.get());
                continue;
            }
            made.own.push_back(device_->allocate(made.bytes[k]));
            made.buffers.push_back(made.own.back().get());
            if (kind == "notes") {
                made.notes_buffer = k;
                const std::int64_t zeros[4] = {};
                device_->write(made.buffers[k], zeros, 32);
            } else if (buffers[k].contains("tensor")) {
                device_->write(made.buffers[k], constants_[text(buffers[k]["tensor"])].data(), made.bytes[k]);
            }
        }
        for (std::size_t i = 0; i < inputs_.size(); i++)
            if (i >= buffers.size() || buffers[i]["kind"] != "input" || buffers[i]["input"] != i) fail("its first buffers are not its inputs");
        const Json& outputs = part(program_, "outputs");
        for (std::size_t k = 0; k < outputs.size(); k++) {
            const Json& o = outputs[k];
            Instance::Output out{index(part(o, "buffer"), buffers.size()), {}, {}, size(part(o, "offset"), made)};
            for (const Json& n : list(part(o, "shape"))) out.shape.push_back(size(n, made));
            for (const Json& n : list(part(o, "strides"))) out.strides.push_back(size(n, made));
            inside(out.shape, out.strides, out.offset, dtype_named(outputs_[k].dtype)->size, made.bytes[out.buffer], outputs_[k].name);
            if (static_cast<std::uint64_t>(product(out.shape)) * dtype_named(outputs_[k].dtype)->size > limit_) fail("an output is larger than the memory that is allowed");
            made.outputs.push_back(std::move(out));
        }
        std::size_t left = kSteps;
        made.once = steps(part(plan, "once"), made, buffers, left, 0);
        made.steps = steps(part(plan, "steps"), made, buffers, left, 0);
        made.fresh = changes_ - 1;
    }

    std::uint64_t input_bytes(std::size_t i, const Instance& made) {
        using namespace detail;
        Shape shape;
        for (const Json& n : part(program_["inputs"][i], "shape")) shape.push_back(size(n, made));
        return static_cast<std::uint64_t>(product(shape)) * dtype_named(inputs_[i].dtype)->size;
    }

    std::vector<Step> steps(const Json& described, Instance& made, const Json& buffers, std::size_t& left, std::size_t depth) {
        using namespace detail;
        if (depth > kDepth) fail("its steps are nested too deep");
        std::vector<Step> found;
        for (const Json& s : list(described)) {
            if (!left--) fail("it has too many steps");
            Step step;
            if (s.is_object() && s.contains("kernel")) launch(step, s, made, buffers);
            else if (s.is_object() && s.contains("set")) {
                step.kind = Step::set;
                for (const Json& pair : list(s["set"])) {
                    Expression value = expression(list(pair).at(1));
                    step.values.emplace_back(place(text(pair.at(0))), std::move(value));
                }
            } else if (s.is_object() && s.contains("check")) {
                step.kind = Step::check;
                step.values.emplace_back(0, expression(s["check"]));
                step.message = text(part(s, "message"));
            } else if (s.is_object() && s.contains("copy")) {
                const Json& c = list(s["copy"]);
                step.kind = Step::copy;
                step.buffer = index(c.at(0), buffers.size());
                step.byte = static_cast<std::uint64_t>(size(c.at(1), made));
                step.to = index(c.at(2), buffers.size());
                step.to_byte = static_cast<std::uint64_t>(size(c.at(3), made));
                step.bytes = static_cast<std::uint64_t>(size(c.at(4), made));
                if (buffers[step.to]["kind"] == "constant" || buffers[step.to]["kind"] == "notes") fail("it copies to a buffer that is never written to");
                range(made, step.buffer, step.byte, step.bytes, "a copy");
                range(made, step.to, step.to_byte, step.bytes, "a copy");
            } else if (s.is_object() && (s.contains("if") || s.contains("while"))) {
                const bool loops = s.contains("while");
                const Json& what = list(s[loops ? "while" : "if"]);
                step.kind = loops ? Step::loop : Step::choice;
                step.buffer = index(what.at(0), buffers.size());
                step.byte = static_cast<std::uint64_t>(size(what.at(1), made));
                range(made, step.buffer, step.byte, 1, "what decides");
                step.first = steps(part(s, loops ? "test" : "then"), made, buffers, left, depth + 1);
                step.second = steps(part(s, loops ? "do" : "else"), made, buffers, left, depth + 1);
            } else fail("there is a step of an unknown kind");
            found.push_back(std::move(step));
        }
        return found;
    }

    void launch(Step& step, const Json& s, Instance& made, const Json& buffers) {
        using namespace detail;
        const std::string name = text(s["kernel"]);
        const Json &grid = list(part(s, "global")), &group = list(part(s, "local"));
        if (grid.empty() || grid.size() > 3 || group.size() != grid.size()) fail("kernel '", name.substr(0, 80), "' has a grid of no or too many dimensions");
        step.dimensions = static_cast<cl_uint>(grid.size());
        std::size_t items = 1;
        for (std::size_t k = 0; k < grid.size(); k++) {
            step.grid[k] = static_cast<std::size_t>(size(grid[k], made));
            step.group[k] = static_cast<std::size_t>(size(group[k], made));
            if (!step.group[k] || step.group[k] > device_->work_group() || step.grid[k] % step.group[k]) fail("kernel '", name.substr(0, 80), "' has a grid that ", device_->name(), " cannot run");
            items *= step.group[k];
        }
        if (items > device_->work_group()) fail("kernel '", name.substr(0, 80), "' has work-groups that ", device_->name(), " cannot run");
        const std::string& source = sources_[index(part(s, "source"), sources_.size())];
        const auto key = std::make_pair(static_cast<const void*>(&source), name);
        if (!parameters_.count(key)) parameters_[key] = parameters(source, name);
        const std::vector<std::string>& kinds = parameters_[key];
        step.kernel = device_->kernel(source, name);
        const cl_uint count = static_cast<cl_uint>(kinds.size());
        cl_uint at = 0;
        const auto takes = [&](std::initializer_list<const char*> allowed) {
            for (const char* kind : allowed)
                if (at < count && kinds[at] == kind) return;
            fail("argument ", at, " of kernel '", name.substr(0, 80), "' does not fit its parameter: ", at < count ? kinds[at] : "there is none");
        };
        const auto put = [&](std::size_t bytes, const void* value) {
            if (at >= count || clSetKernelArg(step.kernel.get(), at, bytes, value) != CL_SUCCESS) fail("argument ", at, " of kernel '", name.substr(0, 80), "' does not fit its parameter");
            at++;
        };
        for (const Json& a : list(part(s, "arguments"))) {
            const std::string kind = text(list(a).at(0));
            if (kind == "tensor" || kind == "buffer") {
                const std::size_t k = index(a.at(1), buffers.size());
                takes({"pointer"});
                put(sizeof(cl_mem), &made.buffers[k]);
                if (kind == "buffer") continue;
                const std::int64_t offset = size(a.at(2), made), item = size(a.at(3), made), extent = size(a.at(4), made);
                if (extent) {
                    if (item > 64 || offset > (std::int64_t{1} << 55) || extent > (std::int64_t{1} << 55)) fail("an operand of '", name.substr(0, 80), "' does not lie in its buffer");
                    range(made, k, static_cast<std::uint64_t>(offset * item), static_cast<std::uint64_t>(extent * item), name);
                }
                takes({"long", "ulong"});
                put(sizeof offset, &offset);
            } else if (kind == "ticket") {
                made.notes.push_back(s.contains("notes") ? text(s["notes"]) : "a kernel met a value that it cannot work with: {value}");
                const std::int64_t ticket = static_cast<std::int64_t>(made.notes.size());
                takes({"long", "ulong"});
                put(sizeof ticket, &ticket);
            } else {
                if (kind != "i32" && kind != "u32" && kind != "i64" && kind != "u64" && kind != "f16" && kind != "f32" && kind != "f64") fail("there is no kind '", kind.substr(0, 20), "' of arguments");
                Argument argument{at, kind[0], kind == "f16" ? 2 : kind[1] == '3' ? 4 : 8, expression(a.at(1))};
                if (kind == "f32") takes({"float"});
                else if (kind == "f64") takes({"double"});
                else if (kind == "f16") takes({"half", "short", "ushort"});
                else if (argument.bytes == 4) takes({"int", "uint"});
                else takes({"long", "ulong"});
                unsigned char bytes[8] = {};
                if (only_sizes(a.at(1))) {
                    prime(made);
                    converted(argument, argument.value(values_), bytes);
                    put(static_cast<std::size_t>(argument.bytes), bytes);
                } else {
                    put(static_cast<std::size_t>(argument.bytes), bytes);
                    step.arguments.push_back(std::move(argument));
                }
            }
        }
        if (at != count) fail("kernel '", name.substr(0, 80), "' has ", count, " parameters, ", at, " arguments are given");
    }

    /// Whether a number depends on sizes alone.
    bool only_sizes(const Json& x) const {
        if (!x.is_string()) return true;
        bool only = true;
        Expression(x.get<std::string>(), [&](const std::string& name) {
            const auto found = places_.find(name);
            only = only && found != places_.end() && found->second >= numbers_.size() && found->second < numbers_.size() + dimensions_.size();
            return std::size_t{0};
        });
        return only;
    }

    static void range(const Instance& made, std::size_t buffer, std::uint64_t first, std::uint64_t count, const std::string& what) {
        if (count > made.bytes[buffer] || first > made.bytes[buffer] - count)
            fail(what.substr(0, 80), " takes bytes ", first, " to ", first + count, " of a buffer of ", made.bytes[buffer]);
    }

    // --- numbers --------------------------------------------------------------------------------------------------------------

    /// The place of a name among the values, a new one if need be.
    std::size_t place(const std::string& name) {
        const auto found = places_.emplace(name, places_.size()).first;
        if (values_.size() < places_.size()) values_.resize(places_.size());
        return found->second;
    }

    Expression expression(const Json& x) const {
        if (x.is_number_integer()) return Expression(Value::of(x.get<std::int64_t>()));
        if (x.is_number()) return Expression(Value::of(x.get<double>()));
        return Expression(detail::text(x), [&](const std::string& name) {
            const auto found = places_.find(name);
            if (found == places_.end()) fail("an expression depends on '", name.substr(0, 80), "', which is no number of the program");
            return found->second;
        });
    }

    Value constant(const Json& x, bool real) const {
        const Value found = Expression(detail::text(x), [](const std::string& name) -> std::size_t { fail("'", name.substr(0, 80), "' is no number"); })({});
        return real ? Value::of(found.as_double()) : found;
    }

    /// Put the sizes among the values.
    void prime(const Instance& made) { std::copy(made.sizes.begin(), made.sizes.end(), values_.begin() + static_cast<std::ptrdiff_t>(numbers_.size())); }

    Value evaluated(const Json& x, const Instance& made) {
        if (x.is_number_integer()) return Value::of(x.get<std::int64_t>());
        const Expression e = expression(x);
        prime(made);
        return e(values_);
    }

    std::int64_t size(const Json& x, const Instance& made) {
        if (!x.is_string()) return detail::count(x);
        const Value found = evaluated(x, made);
        if (found.real || found.whole < 0 || found.whole >= (std::int64_t{1} << 62)) fail("a size, '", x.get<std::string>().substr(0, 80), "', is no whole number of at least 0");
        return found.whole;
    }

    static std::int64_t whole(const Value& v) {
        if (!v.real) return v.whole;
        return std::fabs(v.number) < 9.2e18 ? static_cast<std::int64_t>(v.number) : 0;
    }

    static void converted(const Argument& a, const Value& v, unsigned char* bytes) {
        if (a.kind != 'f') {
            const std::int64_t n = whole(v);
            std::memcpy(bytes, &n, static_cast<std::size_t>(a.bytes));  // little-endian
        } else if (a.bytes == 8) {
            const double x = v.as_double();
            std::memcpy(bytes, &x, 8);
        } else if (a.bytes == 4) {
            const float x = static_cast<float>(v.as_double());
            std::memcpy(bytes, &x, 4);
        } else {
            const std::uint16_t x = detail::half(v.as_double());
            std::memcpy(bytes, &x, 2);
        }
    }

    std::size_t number_at(const std::string& path) const {
        for (std::size_t k = 0; k < numbers_.size(); k++)
            if (numbers_[k].path == path) return k;
        fail(name_, ": there is no number '", path, "'");
    }

    // --- running --------------------------------------------------------------------------------------------------------------

    void run(const std::vector<Step>& steps, Instance& instance) {
        for (const Step& s : steps) {
            switch (s.kind) {
                case Step::launch: {
                    for (const Argument& a : s.arguments) {
                        unsigned char bytes[8];
                        converted(a, a.value(values_), bytes);
                        check(clSetKernelArg(s.kernel.get(), a.at, static_cast<std::size_t>(a.bytes), bytes), "clSetKernelArg");
                    }
                    if (s.grid[0] && s.grid[1] && s.grid[2])
                        check(clEnqueueNDRangeKernel(device_->queue(), s.kernel.get(), s.dimensions, nullptr, s.grid, s.group, 0, nullptr, nullptr), "clEnqueueNDRangeKernel");
                    break;
                }
                case Step::set:
                    for (const auto& [place, value] : s.values) values_[place] = value(values_);
                    break;
                case Step::check:
                    if (!s.values[0].second(values_).truth()) fail(name_, ": ", s.message);
                    break;
                case Step::copy:
                    if (s.bytes) check(clEnqueueCopyBuffer(device_->queue(), instance.buffers[s.buffer], instance.buffers[s.to], s.byte, s.to_byte, s.bytes, 0, nullptr, nullptr), "clEnqueueCopyBuffer");
                    break;
                case Step::choice:
                    run(decided(s, instance) ? s.first : s.second, instance);
                    break;
                case Step::loop:
                    for (run(s.first, instance); decided(s, instance); run(s.first, instance)) run(s.second, instance);
                    break;
            }
        }
    }

    bool decided(const Step& s, const Instance& instance) {
        unsigned char byte = 0;
        device_->read(&byte, instance.buffers[s.buffer], s.byte, 1);
        check_notes();
        return byte != 0;
    }

    void check_notes() {
        if (!now_ || now_->notes.empty() || now_->notes_buffer >= now_->buffers.size()) return;
        std::int64_t note[4] = {};
        device_->read(note, now_->buffers[now_->notes_buffer], 0, 32);
        if (!note[0]) return;
        const std::int64_t zeros[4] = {};
        device_->write(now_->buffers[now_->notes_buffer], zeros, 32);
        std::string told = note[0] > 0 && static_cast<std::uint64_t>(note[0]) <= now_->notes.size() ? now_->notes[static_cast<std::size_t>(note[0] - 1)] : "a kernel met a value that it cannot work with";
        const bool lost = note[1] < -(std::int64_t{1} << 61);
        float real;
        const auto low = static_cast<std::uint32_t>(note[1]);
        std::memcpy(&real, &low, 4);
        replace(told, "{value}", std::to_string(lost ? note[1] + (std::int64_t{1} << 62) : note[1]));
        replace(told, "{size}", lost ? "?" : std::to_string(note[2]));
        replace(told, "{float}", std::to_string(real));
        fail(name_, ": ", told);
    }

    static void replace(std::string& text, const std::string& what, const std::string& by) {
        const std::size_t at = text.find(what);
        if (at != std::string::npos) text.replace(at, what.size(), by);
    }

    void check_input(std::size_t i, const Array& given, const std::vector<std::int64_t>& sizes) {
        const Signature& wanted = inputs_[i];
        if (given.dtype != wanted.dtype) fail(name_, ": ", wanted.name, " must have dtype ", wanted.dtype, ", got ", given.dtype);
        Instance probe;
        for (const std::int64_t n : sizes) probe.sizes.push_back(Value::of(n));
        Shape shape;
        for (const Json& n : program_["inputs"][i]["shape"]) shape.push_back(size(n, probe));
        if (given.shape != shape) fail(name_, ": ", wanted.name, " must have shape ", shown(shape), ", got ", shown(given.shape));
        if (given.bytes.size() != static_cast<std::size_t>(product(shape)) * dtype_named(wanted.dtype)->size) fail(name_, ": ", wanted.name, " has fewer or more bytes than its shape");
    }

    const State& state_at(const std::string& name) const {
        for (const State& s : state_)
            if (s.name == name) return s;
        fail(name_, ": it holds no tensor '", name, "'");
    }

    template <class Visit>
    static void each(const Shape& shape, const Shape& strides, std::int64_t offset, const Visit& visit) {
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

    /// The elements that strides show of a buffer, row by row.
    Array gathered(cl_mem buffer, const DType& dtype, const Shape& shape, const Shape& strides, std::int64_t offset) const {
        Array made(dtype.name, shape);
        std::int64_t step = 1, last = 0;
        bool dense = true;
        for (std::size_t d = shape.size(); d--;) {
            dense = dense && (shape[d] == 1 || strides[d] == step);
            step *= shape[d];
            last += (shape[d] - 1) * strides[d];
        }
        if (made.bytes.empty()) return made;
        if (dense) {
            device_->read(made.bytes.data(), buffer, static_cast<std::uint64_t>(offset) * dtype.size, made.bytes.size());
            return made;
        }
        std::vector<unsigned char> whole(static_cast<std::size_t>(last + 1) * dtype.size);
        device_->read(whole.data(), buffer, static_cast<std::uint64_t>(offset) * dtype.size, whole.size());
        each(shape, strides, 0, [&](std::size_t to, std::size_t from) { std::memcpy(&made.bytes[to * dtype.size], &whole[from * dtype.size], dtype.size); });
        return made;
    }

    std::unique_ptr<Device> device_;
    Json program_;
    std::string name_, class_;
    std::vector<Dimension> dimensions_;
    std::vector<Signature> inputs_, outputs_;
    std::vector<Number> numbers_;
    std::vector<std::string> sources_;
    std::vector<Owner> memories_;
    std::vector<State> state_;
    std::map<std::string, std::vector<unsigned char>> constants_;
    std::vector<const Json*> plans_;  // into program_
    std::map<std::string, std::size_t> places_;  // of values: numbers, sizes, then what steps set
    std::vector<Value> values_;
    std::map<std::vector<std::int64_t>, std::unique_ptr<Instance>> instances_;
    std::map<std::pair<const void*, std::string>, std::vector<std::string>> parameters_;  // of kernels, by text and name
    Instance* now_ = nullptr;
    std::uint64_t limit_ = 0, taken_ = 0, changes_ = 1;
};

}  // namespace ct::player
