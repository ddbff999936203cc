## A short Fourier transform as the product of each line with a matrix: no passes, no temporary memory.
##
## x, y      lines of n and of m numbers, complex or real
## matrix    a row for each real number of a line of x, in order; a column for each real number of a line of y, and columns of any
##           finite numbers after them, up to a whole number of blocks.  Each real number of y is the sum of the products of the
##           real numbers of x with its column.
##           For y[k] = sum over j of c[j, k] x[j], the row of x[j]'s real part has the real and the imaginary part of c[j, k] for
##           each k, the row of its imaginary part those of i * c[j, k]; where y is real, columns have the real parts alone.
##           The discrete Fourier transform is c[j, k] = exp(-2 pi i j k / n)
## extend    x is half of a spectrum of m numbers, n = m // 2 + 1: the imaginary parts of x[0] and, for an even m, of x[m / 2] are
##           not read.  For the inverse transform to real numbers, c[j, k] is exp(2 pi i j k / m) for these two, else twice that
<%!
from cltensor.codegen import lines
from cltensor.codegen.parameters import Parameter, whole

PARAMETERS = dict(style="cpu", dtype="float32", rank=Parameter(2, "the number of outer dimensions", whole(1, 64)),
                  BLOCK=Parameter(4, "vectors of results that a row of the matrix is added to at a time", whole(1, 16)))
DTYPES = "wide"
STYLES = ("cpu",)
%>
<%
T = types.compute_type(dtype)
V = vectors.width(T)
interface.walks(style, "outer * lines", needs=["y overlaps nothing."])
%>
${types.pragmas([dtype])}
typedef ${T}${V} vec;
${vectors.typedef(T)}
#define AT(p) (*(__global const loose *)(p))
__kernel void fft_direct(
    ${interface.declare("fft_direct",
        lines.operand("x", T, "in", "lines of numbers", rank, ("lines", "xl"), ("n", "xe"), imaginary="xi"),
        lines.operand("y", T, "out", "their products with the matrix", rank, ("lines", "yl"), ("m", "ye"), imaginary="yi"),
        Buffer("matrix", T, "in", ("n * (2 if xi != 0 else 1)", f"ceil(m * (2 if yi != 0 else 1), {BLOCK * V}) * {BLOCK * V}"),
               "the matrix, see above"),
        lines.outer(rank), Number("lines", "how many lines there are for each outer index"),
        Number("n", "numbers of a line of x"), Number("m", "numbers of a line of y"), lines.distances("x"), lines.distances("y"),
        Number("extend", "whether x is half of a spectrum", "int", allowed="0 or 1"))})
{
    const size_t units = (size_t)outer * lines, parts = yi ? 2 : 1, columns = m * parts;
    const size_t width = (columns + ${BLOCK * V - 1}) / ${BLOCK * V} * ${BLOCK * V}, end = (get_group_id(0) + 1) * units / get_num_groups(0);
    for (size_t unit = get_group_id(0) * units / get_num_groups(0); unit < end; unit++) {
        size_t rest = unit / lines;
        const size_t l = unit % lines;
% for i in reversed(range(1, rank)):
        const size_t o${i} = rest % (size_t)b${i}; rest /= (size_t)b${i};
% endfor
        const size_t o0 = rest;
        __global const ${T} *x = x_p + x_o * x_u${"".join(f" + (long)o{i} * x_b{i}" for i in range(rank))} + (long)l * xl;
        __global ${T} *y = y_p + y_o * y_u${"".join(f" + (long)o{i} * y_b{i}" for i in range(rank))} + (long)l * yl;
        for (size_t first = 0; first < columns; first += ${BLOCK * V}) {
            __global const ${T} *row = matrix + first;
            vec ${", ".join(f"s{b} = 0" for b in range(BLOCK))};
            for (size_t j = 0; j < (size_t)n; j++) {
                const ${T} re = x[(long)j * xe];
% for b in range(BLOCK):
                s${b} += re * AT(row + ${b * V});
% endfor
                row += width;
                if (!xi) continue;
                if (!extend || (j && 2 * j != (size_t)m)) {
                    const ${T} im = x[(long)j * xe + xi];
% for b in range(BLOCK):
                    s${b} += im * AT(row + ${b * V});
% endfor
                }
                row += width;
            }
            if (ye == (long)parts && first + ${BLOCK * V} <= columns) {
% for b in range(BLOCK):
                *(__global loose *)(y + first + ${b * V}) = s${b};
% endfor
            } else {
                vec sums[${BLOCK}] = {${", ".join(f"s{b}" for b in range(BLOCK))}};
                const ${T} *sum = (const ${T} *)sums;
                for (size_t c = first; c < columns && c < first + ${BLOCK * V}; c++)
                    y[(long)(c / parts) * ye + (long)(c % parts) * yi] = sum[c - first];
            }
        }
    }
}
