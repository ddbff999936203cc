## Matrix product on a GPU: c (batch, M, N) = a (batch, M, K) @ b (batch, K, N), with tiles staged through local memory.
##
## A work-group of MDIM x NDIM work-items computes MWG x NWG of c.  Each item keeps RM x RN sums in registers, in groups of 4
## neighbouring rows and columns, so that it reads local memory in vectors.  It fetches the next tile into registers while it
## multiplies the current one.  Operands may have any strides: neighbouring items read along the dimension of stride 1.
## The inner dimension may be cut into `slices` for different groups; matmul_sum adds up their sums.
<%!
from cltensor.codegen import epilogue as epilogues
from cltensor.codegen.parameters import Parameter, one_of, powers, several, whole

PARAMETERS = dict(
    dtype="float32", style="gpu", MWG=Parameter(64, "rows of a tile", whole(4, 512, 4)), NWG=Parameter(64, "columns of a tile", whole(4, 512, 4)),
    KWG=Parameter(16, "the depth of a step", whole(1, 128)), MDIM=Parameter(16, "work-items along the rows", whole(1, 64)),
    NDIM=Parameter(16, "work-items along the columns", whole(1, 64)),
    BATCH=Parameter(3, "the number of batch dimensions; unused ones have size 1", whole(1, 64)),
    **epilogues.PARAMETERS)
DTYPES = "number"
STYLES = ("gpu",)
%>
<%
T = types.storage_type(dtype)
real = {"int": "uint", "long": "ulong"}.get(types.compute_type(dtype), types.compute_type(dtype))  # these wrap, signed may not
WGS, RM, RN = MDIM * NDIM, MWG // MDIM, NWG // NDIM
a_each, b_each = MWG * KWG // WGS, NWG * KWG // WGS  # elements an item fetches per step
assert RM % 4 == 0 and RN % 4 == 0 and WGS % MWG == 0 and WGS % NWG == 0 and WGS % KWG == 0
assert MWG % MDIM == 0 and NWG % NDIM == 0 and MWG * KWG % WGS == 0 and NWG * KWG % WGS == 0
more = [(f"e{i}", dtypes.BY_NAME.get(d, d)) for i, d in enumerate(extras)]
others = [(f"o{i}", dtypes.BY_NAME.get(d, d), value) for i, (d, value) in enumerate(outs)]
used = [dtype, *(d for _, d in more), *(d for _, d, _ in others)]
interface.launched(["MDIM * NDIM"], ["batches * slices * ceil(M, MWG) * ceil(N, NWG) * MDIM * NDIM"], True,
                   ["Where slices > 1, matmul_sum makes c of parts.", "c overlaps nothing."])
a_lies, b_lies = (epilogues.batched(BATCH, *x) for x in (("a", ("M", "am"), ("K", "ak")), ("b", ("K", "bk"), ("N", "bn"))))
def stride(name, x, along): return Number(name, f"from one element of {x} to the next along {along}", unit="elements")
%>
${types.pragmas(used)}
${header(*types.headers(used))}
typedef ${real} real;
${activations.definition(activation, real)}
${functions}
typedef ${real}4 real4;
#define MWG ${MWG}
#define NWG ${NWG}
#define KWG ${KWG}
#define MDIM ${MDIM}
#define NDIM ${NDIM}
#define WGS (MDIM * NDIM)
#define RM (MWG / MDIM)
#define RN (NWG / NDIM)
#define A_ROW (MWG + 4)  // keeps vectors aligned and spreads a column over the banks
#define B_ROW (NWG + 4)

__attribute__((reqd_work_group_size(WGS, 1, 1)))
__kernel void matmul_tiled(
    ${interface.declare("matmul_tiled",
        Buffer("a", T, "in", *a_lies[:1], "the first matrix", a_lies[1], "a_offset", restrict=True),
        Buffer("b", T, "in", *b_lies[:1], "the second matrix", b_lies[1], "b_offset", restrict=True),
        Buffer("c", T, "out", ("batches", "M", "N"), "the product", offset="c_offset", unused_if="slices > 1", restrict=True),
        Buffer("parts", real, "out", ("slices", "batches", "M", "N"), "the sums of the slices", unused_if="slices == 1", restrict=True),
        Number("slices", "into how many parts to cut K", allowed=">= 1"), Number("M", "rows"), Number("N", "columns"),
        Number("K", "the inner dimension"), stride("am", "a", "M"), stride("ak", "a", "K"), stride("bk", "b", "K"), stride("bn", "b", "N"),
        epilogues.batch_arguments(BATCH, "a", "b"), epilogues.arguments(more, others, scalars, dtype, "slices > 1"),
        Number("batches", "the product of the sizes of batch dimensions"))})
{
    __local real4 a_local[KWG * A_ROW / 4], b_local[KWG * B_ROW / 4];
    __local real *const a_to = (__local real *)a_local, *const b_to = (__local real *)b_local;
    const size_t id = get_local_id(0), tm = id / NDIM, tn = id % NDIM;
    const size_t across = (N + NWG - 1) / NWG, down = (M + MWG - 1) / MWG;
    size_t rest = get_group_id(0);
    const size_t j0 = rest % across * NWG;
    rest /= across;
    const size_t i0 = rest % down * MWG;
    rest /= down;
    const size_t slice = rest % slices, batch = rest / slices;
    const size_t steps = (K + KWG - 1) / KWG;
    const size_t start = steps * slice / slices * KWG, end = steps * (slice + 1) / slices * KWG;
    const size_t stop = end < K ? end : K;

    // element l of an item's share: row or column i + l * di, inner index p + l * dp; the dimension of stride 1 goes first
    const int a_inner = ak == 1, b_inner = bk == 1;
    const size_t ai = a_inner ? id / KWG : id % MWG, ap = a_inner ? id % KWG : id / MWG;
    const size_t bj = b_inner ? id / KWG : id % NWG, bp = b_inner ? id % KWG : id / NWG;
    const size_t a_di = a_inner ? WGS / KWG : 0, a_dp = a_inner ? 0 : WGS / MWG;
    const size_t b_dj = b_inner ? WGS / KWG : 0, b_dp = b_inner ? 0 : WGS / NWG;
    __global const ${T} *a_from = a + a_offset + (i0 + ai) * am + (start + ap) * ak;
    __global const ${T} *b_from = b + b_offset + (j0 + bj) * bn + (start + bp) * bk;
    rest = batch;
% for d in reversed(range(BATCH)):
    a_from += rest % n${d} * a_batch${d};
    b_from += rest % n${d} * b_batch${d};
    rest /= n${d};
% endfor
    const size_t a_step = a_di * am + a_dp * ak, b_step = b_dj * bn + b_dp * bk;
    const size_t a_at = ap * A_ROW + ai, a_local_step = a_dp * A_ROW + a_di;
    const size_t b_at = bp * B_ROW + bj, b_local_step = b_dp * B_ROW + b_dj;

% for r in range(RM):
% for w in range(RN // 4):
    real4 c${r}_${w} = (real4)(0);
% endfor
% endfor
<%def name="fetch(at)">
% for l in range(a_each):
    a_next${l} = i0 + ai + ${l} * a_di < M && ${at} + ap + ${l} * a_dp < stop
        ? (real)${types.load(dtype, "a_from", f"{l} * a_step")} : 0;
% endfor
% for l in range(b_each):
    b_next${l} = j0 + bj + ${l} * b_dj < N && ${at} + bp + ${l} * b_dp < stop
        ? (real)${types.load(dtype, "b_from", f"{l} * b_step")} : 0;
% endfor
    a_from += KWG * ak;
    b_from += KWG * bk;
</%def>
    real ${", ".join([f"a_next{l}" for l in range(a_each)] + [f"b_next{l}" for l in range(b_each)])};
    ${fetch("start")}
    for (size_t p0 = start; p0 < stop; p0 += KWG) {
        barrier(CLK_LOCAL_MEM_FENCE);
% for l in range(a_each):
        a_to[a_at + ${l} * a_local_step] = a_next${l};
% endfor
% for l in range(b_each):
        b_to[b_at + ${l} * b_local_step] = b_next${l};
% endfor
        barrier(CLK_LOCAL_MEM_FENCE);
        if (p0 + KWG < stop) {
            ${fetch("p0 + KWG")}
        }
        for (size_t p = 0; p < KWG; p++) {
% for u in range(RM // 4):
            const real4 x${u} = a_local[p * (A_ROW / 4) + tm + ${u} * MDIM];
% endfor
% for w in range(RN // 4):
            const real4 y${w} = b_local[p * (B_ROW / 4) + tn + ${w} * NDIM];
% endfor
% for r in range(RM):
% for w in range(RN // 4):
            c${r}_${w} = x${r // 4}.s${r % 4} * y${w} + c${r}_${w};
% endfor
% endfor
        }
    }

    real4 sums[RM][RN / 4];
% for r in range(RM):
% for w in range(RN // 4):
    sums[${r}][${w}] = c${r}_${w};
% endfor
% endfor
    const size_t plane = batch * M * N, part = (slice * batches + batch) * M * N;
    for (size_t r = 0; r < RM; r++) {
        const size_t i = i0 + r / 4 * (4 * MDIM) + tm * 4 + r % 4;
        for (size_t s = 0; s < RN; s++) {
            const size_t j = j0 + s / 4 * (4 * NDIM) + tn * 4 + s % 4;
            if (i >= M || j >= N || batch >= (size_t)batches)  // a larger grid's, which reads batches again
                continue;
            const real acc = ((const real *)sums[r])[s];
            if (slices > 1) {
                parts[part + i * N + j] = acc;
                continue;
            }
% for e, d in more:
            const real ${e} = (real)${types.load(d, e + "_p", f"{e}_offset + batch * {e}_batch + i * {e}_row + j * {e}_col")};
% endfor
% for o, d, value in others:
            ${types.store(d, o + "_p", f"{o}_offset + batch * {o}_batch + i * {o}_row + j * {o}_col", value)}
% endfor
            ${types.store(dtype, "c", "c_offset + plane + i * N + j", activations.applied(activation, epilogue))}
        }
    }
}
