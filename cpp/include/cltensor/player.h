/* The player for C and what calls C: runs programs that cltensor.export.save wrote.  Link with cltensor_player.
 *
 * Functions that return int give 0, or -1 after an error; those that return a pointer give NULL.  ct_last_error tells what it was.
 * A program is used by one thread at a time.  Texts and arrays that a program gives belong to it. */
#ifndef CLTENSOR_PLAYER_H
#define CLTENSOR_PLAYER_H

#include <stdint.h>

#ifdef _WIN32
#define CT_PLAYER_API __declspec(dllexport)
#else
#define CT_PLAYER_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ct_program ct_program;

/* Dense values, row by row.  dtype: "float32", "int64", ... */
typedef struct {
    const char *dtype;
    int rank;
    const int64_t *shape; /* of inputs and outputs as the file has them, -1 for a dynamic size */
    void *data;
    uint64_t bytes;
} ct_array;

/* The last error of this thread; "" if there was none. */
CT_PLAYER_API const char *ct_last_error(void);

/* Read a file.  device: NULL or "", "gpu", "cpu", "opencl:1" or part of a name; device_class: NULL or "", "cpu", "gpu"; max_bytes: of
 * memory that it may take, 0 for all of the device's. */
CT_PLAYER_API ct_program *ct_program_load(const char *path, const char *device, const char *device_class, uint64_t max_bytes);
CT_PLAYER_API void ct_program_free(ct_program *program);

CT_PLAYER_API const char *ct_program_name(ct_program *program);
CT_PLAYER_API int ct_program_input_count(ct_program *program);
CT_PLAYER_API int ct_program_output_count(ct_program *program);
/* The name, and in *array the dtype and the shape (no data), of input or output k. */
CT_PLAYER_API const char *ct_program_input(ct_program *program, int k, ct_array *array);
CT_PLAYER_API const char *ct_program_output_signature(ct_program *program, int k, ct_array *array);

/* Copy inputs to the device; run once, without waiting; wait; copy output k of the last run to *array. */
CT_PLAYER_API int ct_program_bind(ct_program *program, const ct_array *inputs, int count);
CT_PLAYER_API int ct_program_enqueue(ct_program *program);
CT_PLAYER_API int ct_program_finish(ct_program *program);
CT_PLAYER_API int ct_program_output(ct_program *program, int k, ct_array *array);

/* Numbers by their paths, such as "optimizer.param_groups.0.lr". */
CT_PLAYER_API int ct_program_number(ct_program *program, const char *path, double *value);
CT_PLAYER_API int ct_program_set_number(ct_program *program, const char *path, double value);

/* Tensors that the program holds, by their names. */
CT_PLAYER_API int ct_program_state_count(ct_program *program);
CT_PLAYER_API const char *ct_program_state_name(ct_program *program, int k);
CT_PLAYER_API int ct_program_state(ct_program *program, const char *name, ct_array *array);
CT_PLAYER_API int ct_program_set_state(ct_program *program, const char *name, const ct_array *array);
/* Write all of them to a safetensors file. */
CT_PLAYER_API int ct_program_save_state(ct_program *program, const char *path);

#ifdef __cplusplus
}
#endif
#endif
