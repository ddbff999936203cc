/* c = a b, for a of M x K and b of K x N numbers, by the kernel in matmul.cl: its head explains the arguments. */
#include "opencl.h"

enum { M = 100, K = 70, N = 90, TILE = 64, ITEMS = 256 };  /* MWG and NWG, MDIM * NDIM of matmul.cl */
static float a[M * K], b[K * N];
static double expected[M * N];

int main(int argc, char **argv)
{
    for (int i = 0; i < M * K; i++) a[i] = random_number();
    for (int i = 0; i < K * N; i++) b[i] = random_number();
    for (int i = 0; i < M; i++)
        for (int j = 0; j < N; j++)
            for (int k = 0; k < K; k++) expected[i * N + j] += (double)a[i * K + k] * b[k * N + j];

    open_device(argc > 1 ? argv[1] : NULL);
    cl_kernel kernel = load_kernel("matmul.cl", "matmul");
    cl_mem c = floats(M * N, NULL);
    set_buffer(kernel, 0, floats(M * K, a));
    set_longs(kernel, 1, 1, (cl_long[]){0});
    set_buffer(kernel, 2, floats(K * N, b));
    set_longs(kernel, 3, 1, (cl_long[]){0});
    set_buffer(kernel, 4, c);
    set_longs(kernel, 5, 1, (cl_long[]){0});
    set_buffer(kernel, 6, c);  /* parts: not touched with one slice */
    set_longs(kernel, 7, 12, (cl_long[]){
        1,           /* slices of the inner dimension */
        M, N, K,
        K, 1, N, 1,  /* strides of a along M and K, of b along K and N */
        1, 0, 0,     /* one batch dimension of size 1, and the strides of a and b along it */
        1});         /* batches */
    launch(kernel, (size_t)((M + TILE - 1) / TILE) * ((N + TILE - 1) / TILE) * ITEMS, ITEMS);
    return compare(c, M * N, expected);
}
