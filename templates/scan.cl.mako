## Scan: out[t] = combine(x[0], ..., x[t]) along one dimension of x (outer, n, inner), dense.
##
## A unit is one column (outer, inner) and one of `parts` consecutive parts of n.
## states     (C type, identity); a0.. is the running state, b0.. the element's
## map_*      statements and expressions taking x0 and `index` (its position along n)
## combine_*  statements and expressions taking a0.., b0..
## finish_*   statements and expressions taking a0..: one per output
## mode       (run time) 0: scan; 1: write each part's last state to the partial buffers; 2: scan, starting from the states
##            of the parts before
<%!
from cltensor.codegen.parameters import DTYPE, NAME, TEXT, TEXTS, TYPE, Parameter, row, several

PARAMETERS = dict(
    style="cpu", dtype="float32", outputs=Parameter(None, "the results; None: y0", several(row(name=NAME, dtype=DTYPE), or_none=True)),
    states=Parameter(None, "what is accumulated; None: one number that begins with 0", several(row(type=TYPE, identity=TEXT), or_none=True)),
    map_body=Parameter((), "C statements before the states of an element", TEXTS),
    map_results=Parameter(("x0",), "an expression for each state", TEXTS),
    combine_body=Parameter((), "C statements before two states combined", TEXTS),
    combine_results=Parameter(("a0 + b0",), "an expression for each state", TEXTS),
    finish_body=Parameter((), "C statements before the results", TEXTS),
    finish_results=Parameter(("a0",), "an expression for each output", TEXTS))
DTYPES = "all"
STYLES = ("cpu", "gpu")
%>
<%
C = types.compute_type(dtype)
outs = [(n, dtypes.BY_NAME.get(d, d)) for n, d in outputs or (("y0", dtype),)]
held = states or ((C, types.literal(0, C)),)
used = [dtype] + [d for _, d in outs]
S = range(len(held))
assert len(outs) == len(finish_results) and len(held) == len(map_results) == len(combine_results)
needs = ["One launch in mode 0, with parts = 1; or one in mode 1, and then one in mode 2 with the same arguments besides."]
if style == "cpu":
    groups = Choice("work-groups, any number >= 1", "max(1, min(8, columns * parts))")
    interface.launched(["1"], ["groups"], True, needs, groups=groups)
else:
    interface.launched(["64"], ["ceil(columns * parts, 64) * 64"], True, needs)
%>
${types.pragmas(used + [dtypes.float64] if any(c == "double" for c, _ in held) else used)}
${header(*types.headers(used))}

<%def name="join()">
{
% for s in combine_body:
    ${s}
% endfor
% for i in S:
    const ${held[i][0]} c${i}_ = ${combine_results[i]};
% endfor
% for i in S:
    a${i} = c${i}_;
% endfor
}
</%def>
% if style == "cpu":
${vectors.SERIAL}
% endif
__kernel void scan(
    ${interface.declare("scan",
        Buffer("x_p", types.storage_type(dtype), "in", ("columns // inner", "n", "inner"), "x", offset="x_o"),
        [Buffer(f"{n}_p", types.storage_type(d), "out", ("columns // inner", "n", "inner"), "the result", offset=f"{n}_o",
                unused_if="mode == 1") for n, d in outs],
        [Buffer(f"partial{i}", held[i][0], "scratch", ("parts", "columns"), f"the states a{i} of the parts", unused_if="mode == 0")
         for i in S],
        Number("columns", "the elements before the dimension times those after it"),
        Number("n", "the size of the dimension", allowed=">= 1"), Number("inner", "the number of elements after it", allowed=">= 1"),
        Number("parts", "into how many parts to cut the dimension", allowed=">= 1"),
        Number("mode", "0: scan; 1: the last states of all parts; 2: scan, from the states of the parts before", "int",
               allowed="0, 1 or 2"))})
{
    const size_t units = (size_t)(columns * parts);
    for (size_t unit = get_global_id(0); unit < units; unit += get_global_size(0)) {
        const size_t column = unit % (size_t)columns, part = unit / (size_t)columns;
        const size_t lo = part * (size_t)n / parts, hi = (part + 1) * (size_t)n / parts;
        const size_t base = column / inner * (size_t)(n * inner) + column % inner;
% for i in S:
        ${held[i][0]} a${i} = ${held[i][1]};
% endfor
        if (mode == 2) {
            for (size_t p = 0; p < part; p++) {
% for i in S:
                const ${held[i][0]} b${i} = partial${i}[p * columns + column];
% endfor
                ${join()}
            }
        }
        for (size_t t = lo; t < hi; t++) {
            const long index = (long)t;
            const size_t at = base + t * inner;
            const ${C} x0 = ${types.load(dtype, "x_p", "x_o + at")};
% for s in map_body:
            ${s}
% endfor
% for i in S:
            const ${held[i][0]} b${i} = ${map_results[i]};
% endfor
            ${join()}
            if (mode != 1) {
% for s in finish_body:
                ${s}
% endfor
% for (name, d), r in zip(outs, finish_results):
                ${types.store(d, name + "_p", f"{name}_o + at", r)}
% endfor
            }
        }
        if (mode == 1) {
% for i in S:
            partial${i}[unit] = a${i};
% endfor
        }
    }
}
