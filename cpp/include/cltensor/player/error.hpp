// Errors of the player, and the wrappers that release OpenCL's objects.
#pragma once

#ifndef CL_TARGET_OPENCL_VERSION
#define CL_TARGET_OPENCL_VERSION 120
#endif
#include <CL/cl.h>

#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>

namespace ct::player {

/// What every function of the player throws: the file, the value, the rule and the cure.
class Error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// Throw an Error of the parts.
template <class... Parts>
[[noreturn]] void fail(const Parts&... parts) {
    std::ostringstream out;
    (out << ... << parts);
    throw Error(out.str());
}

/// Throw an Error unless a call of OpenCL succeeded.
inline void check(cl_int status, const char* call) {
    if (status == CL_SUCCESS) return;
    const bool memory = status == CL_MEM_OBJECT_ALLOCATION_FAILURE || status == CL_OUT_OF_RESOURCES || status == CL_OUT_OF_HOST_MEMORY;
    fail(call, ": OpenCL error ", status, memory ? " (no memory left)" : "");
}

/// An OpenCL object that is released at the end.
template <class T, cl_int(CL_API_CALL* release)(T)>
class Owned {
public:
    Owned() = default;
    explicit Owned(T object) : object_(object) {}
    Owned(Owned&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
    Owned& operator=(Owned&& other) noexcept {
        std::swap(object_, other.object_);
        return *this;
    }
    Owned(const Owned&) = delete;
    Owned& operator=(const Owned&) = delete;
    ~Owned() {
        if (object_) release(object_);
    }
    T get() const { return object_; }
    explicit operator bool() const { return object_ != nullptr; }

private:
    T object_ = nullptr;
};

using Context = Owned<cl_context, clReleaseContext>;
using Queue = Owned<cl_command_queue, clReleaseCommandQueue>;
using Built = Owned<cl_program, clReleaseProgram>;
using Kernel = Owned<cl_kernel, clReleaseKernel>;
using Memory = Owned<cl_mem, clReleaseMemObject>;

}  // namespace ct::player
