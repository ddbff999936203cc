## Elementwise: computes every output element from the input elements at the same index.
##
## dtype    dtype of the computation, and of every operand if inputs and outputs are not given
## inputs   (name, dtype, C type it is used as, class): class "c" has stride 1 along the innermost dimension, "b" stride 0
##          (loaded once per row), "s" any stride
## scalars  (name, C type): numbers passed by value
## outputs  (name, dtype, class)
## rank     number of dimensions after merging; the innermost one is the run, the others are rows
## AHEAD    gpu style: elements per work-item
## stream   cpu style: results are too large for a cache, so stores bypass it; all outputs are of class "c"
## body     C statements computing `results` (one expression per output) from the input names
<%!
from cltensor.codegen.parameters import DTYPE, NAME, TEXTS, TRUTH, TYPE, Parameter, one_of, row, several, whole

PARAMETERS = dict(
    style="cpu", dtype="float32", rank=Parameter(1, "the number of dimensions", whole(1, 64)),
    inputs=Parameter(None, "the operands; None: x0 and x1 of class c", several(
        row(name=NAME, dtype=DTYPE, type=TYPE, stride=one_of("c", "b", "s")), or_none=True)),
    scalars=Parameter((), "numbers passed by value", several(row(name=NAME, type=TYPE))),
    outputs=Parameter(None, "the results; None: y0 of class c", several(
        row(name=NAME, dtype=DTYPE, stride=one_of("c", "s")), or_none=True)),
    body=Parameter((), "C statements before the results", TEXTS), results=Parameter(("x0 + x1",), "an expression for each output", TEXTS),
    stream=Parameter(False, "whether stores bypass the caches, in the cpu style", TRUTH),
    AHEAD=Parameter(4, "elements for a work-item, in the gpu style", whole(1, 16)))
DTYPES = "all"
STYLES = ("cpu", "gpu")
%>
<%
D = lambda d: dtypes.BY_NAME.get(d, d)
C = types.compute_type(dtype)
ins = [(n, D(d), c, k) for n, d, c, k in ((("x0", dtype, C, "c"), ("x1", dtype, C, "c")) if inputs is None else inputs)]
outs = [(n, D(d), k) for n, d, k in outputs or (("y0", dtype, "c"),)]
used = [d for _, d, _, _ in ins] + [d for _, d, _ in outs] + [dtype]
operands = [(n, k) for n, _, _, k in ins] + [(n, k) for n, _, k in outs]
assert len(outs) == len(results) and (not stream or all(k == "c" and not d.is_complex for _, d, k in outs))
CHUNK = 64
first_type, first_place = types.storage_type(outs[0][1]), f"{outs[0][0]}_p + {outs[0][0]}_o"
def at(n, k):
    return f"{n}_o + i * {n}_s{rank - 1}" if k == "s" else (f"{n}_o + i" if k == "c" else f"{n}_o")
sizes = (*(f"d{r}" for r in range(rank - 1)), "run")
interface.walks_rows(style, " * ".join(sizes[:-1]) or 1, "run", "AHEAD",
                     needs=["A result may be an operand too if both lie alike" + (" and the global size is no larger than the formula's"
                            if rank == 1 else "") + "; else they must not overlap."])
def operand(direction, n, d, k, meaning):
    strides = (*(f"{n}_s{r}" for r in range(rank - 1)), {"c": 1, "b": 0}.get(k, f"{n}_s{rank - 1}"))
    return Buffer(f"{n}_p", types.storage_type(d), direction, sizes, meaning, strides, offset=f"{n}_o0")
def stride(n, r):
    return Number(f"{n}_s{r}", f"from one element of {n} to the next along " + (f"d{r}" if r < rank - 1 else "run"), unit="elements")
%>
${types.pragmas(used)}
${header(*types.headers(used), *(["stream.clh", "prefetch.clh"] if stream else []))}
${vectors.loop(*map(types.compute_type, used))}
% if style == "cpu":
${vectors.SERIAL}
% endif
__kernel void elementwise(
    ${interface.declare("elementwise",
        [operand("in", n, d, k, f"the operand {n}") for n, d, _, k in ins],
        [Number(n, f"the number {n}", c) for n, c in scalars],
        [operand("out", n, d, k, "the result" + ("" if body else f" {r}")) for (n, d, k), r in zip(outs, results)],
        [a for r in range(rank - 1)
         for a in (Number(f"d{r}", f"the size of dimension {r}", allowed=">= 1"), *(stride(n, r) for n, _ in operands))],
        [stride(n, rank - 1) for n, k in operands if k == "s"],
        Number("run", "the size of the innermost dimension", allowed=">= 1"))})
{
<%def name="results_stored(staged=False)">
% for s in body:
    ${s}
% endfor
% for (n, d, k), r in zip(outs, results):
    ${types.store(d, n + "_t", "l_", r) if staged else types.store(d, n + "_p", at(n, k), r)}
% endfor
</%def>
<%def name="element(staged=False)">
% for n, d, c, k in ins:
% if k != "b":
    const ${c} ${n} = ${types.converted(c, types.load(d, n + "_p", at(n, k)), d)};
% endif
% endfor
    ${results_stored(staged)}
</%def>
<%def name="stretch()">
% if stream:
    for (size_t i_ = lo, n_; i_ < hi; i_ += n_) {
        n_ = CT_STRETCH(${first_type}, ${first_place} + i_, ${CHUNK}, hi - i_);
% for n, d, _ in outs:
        ${types.storage_type(d)} ${n}_t[${CHUNK}] __attribute__((aligned(64)));
% endfor
% for n, d, _, k in ins:
% if k == "c":
        ${vectors.fetched_ahead(d, n + "_p", n + "_o + i_", CHUNK)}
% endif
% endfor
        CT_LOOP
        for (size_t l_ = 0; l_ < n_; l_++) {
            const size_t i = i_ + l_;
            ${element(staged=True)}
        }
% for n, d, _ in outs:
        CT_STORE_ALL(${types.storage_type(d)}, ${n}_p + ${n}_o + i_, ${n}_t, n_);
% endfor
    }
% else:
    CT_LOOP
    for (size_t i = lo; i < hi; i++) {
        ${element()}
    }
% endif
</%def>
## The gpu style: AHEAD elements a work-item, a work-group apart, all read before the first is used.
<%def name="spread()">
    const size_t apart_ = get_local_size(0), step_ = get_num_groups(0) * apart_ * ${AHEAD};
    for (size_t i0_ = get_group_id(0) * apart_ * ${AHEAD} + get_local_id(0); i0_ < (size_t)run; i0_ += step_) {
% for n, d, c, k in ins:
% if k != "b":
        ${c} ${n}_l[${AHEAD}];
% endif
% endfor
        #pragma unroll
        for (int u_ = 0; u_ < ${AHEAD}; u_++) {
            const size_t i = i0_ + u_ * apart_;
            if (i < (size_t)run) {
% for n, d, c, k in ins:
% if k != "b":
                ${n}_l[u_] = ${types.converted(c, types.load(d, n + "_p", at(n, k)), d)};
% endif
% endfor
            }
        }
        #pragma unroll
        for (int u_ = 0; u_ < ${AHEAD}; u_++) {
            const size_t i = i0_ + u_ * apart_;
            if (i < (size_t)run) {
% for n, _, c, k in ins:
% if k != "b":
                const ${c} ${n} = ${n}_l[u_];
% endif
% endfor
                ${results_stored()}
            }
        }
    }
</%def>
<%def name="row_constants()">
% for n, d, c, k in ins:
% if k == "b":
    const ${c} ${n} = ${types.converted(c, types.load(d, n + "_p", n + "_o"), d)};
% endif
% endfor
</%def>
% if style == "cpu":
    const size_t lo = get_group_id(1) * (size_t)run / get_num_groups(1);
    const size_t hi = (get_group_id(1) + 1) * (size_t)run / get_num_groups(1);
% if rank == 1:
% for n, _ in operands:
    const size_t ${n}_o = ${n}_o0;
% endfor
    ${row_constants()}
    ${stretch()}
% else:
    const size_t rows = ${" * ".join(f"(size_t)d{r}" for r in range(rank - 1))};
    size_t row = get_group_id(0) * rows / get_num_groups(0);
    const size_t last = (get_group_id(0) + 1) * rows / get_num_groups(0);
    size_t rest = row;
% for r in reversed(range(rank - 1)):
    size_t i${r} = rest % (size_t)d${r}; rest /= (size_t)d${r};
% endfor
    for (; row < last; row++) {
% for n, _ in operands:
        const size_t ${n}_o = ${n}_o0 + ${" + ".join(f"i{r} * {n}_s{r}" for r in range(rank - 1))};
% endfor
        ${row_constants()}
        ${stretch()}
        i${rank - 2}++;
% for r in reversed(range(1, rank - 1)):
        if (i${r} == (size_t)d${r}) { i${r} = 0; i${r - 1}++; }
% endfor
    }
% endif
% else:
% if rank == 1:
% for n, _ in operands:
    const size_t ${n}_o = ${n}_o0;
% endfor
    ${row_constants()}
    ${spread()}
% else:
    const size_t rows = ${" * ".join(f"(size_t)d{r}" for r in range(rank - 1))};
    for (size_t row = get_global_id(1); row < rows; row += get_global_size(1)) {
        size_t rest = row;
% for r in reversed(range(rank - 1)):
        const size_t i${r} = rest % (size_t)d${r}; rest /= (size_t)d${r};
% endfor
% for n, _ in operands:
        const size_t ${n}_o = ${n}_o0 + ${" + ".join(f"i{r} * {n}_s{r}" for r in range(rank - 1))};
% endfor
        ${row_constants()}
        ${spread()}
    }
% endif
% endif
}
