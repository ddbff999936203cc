/* A 3 x 3 convolution with padding 1 of C planes of H x W numbers to L planes, by the kernel in convolution.cl.
 *
 * The kernel has three spatial dimensions; the first one has size 1 here. */
#include "opencl.h"

enum { C = 3, L = 4, H = 20, W = 31, ITEMS = 128 };
static float x[C * H * W], w[L * C * 9], bias[L];
static double expected[L * H * W];

int main(int argc, char **argv)
{
    for (int i = 0; i < C * H * W; i++) x[i] = random_number();
    for (int i = 0; i < L * C * 9; i++) w[i] = random_number();
    for (int i = 0; i < L; i++) bias[i] = random_number();
    for (int l = 0; l < L; l++)
        for (int i = 0; i < H; i++)
            for (int j = 0; j < W; j++) {
                double sum = bias[l];
                for (int c = 0; c < C; c++)
                    for (int p = 0; p < 9; p++) {
                        const int row = i + p / 3 - 1, column = j + p % 3 - 1;
                        if (row >= 0 && row < H && column >= 0 && column < W)
                            sum += (double)x[(c * H + row) * W + column] * w[(l * C + c) * 9 + p];
                    }
                expected[(l * H + i) * W + j] = sum;
            }

    open_device(argc > 1 ? argv[1] : NULL);
    cl_kernel kernel = load_kernel("convolution.cl", "convolution");
    cl_mem y = floats(L * H * W, NULL);
    set_buffer(kernel, 0, floats(C * H * W, x));
    set_longs(kernel, 1, 1, (cl_long[]){0});
    set_buffer(kernel, 2, floats(L * C * 9, w));
    set_longs(kernel, 3, 1, (cl_long[]){0});
    set_buffer(kernel, 4, floats(L, bias));
    set_longs(kernel, 5, 3, (cl_long[]){0, 1, 1});  /* bias: its first element, its stride, and that there is one */
    set_buffer(kernel, 8, y);
    set_longs(kernel, 9, 39, (cl_long[]){
        0,                                /* y's first element */
        1, 1, C, L,                       /* images, groups, input and output channels of a group */
        1, H, W,                          /* sizes of x */
        C * H * W, H * W, H * W, W, 1,    /* strides of x: image, channel, three dimensions */
        1, H, W,                          /* sizes of y */
        1, 1, 1,                          /* from one element of y to the next: the stride of the convolution */
        0, -1, -1,                        /* where the first element of y begins to read: minus the padding */
        1, 3, 3,                          /* taps */
        1, 1, 1,                          /* from tap to tap: the dilation */
        L * H * W, H * W, H * W, W, 1,    /* strides of y: image, channel, three dimensions */
        L * C * 9, C * 9, 9, 9, 3, 1});   /* strides of w: group, output and input channel, three taps */
    launch(kernel, (size_t)(L * H * W + ITEMS - 1) / ITEMS * ITEMS, ITEMS);
    return compare(y, L * H * W, expected);
}
