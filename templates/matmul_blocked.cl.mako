## Matrix product on a CPU: c (batch, M, N) = a (batch, M, K) @ b (batch, K, N), one work-item per work-group, no barriers.
##
## Each group walks consecutive macro-tiles (MC x NC of c).  For every KC of the inner dimension it copies blocks of a and b
## into its own slice of scratch, where they stay in the core's cache, and multiplies micro-tiles of MR x NR held in
## registers.  Operands may have any strides; one whose layout suits the micro-kernel is read in place, without a copy.
<%!
from cltensor.codegen import epilogue as epilogues
from cltensor.codegen.parameters import Parameter, one_of, powers, several, whole

PARAMETERS = dict(
    dtype="float32", style="cpu", MR=Parameter(6, "rows of a micro-tile", whole(1, 16)), NV=Parameter(2, "vectors of its columns", whole(1, 8)),
    V=Parameter(8, "elements of a vector", one_of(2, 4, 8, 16)),
    BATCH=Parameter(3, "the number of batch dimensions; unused ones have size 1", whole(1, 64)),
    columns=Parameter((), "the column strides of extras and outs, as far as they are known", several(one_of(0, 1, None))),
    **epilogues.PARAMETERS)
DTYPES = "number"
STYLES = ("cpu",)
%>
<%
T = types.storage_type(dtype)
real = {"int": "uint", "long": "ulong"}.get(types.compute_type(dtype), types.compute_type(dtype))  # these wrap, signed may not
in_place = T in ("float", "double", "int", "long")  # stored as it is computed with
plain = in_place and epilogue == "acc" and not activation and not outs
NR = NV * V
more = [(f"e{i}", dtypes.BY_NAME.get(d, d)) for i, d in enumerate(extras)]
others = [(f"o{i}", dtypes.BY_NAME.get(d, d), value) for i, (d, value) in enumerate(outs)]
used = [dtype, *(d for _, d in more), *(d for _, d, _ in others)]
interface.launched(["1"], ["groups"], False, ["c overlaps nothing."], groups=Choice(
    "work-groups, any number >= 1; scratch has a slice for each", "max(1, min(8, batches * ceil(M, MC) * ceil(N, NC)))"))
a_lies, b_lies = (epilogues.batched(BATCH, *x) for x in (("a", ("M", "am"), ("K", "ak")), ("b", ("K", "bk"), ("N", "bn"))))
def stride(name, x, along): return Number(name, f"from one element of {x} to the next along {along}", unit="elements")
held = f"KC * {NR} + (MC * NC if K > KC else {MR * NR}) + (MC * (KC + 1) + {V} if copy_a else 0)"
%>
${types.pragmas(used)}
${header(*types.headers(used))}
#define MR ${MR}
#define NR ${NR}

${vectors.loop(real)}
typedef ${real} real;
${activations.definition(activation, real)}
${functions}
typedef ${real}${V} vec;
typedef vec __attribute__((aligned(${8 if real in ("double", "ulong") else 4}))) unaligned;
#define LOAD(p) (*(__global const unaligned *)(p))
#define STORE(p, x) (*(__global unaligned *)(p) = (x))

// to (MR, NR) = a (rows, kc) @ b (kc, NR), plus from (MR, NR) unless first.  Rows past the edge repeat row 0: nothing outside a
// is read.
static inline void multiply(__global const real *a, const size_t am, const size_t ak, const size_t rows,
                            __global const real *b, const size_t bk, const size_t kc, const int first,
                            __global const real *from, __global real *to, const size_t to_row)
{
% for r in range(MR):
    __global const real *a${r} = a + (${r} < rows ? ${r} * am : 0);
% for v in range(NV):
    vec c${r}_${v} = (vec)(0);
% endfor
% endfor
    for (size_t p = 0; p < kc; p++) {
% for v in range(NV):
        const vec b${v} = LOAD(b + ${v * V});
% endfor
% for r in range(MR):
        const vec x${r} = (vec)(*a${r});
% for v in range(NV):
        c${r}_${v} = x${r} * b${v} + c${r}_${v};
% endfor
        a${r} += ak;
% endfor
        b += bk;
    }
    if (!first) {  // not sooner: the loads then need not be waited for
% for r in range(MR):
% for v in range(NV):
        c${r}_${v} += LOAD(from + ${r * NR + v * V});
% endfor
% endfor
    }
% for r in range(MR):
% for v in range(NV):
    STORE(to + ${r} * to_row + ${v * V}, c${r}_${v});
% endfor
% endfor
}
% if in_place:

// d (V rows NR apart) = the transpose of b (V rows bn apart), by log2(V) exchanges of row and column bits
static inline void transpose(__global const real *b, const size_t bn, __global real *d)
{
% for i in range(V):
    const vec r0_${i} = LOAD(b + ${i} * bn);
% endfor
% for stage in range(V.bit_length() - 1):
<% bit = 1 << stage %>\
% for i in range(V):
<%
    picks = [(i & ~bit | (e & bit), e | bit if i & bit else e & ~bit) for e in range(V)]
%>\
    const vec r${stage + 1}_${i} = (vec)(${", ".join(f"r{stage}_{row}.s{e:x}" for row, e in picks)});
% endfor
% endfor
% for i in range(V):
    STORE(d + ${i * NR}, r${V.bit_length() - 1}_${i});
% endfor
}
% endif

// d (kc, NR) = b (kc, cols), zero past the edge
static inline void copy_panel(__global const ${T} *b, const size_t bk, const size_t bn, const size_t kc, const size_t cols,
                              __global real *d)
{
    size_t p = 0;
    if (cols == NR && bn == 1) {
        for (; p < kc; p++) {
% if in_place:
% for v in range(NV):
            STORE(d + p * NR + ${v * V}, LOAD((__global const real *)b + p * bk + ${v * V}));
% endfor
% else:
            for (size_t j = 0; j < NR; j++)
                d[p * NR + j] = ${types.load(dtype, "b", "p * bk + j")};
% endif
        }
% if in_place:
    } else if (cols == NR && bk == 1) {
        for (size_t v = 0; v < NR; v += ${V})  // V streams at a time, which a processor's prefetcher can follow
            for (p = 0; p + ${V} <= kc; p += ${V})
                transpose((__global const real *)b + p + v * bn, bn, d + p * NR + v);
% endif
    }
    for (; p < kc; p++)
        for (size_t j = 0; j < NR; j++)
            d[p * NR + j] = j < cols ? (real)${types.load(dtype, "b", "p * bk + j * bn")} : 0;
}

// a (rows, kc) copied to rows, d (rows, kc)
static inline void copy_rows(__global const ${T} *a, const size_t am, const size_t rows, const size_t kc, __global real *d)
{
    for (size_t i = 0; i < rows; i++)
        for (size_t p = 0; p < kc; p++)
            d[i * kc + p] = ${types.load(dtype, "a", "i * am + p")};
}

// a (rows, kc) copied to panels of MR rows, d (panels, kc + 1, MR): a whole vector may be stored, the next store mends it.
// Few panels at a time, since every one is a stream of stores.
static inline void copy_columns(__global const ${T} *a, const size_t am, const size_t ak, const size_t rows, const size_t kc,
                                __global real *d)
{
    const size_t step = (kc + 1) * MR, strip = 8 * MR;
    for (size_t i0 = 0; i0 < rows; i0 += strip) {
        const size_t end = i0 + strip < rows ? i0 + strip : rows;
        for (size_t p = 0; p < kc; p++) {
            __global real *to = d + i0 / MR * step + p * MR;
            size_t i = i0;
% if in_place and MR <= V <= 2 * MR:
            if (am == 1)
                for (; i + ${V} <= rows && i < end; i += MR, to += step)
                    STORE(to, LOAD((__global const real *)a + p * ak + i));
% endif
            for (; i < end; i += MR, to += step)
                for (size_t r = 0; r < MR; r++)
                    to[r] = i + r < rows ? (real)${types.load(dtype, "a", "(i + r) * am + p * ak")} : 0;
        }
    }
}

<%def name="finish(known)">
<%
    places = dict(zip([n for n, *_ in (*more, *others)], [("0", "s")[step] for step in known])) if known is not None else {}
%>\
                            const real acc = sum[r * NR + s];
% for e, d in more:
                            const real ${e} = (real)${types.load(d, e + "_r", places.get(e, f"s * {e}_col"))};
% endfor
% for o, d, value in others:
                            ${types.store(d, o + "_r", places.get(o, f"s * {o}_col"), value)}
% endfor
                            ${types.store(dtype, "to", "r * N + s", activations.applied(activation, epilogue))}
</%def>
${vectors.SERIAL}
__kernel void matmul_blocked(
    ${interface.declare("matmul_blocked",
        Buffer("a", T, "in", *a_lies[:1], "the first matrix", a_lies[1], "a_offset", restrict=True),
        Buffer("b", T, "in", *b_lies[:1], "the second matrix", b_lies[1], "b_offset", restrict=True),
        Buffer("c", T, "out", ("batches", "M", "N"), "the product", offset="c_offset", restrict=True),
        Buffer("scratch", real, "scratch", ("groups", "slice"), "copies and sums", restrict=True),
        Number("slice", "the scratch of a work-group", unit="elements", allowed=f">= {held}"),
        Number("M", "rows"), Number("N", "columns"), Number("K", "the inner dimension"),
        Number("MC", "rows of a macro-tile", allowed=f"a multiple of {MR}; {max(96 // MR, 1) * MR} is a good one"),
        Number("NC", "columns of a macro-tile", allowed=f"a multiple of {NR}; {max(256 // NR, 1) * NR} is a good one"),
        Number("KC", "the depth of a block", allowed=">= 1; 256 is a good one"), stride("am", "a", "M"), stride("ak", "a", "K"), stride("bk", "b", "K"),
        stride("bn", "b", "N"),
        Number("copy_a", "whether to copy blocks of a", allowed="0 or 1" if in_place else "1"),
        Number("copy_b", "whether to copy blocks of b", allowed="0 or 1; 1 if bn is not 1" if in_place else "1"),
        epilogues.batch_arguments(BATCH, "a", "b"), epilogues.arguments(more, others, scalars, dtype),
        Number("batches", "the product of the sizes of batch dimensions"))})
{
    const size_t down = (M + MC - 1) / MC, across = (N + NC - 1) / NC, tiles = down * across * batches;
    const size_t last_tile = (get_group_id(0) + 1) * tiles / get_num_groups(0);
    __global real *const panel = scratch + get_group_id(0) * slice;
    __global real *const sums = panel + KC * NR;
    __global real *const a_copy = sums + (K > KC ? MC * NC : MR * NR);
    for (size_t t = get_group_id(0) * tiles / get_num_groups(0); t < last_tile; t++) {
        const size_t batch = t / (down * across), i0 = t / across % down * MC, j0 = t % across * NC;
        const size_t mc = M - i0 < MC ? M - i0 : MC, nc = N - j0 < NC ? N - j0 : NC;
        __global const ${T} *a_tile = a + a_offset + i0 * am, *b_tile = b + b_offset + j0 * bn;
        __global ${T} *const c_tile = c + c_offset + (batch * M + i0) * N + j0;
        size_t rest = batch;
% for d in reversed(range(BATCH)):
        a_tile += rest % n${d} * a_batch${d};
        b_tile += rest % n${d} * b_batch${d};
        rest /= n${d};
% endfor
        for (size_t p0 = 0; p0 == 0 || p0 < K; p0 += KC) {
            const size_t kc = K - p0 < KC ? K - p0 : KC;
            const int first = p0 == 0, last = p0 + kc == K;
            __global const real *a_from = (__global const real *)(a_tile + p0 * ak);
            size_t a_row = am, a_col = ak, a_step = am;
            if (copy_a && ak == 1) {
                copy_rows(a_tile + p0, am, mc, kc, a_copy);
                a_from = a_copy, a_row = a_step = kc, a_col = 1;
            } else if (copy_a) {
                copy_columns(a_tile + p0 * ak, am, ak, mc, kc, a_copy);
                a_from = a_copy, a_row = 1, a_col = MR, a_step = kc + 1;
            }
            for (size_t j = 0; j < nc; j += NR) {
                const size_t cols = nc - j < NR ? nc - j : NR;
                __global const real *b_from = (__global const real *)(b_tile + p0 * bk + j);
                size_t b_row = bk;
                if (copy_b || cols < NR) {
                    copy_panel(b_tile + p0 * bk + j * bn, bk, bn, kc, cols, panel);
                    b_from = panel, b_row = NR;
                }
                for (size_t i = 0; i < mc; i += MR) {
                    const size_t rows = mc - i < MR ? mc - i : MR;
                    __global real *const sum = sums + (K > KC ? j * MC + i * NR : 0);
                    __global ${T} *const to = c_tile + i * N + j;
% if plain:
                    const int whole = last && rows == MR && cols == NR;
                    multiply(a_from + i * a_step, a_row, a_col, rows, b_from, b_row, kc, first, sum,
                             whole ? (__global real *)to : sum, whole ? N : NR);
                    if (whole || !last)
                        continue;
% else:
                    multiply(a_from + i * a_step, a_row, a_col, rows, b_from, b_row, kc, first, sum, sum, NR);
                    if (!last)
                        continue;
% endif
                    for (size_t r = 0; r < rows; r++) {
% for e, d in more:
                        __global const ${types.storage_type(d)} *${e}_r = ${e}_p + ${e}_offset + batch * ${e}_batch
                            + (i0 + i + r) * ${e}_row + (j0 + j) * ${e}_col;
% endfor
% for o, d, _ in others:
                        __global ${types.storage_type(d)} *${o}_r = ${o}_p + ${o}_offset + batch * ${o}_batch
                            + (i0 + i + r) * ${o}_row + (j0 + j) * ${o}_col;
% endfor
% if None not in columns and len(columns) == len(more) + len(others):
                        if (cols == NR) {
                            CT_LOOP
                            for (size_t s = 0; s < NR; s++) {
                                ${finish(columns)}
                            }
                            continue;
                        }
% endif
                        for (size_t s = 0; s < cols; s++) {
                            ${finish(None)}
                        }
                    }
                }
            }
        }
    }
}
