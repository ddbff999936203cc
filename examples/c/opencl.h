/* What the three examples share: a device, a kernel from a file, buffers, and a look at errors. */
#ifndef EXAMPLES_OPENCL_H
#define EXAMPLES_OPENCL_H
#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static cl_device_id device;
static cl_context context;
static cl_command_queue queue;

static inline void check(cl_int error, const char *what)
{
    if (error != CL_SUCCESS) {
        fprintf(stderr, "%s: OpenCL error %d\n", what, (int)error);
        exit(2);
    }
}

/* Open the first device, or the one of this name. */
static inline void open_device(const char *wanted)
{
    cl_platform_id platforms[16];
    cl_device_id devices[16];
    cl_uint platform_count = 0, count;
    char name[256];
    cl_int error;
    check(clGetPlatformIDs(16, platforms, &platform_count), "clGetPlatformIDs");
    for (cl_uint p = 0; p < platform_count && p < 16 && !device; p++) {
        if (clGetDeviceIDs(platforms[p], CL_DEVICE_TYPE_ALL, 16, devices, &count) != CL_SUCCESS) continue;
        for (cl_uint d = 0; d < count && d < 16 && !device; d++) {
            clGetDeviceInfo(devices[d], CL_DEVICE_NAME, sizeof name, name, NULL);
            if (!wanted || strcmp(name, wanted) == 0) device = devices[d];
        }
    }
    if (!device) {
        fprintf(stderr, "no such OpenCL device\n");
        exit(2);
    }
    context = clCreateContext(NULL, 1, &device, NULL, NULL, &error);
    check(error, "clCreateContext");
    queue = clCreateCommandQueue(context, device, 0, &error);
    check(error, "clCreateCommandQueue");
    printf("on %s: ", name);
}

/* The kernel of this name in an OpenCL C file. */
static inline cl_kernel load_kernel(const char *file, const char *name)
{
    static char text[1 << 20], log[1 << 16];
    const char *source = text;
    cl_int error;
    FILE *opened = fopen(file, "rb");
    if (!opened || fread(text, 1, sizeof text - 1, opened) == 0) {
        perror(file);
        exit(2);
    }
    fclose(opened);
    cl_program program = clCreateProgramWithSource(context, 1, &source, NULL, &error);
    check(error, "clCreateProgramWithSource");
    if (clBuildProgram(program, 1, &device, getenv("CL_BUILD_OPTIONS"), NULL, NULL) != CL_SUCCESS) {
        clGetProgramBuildInfo(program, device, CL_PROGRAM_BUILD_LOG, sizeof log, log, NULL);
        fprintf(stderr, "%s\n", log);
        exit(2);
    }
    cl_kernel kernel = clCreateKernel(program, name, &error);
    check(error, name);
    return kernel;
}

/* A buffer of n floats; `numbers` may be NULL. */
static inline cl_mem floats(size_t n, float *numbers)
{
    cl_int error;
    cl_mem made = clCreateBuffer(context, CL_MEM_READ_WRITE | (numbers ? CL_MEM_COPY_HOST_PTR : 0), n * sizeof(float), numbers, &error);
    check(error, "clCreateBuffer");
    return made;
}

static inline void set_buffer(cl_kernel kernel, cl_uint at, cl_mem buffer)
{
    check(clSetKernelArg(kernel, at, sizeof buffer, &buffer), "clSetKernelArg");
}

/* Set arguments from `at` on to `n` whole numbers. */
static inline void set_longs(cl_kernel kernel, cl_uint at, int n, const cl_long *numbers)
{
    for (int i = 0; i < n; i++) check(clSetKernelArg(kernel, at + i, sizeof(cl_long), &numbers[i]), "clSetKernelArg");
}

static inline void launch(cl_kernel kernel, size_t global_size, size_t local_size)
{
    check(clEnqueueNDRangeKernel(queue, kernel, 1, NULL, &global_size, &local_size, 0, NULL, NULL), "clEnqueueNDRangeKernel");
}

/* Read n floats back, and hold them against the expected ones.  Returns the exit status of the program. */
static inline int compare(cl_mem result, size_t n, const double *expected)
{
    float *found = malloc(n * sizeof *found);
    double largest = 0;
    check(clEnqueueReadBuffer(queue, result, CL_TRUE, 0, n * sizeof *found, found, 0, NULL, NULL), "clEnqueueReadBuffer");
    for (size_t i = 0; i < n; i++) {
        const double error = fabs(found[i] - expected[i]);
        if (!(error <= largest)) largest = error;
    }
    free(found);
    printf("%zu numbers, largest error %.2g\n", n, largest);
    return largest < 1e-4 ? 0 : 1;
}

/* A number from -1 to 1. */
static inline float random_number(void)
{
    static unsigned long state = 1;
    state = (state * 1664525ul + 1013904223ul) & 0xffffffffu;
    return (float)(state >> 8) / 8388608.0f - 1.0f;
}
#endif
