## transpose: y[.., r, c] = x[.., c, r], a copy between tensors whose dimensions of stride 1 differ.
##
## x   stride 1 along r, xs along c;  y  stride 1 along c, ys along r
## b   outer dimensions: size, stride in x, stride in y
##
## Tiles of 16 x 16 elements are read and written in whole cache lines: if ys or xs is a power of two, all rows of a tile
## map to the same few cache sets and would evict each other before the next column is read.  Tiles are visited in blocks of
## BLOCK x BLOCK, few enough memory pages for a processor's TLB.
<%!
from cltensor.codegen.parameters import Parameter, whole

PARAMETERS = dict(
    style="cpu", dtype="float32", rank=Parameter(1, "the number of outer dimensions", whole(1, 64)),
    TILE=Parameter(16, "side of a tile, in the cpu style", whole(8, 64, 8)),
    BLOCK=Parameter(128, "side of a block of tiles, in the cpu style", whole(8, 4096, 8)))
DTYPES = "all"
STYLES = ("cpu", "gpu")
%>
<%
T = types.storage_type(dtype)
by_eight = T == "float"
outer_sizes = tuple(f"b{i}" for i in range(rank))
needs = ["y overlaps nothing."]
if style == "cpu":
    blocks = Choice("work-groups, any number >= 1", "max(1, min(8, outer * ceil(rows, BLOCK)))")
    interface.launched(["1"], ["groups"], larger=True, needs=needs, groups=blocks)
else:
    interface.launched(["32", "8", "1"], ["ceil(columns, 32) * 32", "ceil(rows, 32) * 8", "outer"], larger=True, needs=needs)
%>
${types.pragmas([dtype])}
% if by_eight and style == "cpu":
${header("transpose.clh")}
typedef float8 __attribute__((aligned(4))) loose;
% endif
<%def name="outer(index)">
    size_t rest = ${index};
% for i in reversed(range(1, rank)):
    const size_t i${i} = rest % (size_t)b${i}; rest /= (size_t)b${i};
% endfor
    const size_t i0 = rest;
    __global const ${T} *x = x_p + x_o${"".join(f" + i{i} * x_b{i}" for i in range(rank))};
    __global ${T} *y = y_p + y_o${"".join(f" + i{i} * y_b{i}" for i in range(rank))};
</%def>
% if style == "cpu":
${vectors.SERIAL}
% else:
__attribute__((reqd_work_group_size(32, 8, 1)))
% endif
__kernel void transpose(
    ${interface.declare("transpose",
        Buffer("x_p", T, "in", (*outer_sizes, "columns", "rows"), "what to copy", (*(f"x_b{i}" for i in range(rank)), "xs", 1),
               offset="x_o", restrict=True),
        Buffer("y_p", T, "out", (*outer_sizes, "rows", "columns"), "the copy", (*(f"y_b{i}" for i in range(rank)), "ys", 1),
               offset="y_o", restrict=True),
        [a for i in range(rank) for a in (
            Number(f"b{i}", f"the size of outer dimension {i}", allowed=">= 1"),
            *(Number(f"{n}_b{i}", f"from one element of {n} to the next along b{i}", unit="elements") for n in "xy"))],
        Number("outer", "the product of the sizes of outer dimensions"), Number("rows", "the size of y's last dimension but one"),
        Number("columns", "the size of y's last dimension"),
        Number("xs", "from one element of x to the next along y's last dimension", unit="elements"),
        Number("ys", "from one row of y to the next", unit="elements"))})
{
% if style == "cpu":
    const size_t blocks = ((size_t)rows + ${BLOCK - 1}) / ${BLOCK}, all = (size_t)outer * blocks;
    const size_t last = (get_group_id(0) + 1) * all / get_num_groups(0);
    for (size_t unit = get_group_id(0) * all / get_num_groups(0); unit < last; unit++) {
        ${outer("unit / blocks")}
        const size_t low = unit % blocks * ${BLOCK};
        const size_t high = (size_t)rows - low < ${BLOCK} ? (size_t)rows : low + ${BLOCK};
        for (size_t left = 0; left < (size_t)columns; left += ${BLOCK}) {
            const size_t right = (size_t)columns - left < ${BLOCK} ? (size_t)columns : left + ${BLOCK};
            for (size_t r0 = low; r0 < high; r0 += ${TILE}) {
                size_t c = left;
                if (r0 + ${TILE} <= high)
                    for (; c + ${TILE} <= right; c += ${TILE}) {
% if by_eight:
                        for (size_t r = r0; r < r0 + ${TILE}; r += 8)
                            for (size_t j = c; j < c + ${TILE}; j += 8) {
                                __global const float *from = x + j * xs + r;
% for e in range(8):
                                float8 t${e} = *(__global const loose *)(from + ${e} * xs);
% endfor
                                ct_transpose8(${", ".join(f"t{e}" for e in range(8))});
                                __global float *to = y + r * ys + j;
% for e in range(8):
                                *(__global loose *)(to + ${e} * ys) = t${e};
% endfor
                            }
% else:
                        ${T} tile[${TILE}][${TILE}];
                        for (size_t j = 0; j < ${TILE}; j++)
                            for (size_t r = 0; r < ${TILE}; r++) tile[j][r] = x[(c + j) * xs + r0 + r];
                        for (size_t r = 0; r < ${TILE}; r++)
                            for (size_t j = 0; j < ${TILE}; j++) y[(r0 + r) * ys + c + j] = tile[j][r];
% endif
                    }
                const size_t end = r0 + ${TILE} < high ? r0 + ${TILE} : high;
                for (; c < right; c++)
                    for (size_t r = r0; r < end; r++) y[r * ys + c] = x[c * xs + r];
            }
        }
    }
% else:
    if (get_group_id(2) >= (size_t)outer) return;
    // one column more than the tile has, so that reads along a column spread over the banks of local memory
    __local ${T} tile[32][33];
    ${outer("get_group_id(2)")}
    const size_t lx = get_local_id(0), ly = get_local_id(1), c0 = get_group_id(0) * 32, r0 = get_group_id(1) * 32;
    for (size_t j = ly; j < 32; j += 8)
        if (c0 + j < (size_t)columns && r0 + lx < (size_t)rows) tile[j][lx] = x[(c0 + j) * xs + r0 + lx];
    barrier(CLK_LOCAL_MEM_FENCE);
    for (size_t j = ly; j < 32; j += 8)
        if (r0 + j < (size_t)rows && c0 + lx < (size_t)columns) y[(r0 + j) * ys + c0 + lx] = tile[lx][j];
% endif
}
