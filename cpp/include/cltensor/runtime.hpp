// The runtime of a process: one device, one kernel pack, one pool; and launches of the pack's kernels by their interfaces.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "device.hpp"
#include "pack.hpp"

namespace ct {

class Runtime {
public:
    Runtime(const std::string& device, const std::string& pack)
        : opencl_(std::make_shared<OpenCL>(device)), pool_(std::make_shared<Pool>(opencl_)), pack_(pack) {
        const std::int64_t zeros[4] = {};
        faults_ = pool_->allocate(sizeof zeros);
        write(*faults_, 0, zeros, sizeof zeros);
    }

    /// A number of its own among all of the process.
    std::uint64_t number() const { return number_; }
    const OpenCL& opencl() const { return *opencl_; }
    const Pack& pack() const { return pack_; }
    std::shared_ptr<Memory> allocate(std::size_t bytes) { return pool_->allocate(bytes); }
    void clear_pool() { pool_->clear(); }
    std::recursive_mutex& lock() { return lock_; }

    /// The key of a kernel for this device's launch style.
    std::string key(const std::string& op, const std::string& dtype, const std::string& layout = "") const {
        return name(opencl_->style()) + "/" + op + "/" + dtype + (layout.empty() ? "" : "/" + layout);
    }

    /// The kernel object of a pack's kernel; compiled at its first use.
    cl_kernel compiled(const KernelText& kernel) {
        auto found = kernels_.find(&kernel);
        if (found == kernels_.end()) {
            ProgramHandle program = opencl_->program(kernel.source);
            cl_int status;
            KernelHandle made(clCreateKernel(program.get(), kernel.function.c_str(), &status));
            checked(status, "clCreateKernel");
            found = kernels_.emplace(&kernel, std::make_pair(std::move(program), std::move(made))).first;
        }
        return found->second.second.get();
    }

    void write(const Memory& to, std::size_t offset, const void* from, std::size_t bytes) {
        if (bytes)
            checked(clEnqueueWriteBuffer(opencl_->queue(), to.get(), CL_TRUE, offset, bytes, from, 0, nullptr, nullptr),
                    "clEnqueueWriteBuffer");
    }

    /// Copy to the host, after all launches so far; throws where one of them met an index out of range.
    void read(const Memory& from, std::size_t offset, void* to, std::size_t bytes) {
        if (bytes)
            checked(clEnqueueReadBuffer(opencl_->queue(), from.get(), CL_TRUE, offset, bytes, to, 0, nullptr, nullptr),
                    "clEnqueueReadBuffer");
        raise_faults();
    }

    // --- faults: what kernels that read indices note instead of stopping ---

    const std::shared_ptr<Memory>& faults() const { return faults_; }

    /// The number of a launch that may leave a note; `call` goes into the message.
    std::int64_t ticket(const std::string& call) {
        noting_.emplace_back(++tickets_, call);
        if (noting_.size() > 4096) noting_.pop_front();
        suspect_ = true;
        return tickets_;
    }

private:
    static std::uint64_t next_number() {
        static std::atomic<std::uint64_t> last{0};
        return ++last;
    }

    std::uint64_t number_ = next_number();
    std::shared_ptr<OpenCL> opencl_;
    std::shared_ptr<Pool> pool_;
    Pack pack_;
    std::recursive_mutex lock_;
    std::unordered_map<const KernelText*, std::pair<ProgramHandle, KernelHandle>> kernels_;
    std::shared_ptr<Memory> faults_;
    std::deque<std::pair<std::int64_t, std::string>> noting_;
    std::int64_t tickets_ = 0;
    bool suspect_ = false;

    void raise_faults() {
        if (!suspect_) return;
        suspect_ = false;
        std::int64_t note[4];
        checked(clEnqueueReadBuffer(opencl_->queue(), faults_->get(), CL_TRUE, 0, sizeof note, note, 0, nullptr, nullptr),
                "clEnqueueReadBuffer");
        if (!note[0]) return;
        const std::int64_t zeros[4] = {};
        write(*faults_, 0, zeros, sizeof zeros);
        std::string call = "indexing";
        for (const auto& [number, who] : noting_)
            if (number == note[0]) call = who;
        fail(call, ": index ", note[1], " is out of range for a dimension of size ", note[2], "; use 0 to ", note[2] - 1);
    }
};

namespace detail {

inline std::unique_ptr<Runtime>& runtime_slot() {
    static std::unique_ptr<Runtime> slot;
    return slot;
}

}  // namespace detail

/// Open a device with a kernel pack.  device: as CLTENSOR_DEVICE, which is taken where it is ""; pack: a file, as CLTENSOR_PACK.
/// Nothing of an earlier device may be left.  Without it, the first tensor opens what the variables say.
inline void start(const std::string& device = "", std::string pack = "") {
    if (pack.empty()) pack = detail::setting("CLTENSOR_PACK");
    if (pack.empty()) pack = "cltensor-kernels.json";
    detail::runtime_slot() = std::make_unique<Runtime>(device.empty() ? detail::setting("CLTENSOR_DEVICE") : device, pack);
}

inline Runtime& runtime() {
    if (!detail::runtime_slot()) start();
    return *detail::runtime_slot();
}

/// Wait until everything that was launched is done.
inline void synchronize() { runtime().opencl().finish(); }

/// One launch of a kernel: its arguments by name, then run().  What a kernel does not have is left out.
class Launch {
public:
    explicit Launch(const std::string& key) : Launch(runtime().pack().kernel(key)) {}

    explicit Launch(const KernelText& kernel)
        : hold_(runtime().lock()),
          kernel_(kernel),
          object_(runtime().compiled(kernel)),
          given_(kernel.interface->parameters.size()) {}

    std::int64_t value(const std::string& parameter) const { return kernel_.values.at(parameter); }

    Launch& buffer(const std::string& name, const Memory& memory, std::int64_t offset = 0) {
        const auto found = kernel_.interface->at.find(name);
        if (found == kernel_.interface->at.end()) return *this;
        const cl_mem object = memory.get();
        set(found->second, &object, sizeof object);
        const std::size_t next = found->second + 1;
        if (next < given_.size() && kernel_.interface->parameters[next].kind == Parameter::Kind::offset) {
            const cl_long begin = offset;
            set(next, &begin, sizeof begin);
        }
        return *this;
    }

    template <class T>
    Launch& number(const std::string& name, T value) {
        choices_[name] = static_cast<std::int64_t>(value);
        const auto found = kernel_.interface->at.find(name);
        if (found == kernel_.interface->at.end()) return *this;
        const std::string& type = kernel_.interface->parameters[found->second].ctype;
        if (type == "long")
            as<cl_long>(found->second, value);
        else if (type == "float")
            as<cl_float>(found->second, value);
        else if (type == "double")
            as<cl_double>(found->second, value);
        else if (type == "int")
            as<cl_int>(found->second, value);
        else if (type == "ulong")
            as<cl_ulong>(found->second, value);
        else if (type == "uint")
            as<cl_uint>(found->second, value);
        else if (type == "short")
            as<cl_short>(found->second, value);
        else if (type == "ushort")
            as<cl_ushort>(found->second, value);
        else if (type == "char")
            as<cl_char>(found->second, value);
        else if (type == "uchar")
            as<cl_uchar>(found->second, value);
        else
            fail("launch: kernel ", kernel_.key, ": there is no number of type ", type);
        return *this;
    }

    /// The numbers of sizes and strides: name0, name1, ...
    Launch& numbers(const std::string& name, const std::vector<std::int64_t>& values) {
        for (std::size_t i = 0; i < values.size(); i++) number(name + std::to_string(i), values[i]);
        return *this;
    }

    /// The fault buffer, and the number of this launch.
    Launch& noted(const std::string& call) { return buffer("fault", *runtime().faults()).number("who", runtime().ticket(call)); }

    void run() {
        for (std::size_t i = 0; i < given_.size(); i++)
            if (!given_[i])
                fail("launch: kernel ", kernel_.key, ": argument ", kernel_.interface->parameters[i].name, " is not given");
        const Expression::Values values = [this](const std::string& name) { return valued(name); };
        for (const auto& [name, best] : kernel_.interface->choices)
            if (!choices_.count(name)) choices_[name] = best(values);
        std::vector<std::size_t> local, global;
        for (const Expression& size : kernel_.interface->local) local.push_back(static_cast<std::size_t>(size(values)));
        for (const Expression& size : kernel_.interface->global) global.push_back(static_cast<std::size_t>(size(values)));
        checked(clEnqueueNDRangeKernel(runtime().opencl().queue(), object_, static_cast<cl_uint>(global.size()), nullptr,
                                       global.data(), local.data(), 0, nullptr, nullptr),
                ("launch of " + kernel_.key).c_str());
    }

private:
    std::unique_lock<std::recursive_mutex> hold_;
    const KernelText& kernel_;
    cl_kernel object_;
    std::vector<bool> given_;
    std::unordered_map<std::string, std::int64_t> choices_;

    void set(std::size_t at, const void* value, std::size_t size) {
        checked(clSetKernelArg(object_, static_cast<cl_uint>(at), size, value), "clSetKernelArg");
        given_[at] = true;
    }

    template <class C, class T>
    void as(std::size_t at, T value) {
        const C converted = static_cast<C>(value);
        set(at, &converted, sizeof converted);
    }

    std::int64_t valued(const std::string& name) const {
        if (const auto found = choices_.find(name); found != choices_.end()) return found->second;
        if (const auto found = kernel_.values.find(name); found != kernel_.values.end()) return found->second;
        fail("launch: kernel ", kernel_.key, ": its launch size depends on ", name, ", which is not given");
    }
};

}  // namespace ct
