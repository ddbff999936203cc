#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>
#include <ctype.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum type { BOOL, UINT8, INT8, UINT16, INT16, UINT32, INT32, UINT64, INT64, FLOAT16, BFLOAT16, FLOAT32, FLOAT64 };
static const size_t size_of[] = { 1, 1, 1, 2, 2, 4, 4, 8, 8, 2, 2, 4, 8 };
static cl_context context;
static cl_device_id device;
static cl_command_queue queue;

static inline void checked(cl_int error, const char *what)
{
    if (error == CL_SUCCESS) return;
    fprintf(stderr, "%s: OpenCL error %d\n", what, (int)error);
    exit(2);
}

static inline int occurs(const char *part, const char *name)
{
    for (; *name; name++) {
        size_t i = 0;
        while (part[i] && tolower((unsigned char)name[i]) == tolower((unsigned char)part[i])) i++;
        if (!part[i]) return 1;
    }
    return 0;
}

/* The first device, or the first one in whose name, or whose platform's name, `part` occurs. */
static inline void choose_device(const char *part)
{
    cl_platform_id platforms[16];
    cl_device_id devices[16];
    cl_uint platform_count = 0, device_count;
    char platform_name[256], name[256];
    checked(clGetPlatformIDs(16, platforms, &platform_count), "clGetPlatformIDs");
    for (cl_uint p = 0; p < platform_count && p < 16; p++) {
        clGetPlatformInfo(platforms[p], CL_PLATFORM_NAME, sizeof platform_name, platform_name, NULL);
        if (clGetDeviceIDs(platforms[p], CL_DEVICE_TYPE_ALL, 16, devices, &device_count) != CL_SUCCESS) continue;
        for (cl_uint d = 0; d < device_count && d < 16; d++) {
            clGetDeviceInfo(devices[d], CL_DEVICE_NAME, sizeof name, name, NULL);
            if (part == NULL || occurs(part, name) || occurs(part, platform_name)) {
                cl_int error;
                device = devices[d];
                printf("%s, %s\n", platform_name, name);
                context = clCreateContext(NULL, 1, &device, NULL, NULL, &error);
                checked(error, "clCreateContext");
                queue = clCreateCommandQueue(context, device, 0, &error);
                checked(error, "clCreateCommandQueue");
                return;
            }
        }
    }
    fprintf(stderr, "no such OpenCL device\n");
    exit(2);
}

/* A file's bytes, with a 0 behind them; its size must be `size`, if that is not 0. */
static inline char *file_bytes(const char *name, size_t size)
{
    FILE *file = fopen(name, "rb");
    if (file == NULL) { perror(name); exit(2); }
    fseek(file, 0, SEEK_END);
    const size_t found = (size_t)ftell(file);
    rewind(file);
    char *bytes = malloc(found + 1);
    if (bytes == NULL || fread(bytes, 1, found, file) != found || (size && found != size)) {
        fprintf(stderr, "%s is not as it was written\n", name);
        exit(2);
    }
    fclose(file);
    bytes[found] = 0;
    return bytes;
}

static inline cl_kernel kernel_of(const char *file, const char *name)
{
    cl_int error;
    char *text = file_bytes(file, 0);
    cl_program program = clCreateProgramWithSource(context, 1, (const char **)&text, NULL, &error);
    checked(error, "clCreateProgramWithSource");
    if (clBuildProgram(program, 1, &device, getenv("CL_BUILD_OPTIONS"), NULL, NULL) != CL_SUCCESS) {
        static char log[1 << 16];
        clGetProgramBuildInfo(program, device, CL_PROGRAM_BUILD_LOG, sizeof log, log, NULL);
        fprintf(stderr, "%s does not compile:\n%s\n", file, log);
        exit(2);
    }
    cl_kernel kernel = clCreateKernel(program, name, &error);
    checked(error, name);
    free(text);
    return kernel;
}

/* A buffer of `size` bytes, and behind them @GUARD@ guard bytes; it holds `bytes`, or 0xA5 throughout. */
static inline cl_mem buffer_of(size_t size, const void *bytes)
{
    cl_int error;
    unsigned char *all = malloc(size + @GUARD@);
    if (all == NULL) exit(2);
    memset(all, 0xA5, size + @GUARD@);
    if (bytes) memcpy(all, bytes, size);
    cl_mem buffer = clCreateBuffer(context, CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR, size + @GUARD@, all, &error);
    checked(error, "clCreateBuffer");
    free(all);
    return buffer;
}

/* A buffer's bytes.  Counts in `broken` a buffer whose guard bytes have changed. */
static inline unsigned char *read_back(cl_mem buffer, size_t size, int *broken)
{
    unsigned char *all = malloc(size + @GUARD@);
    if (all == NULL) exit(2);
    checked(clEnqueueReadBuffer(queue, buffer, CL_TRUE, 0, size + @GUARD@, all, 0, NULL, NULL), "clEnqueueReadBuffer");
    for (size_t i = size; i < size + @GUARD@; i++)
        if (all[i] != 0xA5) { (*broken)++; break; }
    return all;
}

static inline void put(void *at, size_t i, enum type type, double x)
{
    uint16_t bits = x < 0 ? 0x8000 : 0;
    float f = (float)x;
    uint32_t word;
    int exponent;
    double m;
    switch (type) {
    case BOOL: case UINT8: ((uint8_t *)at)[i] = (uint8_t)x; break;
    case INT8: ((int8_t *)at)[i] = (int8_t)x; break;
    case UINT16: ((uint16_t *)at)[i] = (uint16_t)x; break;
    case INT16: ((int16_t *)at)[i] = (int16_t)x; break;
    case UINT32: ((uint32_t *)at)[i] = (uint32_t)x; break;
    case INT32: ((int32_t *)at)[i] = (int32_t)x; break;
    case UINT64: ((uint64_t *)at)[i] = (uint64_t)x; break;
    case INT64: ((int64_t *)at)[i] = (int64_t)x; break;
    case FLOAT16:  /* x is 0 or a normal number with so few digits */
        m = frexp(fabs(x), &exponent);
        if (x != 0) bits |= (uint16_t)((exponent + 14) << 10 | (int)((2 * m - 1) * 1024));
        ((uint16_t *)at)[i] = bits;
        break;
    case BFLOAT16: memcpy(&word, &f, 4); ((uint16_t *)at)[i] = (uint16_t)(word >> 16); break;
    case FLOAT32: ((float *)at)[i] = f; break;
    case FLOAT64: ((double *)at)[i] = x; break;
    }
}

static inline double get(const void *at, size_t i, enum type type)
{
    uint16_t bits;
    uint32_t word;
    float f;
    double x;
    switch (type) {
    case BOOL: case UINT8: return ((const uint8_t *)at)[i];
    case INT8: return ((const int8_t *)at)[i];
    case UINT16: return ((const uint16_t *)at)[i];
    case INT16: return ((const int16_t *)at)[i];
    case UINT32: return ((const uint32_t *)at)[i];
    case INT32: return ((const int32_t *)at)[i];
    case UINT64: return (double)((const uint64_t *)at)[i];
    case INT64: return (double)((const int64_t *)at)[i];
    case FLOAT16:
        bits = ((const uint16_t *)at)[i];
        if ((bits & 0x7c00) == 0x7c00) x = bits & 0x3ff ? NAN : INFINITY;
        else x = bits & 0x7c00 ? ldexp(1024 + (bits & 0x3ff), ((bits >> 10) & 31) - 25) : ldexp(bits & 0x3ff, -24);
        return bits & 0x8000 ? -x : x;
    case BFLOAT16: word = (uint32_t)((const uint16_t *)at)[i] << 16; memcpy(&f, &word, 4); return f;
    case FLOAT32: return ((const float *)at)[i];
    default: return ((const double *)at)[i];
    }
}

/* A buffer of random numbers: low + step * k, k from 0 to levels. */
static inline cl_mem random_buffer(enum type type, size_t count, uint32_t seed, double low, double step, uint64_t levels)
{
    void *numbers = malloc(count * size_of[type] + 1);
    if (numbers == NULL) exit(2);
    for (size_t i = 0; i < count; i++) {
        seed = @MULTIPLIER@u * seed + @INCREMENT@u;
        put(numbers, i, type, low + step * (double)((uint64_t)(seed >> @DROPPED@) * (levels + 1) >> @BITS@));
    }
    cl_mem buffer = buffer_of(count * size_of[type], numbers);
    free(numbers);
    return buffer;
}

/* Whether numbers differ from those in a file by more than `allowed`, in parts of the largest of them. */
static inline int differ(const char *file, const void *found, enum type type, size_t count, double allowed)
{
    char *expected = file_bytes(file, count * size_of[type]);
    double largest = 0, size = 0;
    for (size_t i = 0; i < count; i++) {
        const double a = get(found, i, type), b = get(expected, i, type);
        const double error = (a != a && b != b) || a == b ? 0 : a == a && b == b ? fabs(a - b) : INFINITY;
        if (error > largest) largest = error;
        if (fabs(b) > size && fabs(b) < INFINITY) size = fabs(b);
    }
    allowed *= size > 0 ? size : 1;
    printf("%s: %zu numbers up to %.3g, largest error %.3g, allowed %.3g\n", file, count, size, largest, allowed);
    free(expected);
    return !(largest <= allowed);
}
