// The device that a program runs on: chosen by kind, number or name; its queue, and kernels built from text.
#pragma once

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <string>
#include <unordered_map>
#include <vector>

#include "error.hpp"

namespace ct::player {

/// An OpenCL device with a context and an in-order queue of its own.
class Device {
public:
    /// wanted: "" for the first GPU or else the first device; "gpu", "cpu", "opencl:1" (in the order of `all`), or part of the name of a
    /// device or its platform.
    explicit Device(const std::string& wanted = "") {
        const std::vector<cl_device_id> found = all();
        id_ = chosen(found, wanted);
        cl_int status = CL_SUCCESS;
        context_ = Context(clCreateContext(nullptr, 1, &id_, nullptr, nullptr, &status));
        check(status, "clCreateContext");
        queue_ = Queue(clCreateCommandQueue(context_.get(), id_, 0, &status));
        check(status, "clCreateCommandQueue");
        look();
    }

    /// A device, context and in-order queue of the caller's.
    Device(cl_device_id id, cl_context context, cl_command_queue queue) : id_(id) {
        clRetainContext(context);
        clRetainCommandQueue(queue);
        context_ = Context(context);
        queue_ = Queue(queue);
        look();
    }

    Device(Device&&) = default;

    const std::string& name() const { return name_; }
    cl_device_id id() const { return id_; }
    cl_context context() const { return context_.get(); }
    cl_command_queue queue() const { return queue_.get(); }
    bool processor() const { return type_ & CL_DEVICE_TYPE_CPU; }
    bool has(const char* extension) const { return (" " + extensions_ + " ").find(std::string(" ") + extension + " ") != std::string::npos; }
    std::size_t work_group() const { return work_group_; }
    std::uint64_t local_memory() const { return local_; }
    std::uint64_t memory() const { return memory_; }
    std::uint64_t largest() const { return largest_; }

    /// A buffer, of at least one byte.
    Memory allocate(std::uint64_t bytes) const {
        if (bytes > largest_) fail("a buffer of ", bytes, " bytes is larger than ", name_, " allows: ", largest_);
        cl_int status = CL_SUCCESS;
        Memory made(clCreateBuffer(context_.get(), CL_MEM_READ_WRITE, std::max<std::uint64_t>(bytes, 1), nullptr, &status));
        check(status, "clCreateBuffer");
        return made;
    }

    void write(cl_mem to, const void* from, std::uint64_t bytes) const {
        if (bytes) check(clEnqueueWriteBuffer(queue(), to, CL_TRUE, 0, bytes, from, 0, nullptr, nullptr), "clEnqueueWriteBuffer");
    }

    void read(void* to, cl_mem from, std::uint64_t at, std::uint64_t bytes) const {
        if (bytes) check(clEnqueueReadBuffer(queue(), from, CL_TRUE, at, bytes, to, 0, nullptr, nullptr), "clEnqueueReadBuffer");
    }

    void finish() const { check(clFinish(queue()), "clFinish"); }

    /// A kernel of a program's text, which is built once.
    Kernel kernel(const std::string& text, const std::string& name) {
        auto found = built_.find(text);
        if (found == built_.end()) found = built_.emplace(text, build(text, name)).first;
        cl_int status = CL_SUCCESS;
        Kernel made(clCreateKernel(found->second.get(), name.c_str(), &status));
        if (status == CL_INVALID_KERNEL_NAME) fail("there is no kernel '", name, "' in its program");
        check(status, "clCreateKernel");
        return made;
    }

    /// All devices as they are counted: GPUs, then others, then simulators; of each kind those with more compute units first.
    static std::vector<cl_device_id> all() {
        cl_uint count = 0;
        std::vector<cl_device_id> found;
        if (clGetPlatformIDs(0, nullptr, &count) != CL_SUCCESS || !count) return found;
        std::vector<cl_platform_id> platforms(count);
        check(clGetPlatformIDs(count, platforms.data(), nullptr), "clGetPlatformIDs");
        for (const cl_platform_id platform : platforms) {
            cl_uint here = 0;
            if (clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 0, nullptr, &here) != CL_SUCCESS || !here) continue;
            std::vector<cl_device_id> devices(here);
            if (clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, here, devices.data(), nullptr) == CL_SUCCESS) found.insert(found.end(), devices.begin(), devices.end());
        }
        std::stable_sort(found.begin(), found.end(), [](cl_device_id a, cl_device_id b) {
            return rank(a) != rank(b) ? rank(a) < rank(b) : value<cl_uint>(a, CL_DEVICE_MAX_COMPUTE_UNITS) > value<cl_uint>(b, CL_DEVICE_MAX_COMPUTE_UNITS);
        });
        return found;
    }

private:
    template <class T>
    static T value(cl_device_id id, cl_device_info what) {
        T found{};
        clGetDeviceInfo(id, what, sizeof found, &found, nullptr);
        return found;
    }

    static std::string text(cl_device_id id, cl_device_info what) {
        std::size_t size = 0;
        if (clGetDeviceInfo(id, what, 0, nullptr, &size) != CL_SUCCESS || !size) return "";
        std::string out(size, '\0');
        clGetDeviceInfo(id, what, size, out.data(), nullptr);
        while (!out.empty() && (out.back() == '\0' || out.back() == ' ')) out.pop_back();
        return out;
    }

    static int rank(cl_device_id id) {
        if (text(id, CL_DEVICE_NAME).find("Oclgrind") != std::string::npos) return 2;
        return value<cl_device_type>(id, CL_DEVICE_TYPE) & CL_DEVICE_TYPE_GPU ? 0 : 1;
    }

    static std::string platform(cl_device_id id) {
        char name[256] = {};
        clGetPlatformInfo(value<cl_platform_id>(id, CL_DEVICE_PLATFORM), CL_PLATFORM_NAME, sizeof name - 1, name, nullptr);
        return name;
    }

    static std::string lower(std::string s) {
        std::transform(s.begin(), s.end(), s.begin(), [](unsigned char c) { return std::tolower(c); });
        return s;
    }

    static cl_device_id chosen(const std::vector<cl_device_id>& found, const std::string& wanted) {
        if (found.empty()) fail("there is no OpenCL device: install a driver, such as PoCL's for processors");
        const std::string asked = lower(wanted);
        if (asked.empty()) return found[0];
        std::string names;
        for (std::size_t k = 0; k < found.size(); k++) {
            const cl_device_type type = value<cl_device_type>(found[k], CL_DEVICE_TYPE);
            const std::string name = text(found[k], CL_DEVICE_NAME);
            if (asked == "opencl:" + std::to_string(k) || (asked == "gpu" && type & CL_DEVICE_TYPE_GPU) || (asked == "cpu" && type & CL_DEVICE_TYPE_CPU) ||
                (asked != "gpu" && asked != "cpu" && lower(platform(found[k]) + "\n" + name).find(asked) != std::string::npos))
                return found[k];
            names += (k ? ", " : "") + name;
        }
        fail("there is no OpenCL device '", wanted, "'; there are: ", names);
    }

    void look() {
        name_ = text(id_, CL_DEVICE_NAME);
        extensions_ = text(id_, CL_DEVICE_EXTENSIONS);
        type_ = value<cl_device_type>(id_, CL_DEVICE_TYPE);
        work_group_ = value<std::size_t>(id_, CL_DEVICE_MAX_WORK_GROUP_SIZE);
        local_ = value<cl_ulong>(id_, CL_DEVICE_LOCAL_MEM_SIZE);
        memory_ = value<cl_ulong>(id_, CL_DEVICE_GLOBAL_MEM_SIZE);
        largest_ = value<cl_ulong>(id_, CL_DEVICE_MAX_MEM_ALLOC_SIZE);
        constexpr cl_device_fp_config rounds = 1 << 7;  // CL_FP_CORRECTLY_ROUNDED_DIVIDE_SQRT
        options_ = "-cl-std=CL1.2 -w";
        if (value<cl_device_fp_config>(id_, CL_DEVICE_SINGLE_FP_CONFIG) & rounds) options_ += " -cl-fp32-correctly-rounded-divide-sqrt";
        if (const char* more = std::getenv("CL_BUILD_OPTIONS")) options_ += std::string(" ") + more;
    }

    Built build(const std::string& text, const std::string& name) const {
        cl_int status = CL_SUCCESS;
        const char* source = text.c_str();
        const std::size_t length = text.size();
        Built made(clCreateProgramWithSource(context(), 1, &source, &length, &status));
        check(status, "clCreateProgramWithSource");
        if (clBuildProgram(made.get(), 1, &id_, options_.c_str(), nullptr, nullptr) != CL_SUCCESS) {
            std::size_t size = 0;
            clGetProgramBuildInfo(made.get(), id_, CL_PROGRAM_BUILD_LOG, 0, nullptr, &size);
            std::string log(size, '\0');
            clGetProgramBuildInfo(made.get(), id_, CL_PROGRAM_BUILD_LOG, size, log.data(), nullptr);
            fail("kernel '", name, "' does not compile on ", name_, ":\n", log.c_str());
        }
        return made;
    }

    cl_device_id id_ = nullptr;
    Context context_;
    Queue queue_;
    std::string name_, extensions_, options_;
    cl_device_type type_ = 0;
    std::size_t work_group_ = 1;
    std::uint64_t local_ = 0, memory_ = 0, largest_ = 0;
    std::unordered_map<std::string, Built> built_;
};

}  // namespace ct::player
