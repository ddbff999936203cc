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
PARAMETERS = dict(
    style="cpu", dtype="float32", outputs=None, states=None, map_body=(), map_results=("x0",), combine_body=(),
    combine_results=("a0 + b0",), finish_body=(), finish_results=("a0",),
)
DTYPES = "all"
LAUNCH = {"cpu": "local = (1,); global = (groups,), any number >= 1",
          "gpu": "local = (WGS,); global = (outer * inner * parts rounded up,)"}
%>
<%
C = types.compute_type(dtype)
outs = [(n, dtypes.BY_NAME.get(d, d)) for n, d in outputs or (("y0", dtype),)]
held = states or ((C, types.literal(0, C)),)
used = [dtype] + [d for _, d in outs]
S = range(len(held))
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
    __global const ${types.storage_type(dtype)} *x_p, const long x_o,
% for n, d in outs:
    __global ${types.storage_type(d)} *${n}_p, const long ${n}_o,
% endfor
% for i in S:
    __global ${held[i][0]} *partial${i},
% endfor
    const long columns, const long n, const long inner, const long parts, const int mode)
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
