// Program: an exported program that is loaded and runs.  docs/program-format.md says what files hold.
#pragma once

#include <cmath>
#include <cstdint>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "file.hpp"
#include "instance.hpp"

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

/// An exported program on a device.  One thread at a time may use it.
class Program {
public:
    /// Read a file; compiles what a program of fixed sizes needs.  Throws Error.
    static Program load(const std::string& path, const Options& options = {}) { return Program(path, Device(options.device), options); }

    /// The same on a device of the caller's.
    static Program load(const std::string& path, Device device, const Options& options = {}) { return Program(path, std::move(device), options); }

    const std::string& name() const { return shared_->name; }
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
        if (inputs.size() != inputs_.size()) fail(name(), ": it takes ", inputs_.size(), " inputs, got ", inputs.size());
        const std::vector<std::int64_t> sizes = sizes_of(inputs);
        shared_->numbers.put_sizes(sizes);
        for (std::size_t i = 0; i < inputs.size(); i++) check_input(i, inputs[i]);
        Instance& instance = ready(sizes);
        for (std::size_t i = 0; i < inputs.size(); i++) device_->write(instance.buffer(i), inputs[i].bytes.data(), inputs[i].bytes.size());
        now_ = &instance;
    }

    /// Enqueue one run on what is bound, and return without waiting for it.
    void enqueue() {
        if (!now_) fail(name(), ": bind inputs first");
        now_->run(changes_);
    }

    void finish() { device_->finish(); }

    /// Output k of the last run; waits for it.  Throws what kernels have noticed, such as an index out of range.
    Array output(std::size_t k) {
        if (!now_ || k >= outputs_.size()) fail(name(), ": there is no output ", k, " yet");
        now_->check_notes();
        const Instance::Output& o = now_->output(k);
        return gathered(now_->buffer(o.buffer), *o.dtype, o.shape, o.strides, o.offset);
    }

    // --- numbers: learning rates, step counts, seeds --------------------------------------------------------------------------

    std::vector<std::string> number_paths() const {
        std::vector<std::string> found;
        for (const Numbers::Number& n : shared_->numbers.lasting()) found.push_back(n.path);
        return found;
    }
    double number(const std::string& path) const { return shared_->numbers.at(path).value.as_double(); }
    std::int64_t whole_number(const std::string& path) const { return Numbers::whole(shared_->numbers.at(path).value); }
    void set_number(const std::string& path, double value) {
        Numbers::Number& n = shared_->numbers.at(path);
        if (!n.real && (!(std::fabs(value) < 9.2e18) || value != std::floor(value))) fail(name(), ": ", path, " is a whole number, got ", value);
        n.value = n.real ? Value::of(value) : Value::of(static_cast<std::int64_t>(value));
    }
    void set_number(const std::string& path, std::int64_t value) {
        Numbers::Number& n = shared_->numbers.at(path);
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
    Array state(const std::string& name) const {
        const State& s = state_at(name);
        return gathered(shared_->memories[s.memory].buffer.get(), *s.dtype, s.shape, s.strides, s.offset);
    }

    /// Set a tensor that the program holds.
    void set_state(const std::string& name, const Array& value) {
        const State& s = state_at(name);
        if (value.dtype != s.dtype->name || value.shape != s.shape) fail(this->name(), ": ", name, " is ", s.dtype->name, shown(s.shape), ", got ", value.dtype, shown(value.shape));
        Lasting& m = shared_->memories[s.memory];
        std::vector<unsigned char> whole(m.bytes);
        device_->read(whole.data(), m.buffer.get(), 0, m.bytes);
        const std::size_t item = s.dtype->size;
        each(s.shape, s.strides, s.offset, [&](std::size_t from, std::size_t to) { std::memcpy(&whole[to * item], &value.bytes[from * item], item); });
        device_->write(m.buffer.get(), whole.data(), m.bytes);
        changes_++;
    }

    /// Write all tensors that the program holds to a safetensors file, by their names.
    void save_state(const std::string& path) const {
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
    struct State {
        std::string name;
        const DType* dtype;
        Shape shape, strides;
        std::int64_t offset;
        std::size_t memory;
    };

    Program(const std::string& path, Device device, const Options& options) : device_(std::make_unique<Device>(std::move(device))), shared_(std::make_unique<Shared>()) {
        try {
            File file(path);
            read(file, options);
            if (shared_->numbers.dimensions().empty()) ready({});
        } catch (const Error& error) {
            const std::string told = error.what();
            throw Error(told.rfind(path, 0) == 0 ? told : path + ": " + told);
        } catch (const std::bad_alloc&) {
            throw Error(path + ": it takes more memory than there is");
        } catch (const std::exception& error) {
            throw Error(path + ": it does not describe a program: " + error.what());
        }
    }

    // --- reading --------------------------------------------------------------------------------------------------------------

    void read(File& file, const Options& options) {
        using namespace detail;
        const Json& p = shared_->program = file.program();
        shared_->name = text(p.value("name", Json("program")));
        shared_->numbers.read(p);
        for (const Json& x : list(part(p, "inputs"))) inputs_.push_back(signature(x));
        for (const Json& x : list(part(p, "outputs"))) outputs_.push_back(signature(x));
        for (const Json& s : list(part(p, "sources"))) shared_->sources.push_back(text(s));
        choose(options.device_class);
        shared_->limit = options.max_bytes ? options.max_bytes : device_->memory();
        read_memories(file, list(part(p, "memories")));
        for (const Json& s : list(part(p, "state"))) read_state(s);
        for (const Json* plan : plans_)
            for (const Json& b : list(part(*plan, "buffers")))
                if (b.is_object() && b.contains("tensor")) {
                    const std::string name = text(b["tensor"]);
                    if (!shared_->constants.count(name)) shared_->constants[name] = file.bytes(file.entry(name));
                }
    }

    void read_memories(File& file, const Json& memories) {
        using namespace detail;
        for (const Json& m : memories) {
            const Entry& e = file.entry(text(part(m, "tensor")));
            if (static_cast<std::uint64_t>(count(part(m, "bytes"))) != e.size) fail("a memory is not as large as its tensor");
            shared_->taken += e.size;
            if (shared_->taken > shared_->limit) fail("its tensors take more than the ", shared_->limit, " bytes that are allowed");
        }
        for (const Json& m : memories) {
            const Entry& e = file.entry(text(m["tensor"]));
            shared_->memories.push_back({device_->allocate(e.size), e.size});
            device_->write(shared_->memories.back().buffer.get(), file.bytes(e).data(), e.size);
        }
    }

    static Signature signature(const Json& x) {
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
        State made{text(part(s, "name")), dtype_named(text(part(s, "dtype"))), {}, {}, count(part(s, "offset")), index(part(s, "memory"), shared_->memories.size())};
        if (!made.dtype) fail("'", made.name.substr(0, 80), "' has an unknown dtype");
        for (const Json& n : list(part(s, "shape"))) made.shape.push_back(count(n));
        for (const Json& n : list(part(s, "strides"))) made.strides.push_back(count(n));
        inside(made.shape, made.strides, made.offset, made.dtype->size, shared_->memories[made.memory].bytes, made.name);
        if (static_cast<std::uint64_t>(product(made.shape)) * made.dtype->size > shared_->limit) fail("'", made.name.substr(0, 80), "' is larger than the memory that is allowed");
        state_.push_back(std::move(made));
    }

    void choose(const std::string& wanted) {
        using namespace detail;
        const Json& plans = list(part(shared_->program, "plans"));
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

    // --- calls ----------------------------------------------------------------------------------------------------------------

    std::vector<std::int64_t> sizes_of(const std::vector<Array>& inputs) const {
        std::vector<std::int64_t> sizes;
        for (const Dimension& d : shared_->numbers.dimensions()) {
            std::int64_t n = -1;
            for (const auto& [i, k] : d.of) {
                if (k >= inputs[i].shape.size() || (n >= 0 && inputs[i].shape[k] != n)) fail(name(), ": the size ", d.name, " is not one in all inputs");
                n = inputs[i].shape[k];
            }
            if (n < d.least || n > d.most) fail(name(), ": the size ", d.name, " must be from ", d.least, " to ", d.most, ", got ", n);
            sizes.push_back(n);
        }
        return sizes;
    }

    void check_input(std::size_t i, const Array& given) const {
        const Signature& wanted = inputs_[i];
        if (given.dtype != wanted.dtype) fail(name(), ": ", wanted.name, " must have dtype ", wanted.dtype, ", got ", given.dtype);
        Shape shape;
        for (const Json& n : shared_->program.at("inputs").at(i).at("shape")) shape.push_back(shared_->numbers.size(n));
        if (given.shape != shape) fail(name(), ": ", wanted.name, " must have shape ", shown(shape), ", got ", shown(given.shape));
        if (given.bytes.size() != static_cast<std::size_t>(product(shape)) * dtype_named(wanted.dtype)->size) fail(name(), ": ", wanted.name, " has fewer or more bytes than its shape");
    }

    /// The instance for these sizes; eight are kept.
    Instance& ready(const std::vector<std::int64_t>& sizes) {
        const auto found = instances_.find(sizes);
        if (found != instances_.end()) return *found->second;
        if (instances_.size() >= 8) {
            now_ = nullptr;
            device_->finish();
            instances_.clear();
        }
        shared_->numbers.put_sizes(sizes);
        const Json* plan = nullptr;
        for (const Json* p : plans_)
            if (!plan && (!p->contains("where") || shared_->numbers.now((*p)["where"]).truth())) plan = p;
        if (!plan) fail(name(), ": the file has no plan for these sizes");
        return *(instances_[sizes] = std::make_unique<Instance>(*shared_, *device_, *plan, sizes));
    }

    const State& state_at(const std::string& name) const {
        for (const State& s : state_)
            if (s.name == name) return s;
        fail(this->name(), ": it holds no tensor '", name, "'");
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
        const std::uint64_t start = static_cast<std::uint64_t>(offset) * dtype.size;
        if (dense) {
            device_->read(made.bytes.data(), buffer, start, made.bytes.size());
            return made;
        }
        std::vector<unsigned char> whole(static_cast<std::size_t>(last + 1) * dtype.size);
        device_->read(whole.data(), buffer, start, whole.size());
        each(shape, strides, 0, [&](std::size_t to, std::size_t from) { std::memcpy(&made.bytes[to * dtype.size], &whole[from * dtype.size], dtype.size); });
        return made;
    }

    std::unique_ptr<Device> device_;
    std::unique_ptr<Shared> shared_;
    std::string class_;
    std::vector<Signature> inputs_, outputs_;
    std::vector<State> state_;
    std::vector<const Json*> plans_;  // into the program
    std::map<std::vector<std::int64_t>, std::unique_ptr<Instance>> instances_;
    Instance* now_ = nullptr;
    std::uint64_t changes_ = 1;
};

}  // namespace ct::player
