## multiply_add: repeated multiply-adds in registers, to measure a device's peak rate.
##
## y (items * LANES,): s -> s * a + b, STEPS times, from s = c / CHAINS, added up over c < CHAINS; the chains are independent
##
## LANES  numbers in a vector: as many as fit a register
<%!
PARAMETERS = dict(style="cpu", dtype="float32", LANES=8, CHAINS=12, STEPS=256)
DTYPES = "wide"
LAUNCH = {"cpu": "global = (items,); local = (1,)", "gpu": "global = (items,); local = any"}
%>
<% T = types.compute_type(dtype) %>
${types.pragmas([dtype])}
typedef ${T}${LANES} vec;
% if style == "cpu":
${vectors.SERIAL}
% endif
__kernel void multiply_add(__global ${T} *restrict y, const long y_offset, const ${T} a, const ${T} b)
{
    const vec factor = (vec)(a), term = (vec)(b);
% for c in range(CHAINS):
    vec s${c} = (vec)(${types.literal(c / CHAINS, T)});
% endfor
    for (int i = 0; i < ${STEPS}; i++) {
% for c in range(CHAINS):
        s${c} = s${c} * factor + term;
% endfor
    }
    *(__global vec *)(y + y_offset + get_global_id(0) * ${LANES}) = ${" + ".join(f"s{c}" for c in range(CHAINS))};
}
