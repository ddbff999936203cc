## Sums over the rows of several matrices in one launch: y (columns) = the sum over rows of x (rows, columns), for each of them.
##
## OpenCL 1.2 has no arrays of pointers as arguments, so every matrix is an argument of its own, and a switch selects the current
## one.  Rows are contiguous, `stride` apart; a launch with fewer matrices sets the columns of the others to 0.
## The columns of all matrices form one range of blocks, which work-groups share; long columns are added up in parts of PART rows.
##
## matrices  their number;  dtype  of the sums;  dtypes  of each operand and each result are the same
## W         columns of a block;  WGS  work-items of a group of the gpu style, one for each column
<%!
from cltensor.codegen.parameters import Parameter, whole

PARAMETERS = dict(
    style="cpu", dtype="float32", matrices=Parameter(4, "how many matrices", whole(1, 18)),
    W=Parameter(64, "columns of a block, in the cpu style", whole(1, 1024)),
    WGS=Parameter(64, "work-items of a group, one for each column, in the gpu style", whole(1, 1024)),
    PART=Parameter(64, "rows whose sum is added to the total at once", whole(1, 65536)))
DTYPES = "floating"
STYLES = ("cpu", "gpu")
%>
<%
C, S = types.compute_type(dtype), types.storage_type(dtype)
width = "W" if style == "cpu" else "WGS"
blocks = " + ".join(f"ceil(columns{m}, {width})" for m in range(matrices))
groups = Choice("work-groups, any number >= 1", f"max(1, min({8 if style == 'cpu' else 4096}, {blocks}))")
local = "1" if style == "cpu" else "WGS"
interface.launched([local], ["groups" if style == "cpu" else "groups * WGS"], True, ["No result overlaps another buffer."], groups=groups)
%>
${types.pragmas([dtype])}
${header(*types.headers([dtype]))}
% if style == "cpu":
${vectors.loop(C)}
${vectors.SERIAL}
% else:
__attribute__((reqd_work_group_size(${WGS}, 1, 1)))
% endif
__kernel void column_sums(
    ${interface.declare("column_sums", [a for m in range(matrices) for a in (
        Buffer(f"x{m}", S, "in", (f"rows{m}", f"columns{m}"), f"matrix {m}", (f"stride{m}", 1), offset=f"x{m}_o",
               unused_if=f"columns{m} == 0"),
        Buffer(f"y{m}", S, "out", (f"columns{m}",), "the sums of its columns", offset=f"y{m}_o", unused_if=f"columns{m} == 0"),
        Number(f"rows{m}", "its rows"), Number(f"stride{m}", "from one of its rows to the next", unit="elements"),
        Number(f"columns{m}", "its columns; 0: there is no such matrix"))])})
{
    size_t turn = get_group_id(0);  // blocks until this group's next one
    for (int m = 0; m < ${matrices}; m++) {
        __global const ${S} *x;
        __global ${S} *y;
        size_t rows, stride, columns;
        switch (m) {
% for m in range(matrices):
        ${"default" if m == matrices - 1 else f"case {m}"}:
            x = x${m} + x${m}_o; y = y${m} + y${m}_o; rows = rows${m}; stride = stride${m}; columns = columns${m};
            break;
% endfor
        }
% if style == "cpu":
        for (size_t first = 0; first < columns; first += ${W}) {
            if (turn--) continue;
            turn = get_num_groups(0) - 1;
            const size_t count = columns - first < ${W} ? columns - first : ${W};
            ${C} total[${W}], part[${W}];
            for (size_t i = 0; i < ${W}; i++) total[i] = 0;
            for (size_t r = 0; r < rows; r += ${PART}) {
                const size_t stop = rows - r < ${PART} ? rows : r + ${PART};
                for (size_t i = 0; i < ${W}; i++) part[i] = 0;
                for (size_t k = r; k < stop; k++) {
                    __global const ${S} *row = x + k * stride + first;
                    if (count == ${W}) {
                        CT_LOOP
                        for (size_t i = 0; i < ${W}; i++) part[i] += (${C})${types.load(dtype, "row", "i")};
                    } else
                        for (size_t i = 0; i < count; i++) part[i] += (${C})${types.load(dtype, "row", "i")};
                }
                for (size_t i = 0; i < ${W}; i++) total[i] += part[i];
            }
            for (size_t i = 0; i < count; i++) {
                ${types.store(dtype, "y", "first + i", "total[i]")}
            }
        }
% else:
        for (size_t first = 0; first < columns; first += ${WGS}) {
            if (turn--) continue;
            turn = get_num_groups(0) - 1;
            const size_t i = first + get_local_id(0);
            if (i >= columns) continue;
            ${C} total = 0;
            for (size_t r = 0; r < rows; r += ${PART}) {
                const size_t stop = rows - r < ${PART} ? rows : r + ${PART};
                ${C} part = 0;
                for (size_t k = r; k < stop; k++) part += (${C})${types.load(dtype, "x", "k * stride + i")};
                total += part;
            }
            ${types.store(dtype, "y", "i", "total")}
        }
% endif
    }
}
