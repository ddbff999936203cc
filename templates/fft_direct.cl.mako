## A short Fourier transform as the product of each line with a matrix: no passes, no temporary memory.
##
## x, y      lines of numbers, complex or real; distances as in fft_lines
## matrix    a row for each real number of a line of x, in order; a column for each of y, filled up to whole blocks
## extend    x is half of a symmetric spectrum of y's length: the imaginary parts that do not count are not read
<%!
PARAMETERS = dict(style="cpu", dtype="float32", rank=2, BLOCK=4)
DTYPES = "wide"
LAUNCH = {"cpu": "local = (1,); global = (groups,), any number >= 1"}
%>
<%
T = types.compute_type(dtype)
V = vectors.width(T)
%>
${types.pragmas([dtype])}
typedef ${T}${V} vec;
${vectors.typedef(T)}
#define AT(p) (*(__global const loose *)(p))
__kernel void fft_direct(
    __global const ${T} *x_p, const long x_o, const long x_u, __global ${T} *y_p, const long y_o, const long y_u,
    __global const ${T} *matrix,
% for i in range(rank):
    const long b${i}, const long x_b${i}, const long y_b${i},
% endfor
    const long outer, const long lines, const long n, const long m, const long xe, const long xl, const long xi, const long ye,
    const long yl, const long yi, const int extend)
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
