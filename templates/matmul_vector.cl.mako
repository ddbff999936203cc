## Matrix times a few vectors: y (batch, M, N) = a (batch, M, K) @ x (batch, K, N), for products with few columns.  A product
## with few rows is computed from the transposes.
##
## Both styles read a once for COLS columns of x, along the dimension of stride 1.  A unit of work is `block` rows, COLS
## columns and one of the `slices` of K; with more than one slice the sums go to parts, and matmul_sum adds them up.
##   cpu  a unit is a work-group: with stride 1 along K it computes ROWS dot products at a time, otherwise it adds up columns
##   gpu  a group has `block` rows of WGS / block lanes; the lanes of a row add up their sums through local memory
<%!
import itertools

from cltensor.codegen import epilogue as epilogues
from cltensor.codegen.parameters import Parameter, one_of, powers, several, whole

PARAMETERS = dict(
    dtype="float32", style="cpu", COLS=Parameter(1, "columns of x at a time", whole(1, 16)),
    V=Parameter(8, "elements of a vector, in the cpu style", one_of(2, 4, 8, 16)),
    ROWS=Parameter(8, "dot products at a time, in the cpu style", whole(1, 16)),
    BLOCK=Parameter(4096, "the largest block of rows, in the cpu style", whole(1, 65536)),
    WGS=Parameter(256, "work-items of a group, in the gpu style", powers(1, 1024)),
    AHEAD=Parameter(4, "elements of a row that are read at a time, in the gpu style", whole(1, 32)),
    BATCH=Parameter(3, "the number of batch dimensions; unused ones have size 1", whole(1, 64)),
    **epilogues.PARAMETERS)
DTYPES = "number"
STYLES = ("cpu", "gpu")
%>
<%
T = types.storage_type(dtype)
real = {"int": "uint", "long": "ulong"}.get(types.compute_type(dtype), types.compute_type(dtype))  # unsigned: they wrap
in_place = T in ("float", "double", "int", "long")  # stored as it is computed with
more = [(f"e{i}", dtypes.BY_NAME.get(d, d)) for i, d in enumerate(extras)]
others = [(f"o{i}", dtypes.BY_NAME.get(d, d), value) for i, (d, value) in enumerate(outs)]
used = [dtype, *(d for _, d in more), *(d for _, d, _ in others)]
units = "batches * slices * ceil(M, block) * ceil(N, COLS)"
interface.launched(["1" if style == "cpu" else "WGS"], [units + ("" if style == "cpu" else " * WGS")], True,
                   ["Where slices > 1, matmul_sum makes y of parts.", "y overlaps nothing."])
a_lies, x_lies = (epilogues.batched(BATCH, *x) for x in (("a", ("M", "am"), ("K", "ak")), ("x", ("K", "xk"), ("N", "xn"))))
def stride(name, x, along): return Number(name, f"from one element of {x} to the next along {along}", unit="elements")
%>
${types.pragmas(used)}
${header(*types.headers(used))}
typedef ${real} real;
${activations.definition(activation, real)}
${functions}
% if style == "cpu":
${vectors.loop(*map(types.compute_type, used))}
typedef ${real}${V} vec;
typedef vec __attribute__((aligned(${8 if real in ("double", "ulong") else 4}))) unaligned;

// V elements of p, `step` apart, from index k on
static inline vec fetch(__global const ${T} *p, const size_t step, const size_t k)
{
% if in_place:
    if (step == 1)
        return *(__global const unaligned *)(p + k);
% endif
    return (vec)(${vectors.gathered(dtype, "p", [f"(k + {i}) * step" for i in range(V)], "(real)")});
}

static inline real total(const vec v)
{
    return ${" + ".join(f"v.s{i:x}" for i in range(V))};
}
<%def name="columns()">\
% for c in range(COLS):
    __global const ${T} *const x${c} = x + (${c} < cols ? ${c} * xn : 0);
% endfor
</%def>\
<%def name="dots(rows)">\
<% unroll = 4 if rows * COLS == 1 else 1 %>\
% for r in range(rows):
        __global const ${T} *const a${r} = a + (m + ${r}) * am;
% endfor
% for r, c, u in itertools.product(range(rows), range(COLS), range(unroll)):
        vec s${r}_${c}_${u} = (vec)(0);
% endfor
        size_t k = 0;
        for (; k + ${unroll * V} <= K; k += ${unroll * V}) {
% for u in range(unroll):
% for c in range(COLS):
            const vec x${c}_${u} = fetch(x${c}, xk, k + ${u * V});
% endfor
% for r in range(rows):
            const vec a${r}_${u} = fetch(a${r}, ak, k + ${u * V});
% for c in range(COLS):
            s${r}_${c}_${u} = a${r}_${u} * x${c}_${u} + s${r}_${c}_${u};
% endfor
% endfor
% endfor
        }
% for r, c in itertools.product(range(rows), range(COLS)):
        real t${r}_${c} = total(${" + ".join(f"s{r}_{c}_{u}" for u in range(unroll))});
% endfor
        for (; k < K; k++) {
% for r, c in itertools.product(range(rows), range(COLS)):
            t${r}_${c} += (real)${types.load(dtype, f"a{r}", "k * ak")} * (real)${types.load(dtype, f"x{c}", "k * xk")};
% endfor
        }
% for r, c in itertools.product(range(rows), range(COLS)):
        y[${c * BLOCK} + m + ${r}] = t${r}_${c};
% endfor
</%def>

// y (COLS, M) = a (M, K) @ x (K, cols), by dot products
static inline void add_rows(__global const ${T} *a, const size_t am, const size_t ak, __global const ${T} *x,
                            const size_t xk, const size_t xn, const size_t cols, const size_t M, const size_t K, real *y)
{
    ${columns()}
    size_t m = 0;
    for (; m + ${ROWS} <= M; m += ${ROWS}) {
${dots(ROWS)}
    }
    for (; m < M; m++) {
${dots(1)}
    }
}

// y (COLS, M) = a (M, K) @ x (K, cols), adding up the columns of a
static inline void add_columns(__global const ${T} *a, const size_t ak, __global const ${T} *x, const size_t xk,
                               const size_t xn, const size_t cols, const size_t M, const size_t K, real *y)
{
    ${columns()}
% for c in range(COLS):
    for (size_t m = 0; m < M; m++)
        y[${c * BLOCK} + m] = 0;
% endfor
    size_t k = 0;
% for count in (8 if COLS == 1 else 2, 1):
    for (; k + ${count} <= K; k += ${count}) {
% for u in range(count):
        __global const ${T} *const a${u} = a + (k + ${u}) * ak;
% for c in range(COLS):
        const real x${c}_${u} = ${types.load(dtype, f"x{c}", f"(k + {u}) * xk")};
% endfor
% endfor
        CT_LOOP
        for (size_t m = 0; m < M; m++) {
% for c in range(COLS):
            y[${c * BLOCK} + m] += ${" + ".join(f"(real){types.load(dtype, f'a{u}', 'm')} * x{c}_{u}" for u in range(count))};
% endfor
        }
    }
% endfor
}
% endif

${vectors.SERIAL if style == "cpu" else f"__attribute__((reqd_work_group_size({WGS}, 1, 1)))"}
__kernel void matmul_vector(
    ${interface.declare("matmul_vector",
        Buffer("a", T, "in", *a_lies[:1], "the matrix", a_lies[1], "a_offset", restrict=True),
        Buffer("x", T, "in", *x_lies[:1], "the vectors", x_lies[1], "x_offset", restrict=True),
        Buffer("y", T, "out", ("batches", "M", "N"), "the product", ("M * N", "ym", "yn"), "y_offset", unused_if="slices > 1", restrict=True),
        Buffer("parts", real, "out", ("slices", "batches", "M", "N"), "the sums of the slices", ("batches * M * N", "M * N", "ym", "yn"),
               unused_if="slices == 1", restrict=True),
        Number("slices", "into how many parts to cut K", allowed=">= 1"),
        Number("block", "rows of a unit of work", allowed="1 to BLOCK" if style == "cpu" else "a power of 2 from 1 to WGS"),
        Number("M", "rows"), Number("N", "columns"), Number("K", "the inner dimension"), stride("am", "a", "M"), stride("ak", "a", "K"),
        stride("xk", "x", "K"), stride("xn", "x", "N"), stride("ym", "y", "M"), stride("yn", "y", "N"),
        epilogues.batch_arguments(BATCH, "a", "x"), epilogues.arguments(more, others, scalars, dtype, "slices > 1"),
        Number("batches", "the product of the sizes of batch dimensions"))})
{
    const size_t row_blocks = (M + block - 1) / block, col_blocks = (N + ${COLS - 1}) / ${COLS};
    size_t rest = get_group_id(0);
    const size_t j0 = rest % col_blocks * ${COLS};  // fastest, so that the rows of a are still in cache
    rest /= col_blocks;
    const size_t m0 = rest % row_blocks * block;
    rest /= row_blocks;
    const size_t slice = rest % slices, batch = rest / slices;
    const size_t k0 = slice * K / slices, k1 = (slice + 1) * K / slices;
    const size_t cols = N - j0 < ${COLS} ? N - j0 : ${COLS};
    __global const ${T} *a_from = a + a_offset + m0 * am + k0 * ak, *x_from = x + x_offset + k0 * xk + j0 * xn;
    rest = batch;
% for d in reversed(range(BATCH)):
    a_from += rest % n${d} * a_batch${d};
    x_from += rest % n${d} * x_batch${d};
    rest /= n${d};
% endfor
<%def name="finish(sum)">
        const size_t at = batch * M * N + m * ym + (j0 + j) * yn;
        if (slices > 1)
            parts[slice * batches * M * N + at] = ${sum};
        else {
            const real acc = ${sum};
% for e, d in more:
            const real ${e} = (real)${types.load(d, e + "_p", f"{e}_offset + batch * {e}_batch + m * {e}_row + (j0 + j) * {e}_col")};
% endfor
% for o, d, value in others:
            ${types.store(d, o + "_p", f"{o}_offset + batch * {o}_batch + m * {o}_row + (j0 + j) * {o}_col", value)}
% endfor
            ${types.store(dtype, "y", "y_offset + at", activations.applied(activation, epilogue))}
        }
</%def>
% if style == "cpu":
    if (batch >= (size_t)batches) return;
    const size_t rows = M - m0 < block ? M - m0 : block;
    real sums[${COLS * BLOCK}];
    if (am == 1 && ak != 1)
        add_columns(a_from, ak, x_from, xk, xn, cols, rows, k1 - k0, sums);
    else
        add_rows(a_from, am, ak, x_from, xk, xn, cols, rows, k1 - k0, sums);
    for (size_t j = 0; j < cols; j++)
        for (size_t i = 0; i < rows; i++) {
            const size_t m = m0 + i;
            ${finish(f"sums[j * {BLOCK} + i]")}
        }
% else:
    __local real sums[${COLS * WGS}];
    const size_t id = get_local_id(0), lanes = ${WGS} / block;
    const size_t row = ak == 1 ? id / lanes : id % block, lane = ak == 1 ? id % lanes : id / block, m = m0 + row;
    const size_t place = lane * block + row;
% for c in range(COLS):
    real ${", ".join(f"s{c}_{u} = 0" for u in range(AHEAD))};
    __global const ${T} *const x${c} = x_from + (${c} < cols ? ${c} * xn : 0);
% endfor
    if (m < M) {
        const size_t span = k1 - k0;
        __global const ${T} *const a_row = a_from + row * am;
        size_t k = lane;
% for count in (AHEAD, 1):
        for (; k + ${count - 1} * lanes < span; k += ${count} * lanes) {
% for u in range(count):
            const real a_${u} = ${types.load(dtype, "a_row", f"(k + {u} * lanes) * ak")};
% endfor
% for u, c in itertools.product(range(count), range(COLS)):
            s${c}_${u} += a_${u} * (real)${types.load(dtype, f"x{c}", f"(k + {u} * lanes) * xk")};
% endfor
        }
% endfor
    }
% for c in range(COLS):
    sums[${c * WGS} + place] = ${" + ".join(f"s{c}_{u}" for u in range(AHEAD))};
% endfor
    for (size_t width = lanes / 2; width > 0; width /= 2) {
        barrier(CLK_LOCAL_MEM_FENCE);
        if (lane < width) {
% for c in range(COLS):
            sums[${c * WGS} + place] += sums[${c * WGS} + place + width * block];
% endfor
        }
    }
    if (lane == 0 && m < M && batch < (size_t)batches)  // a larger grid's groups read batches again
        for (size_t j = 0; j < cols; j++) {
            ${finish(f"sums[j * {WGS} + row]")}
        }
% endif
}
