/* Softmax of each row of ROWS x N numbers, by the kernel in softmax.cl, through the function in softmax.h. */
#include "opencl.h"
#include "softmax.h"

enum { ROWS = 50, N = 300 };
static float x[ROWS * N];
static double expected[ROWS * N];

int main(int argc, char **argv)
{
    for (int i = 0; i < ROWS * N; i++) x[i] = 5 * random_number();
    for (int row = 0; row < ROWS; row++) {
        double sum = 0;
        for (int i = 0; i < N; i++) sum += exp(x[row * N + i]);
        for (int i = 0; i < N; i++) expected[row * N + i] = exp(x[row * N + i]) / sum;
    }

    open_device(argc > 1 ? argv[1] : NULL);
    cl_kernel kernel = load_kernel("softmax.cl", "softmax");
    cl_mem y = floats(ROWS * N, NULL);
    check(softmax_enqueue(queue, kernel, floats(ROWS * N, x), 0, y, 0, ROWS, N, 1, NULL), "softmax");
    return compare(y, ROWS * N, expected);
}
