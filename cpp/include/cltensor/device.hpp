// The device: OpenCL's objects, a pool of memory, and programs that are compiled once and kept on disk.
#pragma once

#include <CL/cl.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "error.hpp"

namespace ct {

/// How kernels are launched: work-groups of one item that loop, or many items.
enum class Style { cpu, gpu };
inline std::string name(Style style) { return style == Style::cpu ? "cpu" : "gpu"; }

/// An OpenCL object that is released at the end.
template <class T, cl_int(CL_API_CALL* release)(T)>
class Handle {
public:
    Handle() = default;
    explicit Handle(T object) : object_(object) {}
    Handle(Handle&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
    Handle& operator=(Handle&& other) noexcept {
        std::swap(object_, other.object_);
        return *this;
    }
    ~Handle() {
        if (object_) release(object_);
    }
    T get() const { return object_; }

private:
    T object_ = nullptr;
};

using ContextHandle = Handle<cl_context, clReleaseContext>;
using QueueHandle = Handle<cl_command_queue, clReleaseCommandQueue>;
using ProgramHandle = Handle<cl_program, clReleaseProgram>;
using KernelHandle = Handle<cl_kernel, clReleaseKernel>;
using MemoryHandle = Handle<cl_mem, clReleaseMemObject>;

/// Throw unless a call of OpenCL succeeded.
inline void checked(cl_int status, const char* call) {
    if (status == CL_SUCCESS) return;
    const char* meaning = status == CL_MEM_OBJECT_ALLOCATION_FAILURE || status == CL_OUT_OF_RESOURCES
                              ? " (no memory left on the device)"
                          : status == CL_OUT_OF_HOST_MEMORY ? " (no memory left on the host)"
                                                            : "";
    fail(call, ": OpenCL error ", status, meaning);
}

namespace detail {

template <class Id, class Query>
std::string info(Id id, cl_uint what, Query query) {
    std::size_t size = 0;
    if (query(id, what, 0, nullptr, &size) != CL_SUCCESS || !size) return "";
    std::string value(size, '\0');
    query(id, what, size, value.data(), nullptr);
    value.resize(std::strlen(value.c_str()));
    return value;
}

inline std::string lower(std::string s) {
    std::transform(s.begin(), s.end(), s.begin(), [](unsigned char c) { return std::tolower(c); });
    return s;
}

inline std::string setting(const char* variable) {
    const char* value = std::getenv(variable);
    return value ? value : "";
}

inline std::uint64_t fnv(const std::string& bytes, std::uint64_t hash = 1469598103934665603ULL) {
    for (const unsigned char c : bytes) hash = (hash ^ c) * 1099511628211ULL;
    return hash;
}

}  // namespace detail

/// Programs on disk: CLTENSOR_CACHE_DIR/cpp, else ~/.cache/cltensor/cpp.  A file that is damaged or of another key is no program.
class ProgramCache {
public:
    ProgramCache() {
        namespace fs = std::filesystem;
        const std::string given = detail::setting("CLTENSOR_CACHE_DIR"), cache = detail::setting("XDG_CACHE_HOME"),
                          home = detail::setting("HOME");
        if (!given.empty())
            folder_ = fs::path(given) / "cpp";
        else if (!cache.empty())
            folder_ = fs::path(cache) / "cltensor" / "cpp";
        else if (!home.empty())
            folder_ = fs::path(home) / ".cache" / "cltensor" / "cpp";
    }

    /// The binary kept under a key, if there is one.
    std::optional<std::string> load(const std::string& key) const {
        std::ifstream file(path(key), std::ios::binary);
        if (folder_.empty() || !file) return std::nullopt;
        const std::string all((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
        const std::string head = header(key);
        if (all.size() < head.size() + 8 || all.compare(0, head.size(), head) != 0) return std::nullopt;
        std::uint64_t sum;
        std::memcpy(&sum, all.data() + head.size(), 8);
        std::string binary = all.substr(head.size() + 8);
        return detail::fnv(binary) == sum ? std::optional<std::string>(std::move(binary)) : std::nullopt;
    }

    /// Keep a binary; what cannot be written is compiled again next time.
    void store(const std::string& key, const std::string& binary) const {
        if (folder_.empty()) return;
        std::error_code ignored;
        std::filesystem::create_directories(folder_, ignored);
        const std::filesystem::path draft = path(key).string() + "." + std::to_string(std::random_device{}());
        {
            std::ofstream file(draft, std::ios::binary);
            const std::uint64_t sum = detail::fnv(binary);
            file << header(key);
            file.write(reinterpret_cast<const char*>(&sum), 8);
            file << binary;
            file.flush();
            if (!file) {
                file.close();
                std::filesystem::remove(draft, ignored);
                return;
            }
        }
        std::filesystem::rename(draft, path(key), ignored);
        if (ignored) std::filesystem::remove(draft, ignored);
    }

private:
    std::filesystem::path folder_;

    std::filesystem::path path(const std::string& key) const {
        char name[40];
        std::snprintf(name, sizeof name, "%016llx%016llx.bin", static_cast<unsigned long long>(detail::fnv(key)),
                      static_cast<unsigned long long>(detail::fnv(key, 88172645463325252ULL)));
        return folder_ / name;
    }

    static std::string header(const std::string& key) { return text("cltensor program 1\n", key.size(), "\n", key, "\n"); }
};

/// One OpenCL device with its context and its queue, in order.
class OpenCL {
public:
    /// wanted: part of a device's or platform's name, "cpu", "gpu", "opencl:N", or "" for the first GPU, else the first device.
    explicit OpenCL(const std::string& wanted) {
        choose(wanted);
        cl_int status;
        context_ = ContextHandle(clCreateContext(nullptr, 1, &device_, nullptr, nullptr, &status));
        checked(status, "clCreateContext");
        queue_ = QueueHandle(clCreateCommandQueue(context_.get(), device_, 0, &status));
        checked(status, "clCreateCommandQueue");
        cl_device_type type = 0;
        clGetDeviceInfo(device_, CL_DEVICE_TYPE, sizeof type, &type, nullptr);
        const std::string style = detail::setting("CLTENSOR_PROFILE");
        style_ = style == "cpu" || (style != "gpu" && (type & CL_DEVICE_TYPE_CPU)) ? Style::cpu : Style::gpu;
        clGetDeviceInfo(device_, CL_DEVICE_MAX_COMPUTE_UNITS, sizeof units_, &units_, nullptr);
    }

    cl_context context() const { return context_.get(); }
    cl_command_queue queue() const { return queue_.get(); }
    cl_device_id id() const { return device_; }
    Style style() const { return style_; }
    std::int64_t compute_units() const { return std::max<cl_uint>(units_, 1); }
    std::string device_name() const { return detail::info(device_, CL_DEVICE_NAME, clGetDeviceInfo); }
    std::string platform_name() const { return detail::info(platform_, CL_PLATFORM_NAME, clGetPlatformInfo); }

    /// The program of a text: from the disk, else compiled and kept.
    ProgramHandle program(const std::string& source) const {
        std::string options = detail::setting("CL_BUILD_OPTIONS");
        if (options.empty()) options = detail::setting("PYOPENCL_BUILD_OPTIONS");
        const std::string key = text(platform_name(), '\n', detail::info(platform_, CL_PLATFORM_VERSION, clGetPlatformInfo), '\n',
                                     device_name(), '\n', detail::info(device_, CL_DEVICE_VERSION, clGetDeviceInfo), '\n',
                                     detail::info(device_, CL_DRIVER_VERSION, clGetDeviceInfo), '\n', options, '\n', source);
        if (const auto kept = cache_.load(key))
            if (ProgramHandle found = from_binary(*kept, options); found.get()) return found;
        const char* begin = source.c_str();
        const std::size_t size = source.size();
        cl_int status;
        ProgramHandle made(clCreateProgramWithSource(context_.get(), 1, &begin, &size, &status));
        checked(status, "clCreateProgramWithSource");
        if (clBuildProgram(made.get(), 1, &device_, options.c_str(), nullptr, nullptr) != CL_SUCCESS)
            fail("a kernel does not compile on ", device_name(), "; its driver says:\n", build_log(made.get()));
        keep(key, made.get());
        return made;
    }

    void finish() const { checked(clFinish(queue_.get()), "clFinish"); }

private:
    cl_platform_id platform_ = nullptr;
    cl_device_id device_ = nullptr;
    ContextHandle context_;
    QueueHandle queue_;
    Style style_ = Style::gpu;
    cl_uint units_ = 1;
    ProgramCache cache_;

    void choose(const std::string& wanted) {
        struct Found {
            cl_platform_id platform;
            cl_device_id device;
            bool gpu;
            std::string names;
        };
        std::vector<Found> all;
        cl_uint platforms = 0;
        clGetPlatformIDs(0, nullptr, &platforms);
        std::vector<cl_platform_id> ids(platforms);
        if (platforms) checked(clGetPlatformIDs(platforms, ids.data(), nullptr), "clGetPlatformIDs");
        for (const cl_platform_id platform : ids) {
            cl_uint count = 0;
            if (clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 0, nullptr, &count) != CL_SUCCESS || !count) continue;
            std::vector<cl_device_id> devices(count);
            checked(clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, count, devices.data(), nullptr), "clGetDeviceIDs");
            for (const cl_device_id device : devices) {
                cl_device_type type = 0;
                clGetDeviceInfo(device, CL_DEVICE_TYPE, sizeof type, &type, nullptr);
                all.push_back({platform, device, (type & CL_DEVICE_TYPE_GPU) != 0,
                               detail::info(platform, CL_PLATFORM_NAME, clGetPlatformInfo) + ", " +
                                   detail::info(device, CL_DEVICE_NAME, clGetDeviceInfo)});
            }
        }
        std::stable_sort(all.begin(), all.end(), [](const Found& a, const Found& b) { return a.gpu > b.gpu; });
        const std::string name = detail::lower(wanted);
        for (std::size_t i = 0; i < all.size(); i++) {
            const bool fits = name.empty() || name == "opencl" || (name == "gpu" && all[i].gpu) || (name == "cpu" && !all[i].gpu) ||
                              name == "opencl:" + std::to_string(i) || detail::lower(all[i].names).find(name) != std::string::npos;
            if (!fits) continue;
            platform_ = all[i].platform;
            device_ = all[i].device;
            return;
        }
        std::string listing;
        for (const Found& each : all) listing += "\n  " + each.names;
        if (all.empty()) fail("device: there is no OpenCL device; install a driver, or name its folder in OCL_ICD_VENDORS");
        fail("device: there is no OpenCL device '", wanted, "'; set CLTENSOR_DEVICE to part of one of these names:", listing);
    }

    std::string build_log(cl_program program) const {
        return detail::info(program, CL_PROGRAM_BUILD_LOG,
                            [this](cl_program p, cl_uint what, std::size_t size, void* value, std::size_t* used) {
                                return clGetProgramBuildInfo(p, device_, what, size, value, used);
                            });
    }

    ProgramHandle from_binary(const std::string& binary, const std::string& options) const {
        const auto* begin = reinterpret_cast<const unsigned char*>(binary.data());
        const std::size_t size = binary.size();
        cl_int status, each;
        ProgramHandle made(clCreateProgramWithBinary(context_.get(), 1, &device_, &size, &begin, &each, &status));
        if (status != CL_SUCCESS || each != CL_SUCCESS) return {};
        return clBuildProgram(made.get(), 1, &device_, options.c_str(), nullptr, nullptr) == CL_SUCCESS ? std::move(made)
                                                                                                        : ProgramHandle();
    }

    void keep(const std::string& key, cl_program program) const {
        std::size_t size = 0;
        if (clGetProgramInfo(program, CL_PROGRAM_BINARY_SIZES, sizeof size, &size, nullptr) != CL_SUCCESS || !size) return;
        std::string binary(size, '\0');
        auto* begin = reinterpret_cast<unsigned char*>(binary.data());
        if (clGetProgramInfo(program, CL_PROGRAM_BINARIES, sizeof begin, &begin, nullptr) == CL_SUCCESS) cache_.store(key, binary);
    }
};

/// A piece of the device's memory, from a Pool and back to it.
class Pool;
class Memory {
public:
    Memory(std::shared_ptr<Pool> pool, MemoryHandle handle, std::size_t bytes)
        : pool_(std::move(pool)), handle_(std::move(handle)), bytes_(bytes) {}
    Memory(const Memory&) = delete;
    Memory& operator=(const Memory&) = delete;
    ~Memory();

    cl_mem get() const { return handle_.get(); }

private:
    std::shared_ptr<Pool> pool_;
    MemoryHandle handle_;
    std::size_t bytes_;
};

/// Memory that was freed, by size, for the next tensors.  The queue is in order, so a piece may be reused at once.
class Pool : public std::enable_shared_from_this<Pool> {
public:
    explicit Pool(std::shared_ptr<OpenCL> opencl) : opencl_(std::move(opencl)) {}

    std::shared_ptr<Memory> allocate(std::size_t bytes) {
        std::size_t size = 64;
        while (size < bytes) size *= 2;
        if (size > (1u << 20)) size = (bytes + (1u << 18) - 1) >> 18 << 18;
        {
            const std::lock_guard<std::mutex> hold(lock_);
            auto& kept = free_[size];
            if (!kept.empty()) {
                MemoryHandle handle = std::move(kept.back());
                kept.pop_back();
                return std::make_shared<Memory>(shared_from_this(), std::move(handle), size);
            }
        }
        cl_int status;
        cl_mem made = clCreateBuffer(opencl_->context(), CL_MEM_READ_WRITE, size, nullptr, &status);
        if (status != CL_SUCCESS) {
            clear();
            made = clCreateBuffer(opencl_->context(), CL_MEM_READ_WRITE, size, nullptr, &status);
        }
        if (status != CL_SUCCESS)
            fail("allocate: no memory for ", bytes, " bytes on ", opencl_->device_name(), " (OpenCL error ", status, ")");
        return std::make_shared<Memory>(shared_from_this(), MemoryHandle(made), size);
    }

    void take_back(MemoryHandle handle, std::size_t size) {
        const std::lock_guard<std::mutex> hold(lock_);
        free_[size].push_back(std::move(handle));
    }

    /// Give what is unused back to the driver.
    void clear() {
        opencl_->finish();
        const std::lock_guard<std::mutex> hold(lock_);
        free_.clear();
    }

private:
    std::shared_ptr<OpenCL> opencl_;
    std::mutex lock_;
    std::map<std::size_t, std::vector<MemoryHandle>> free_;
};

inline Memory::~Memory() { pool_->take_back(std::move(handle_), bytes_); }

}  // namespace ct
