## multiply_add: repeated multiply-adds in registers, to measure a device's peak rate.
##
## y (items * LANES,): s -> s * a + b, STEPS times, from s = c / CHAINS, added up over c < CHAINS; the chains are independent
##
## LANES  numbers in a vector: as many as fit a register
<%!
from cltensor.codegen.parameters import Parameter, one_of, whole

PARAMETERS = dict(
    style="cpu", dtype="float32", LANES=Parameter(8, "numbers in a vector", one_of(2, 4, 8, 16)),
    CHAINS=Parameter(12, "vectors of a work-item", whole(1, 64)), STEPS=Parameter(256, "multiply-adds for each", whole(0, 1 << 30)))
DTYPES = "wide"
STYLES = ("cpu", "gpu")
%>
<%
T = types.compute_type(dtype)
interface.launched(["1"] if style == "cpu" else ["64"], ["items"] if style == "cpu" else ["ceil(items, 64) * 64"], True)
%>
${types.pragmas([dtype])}
typedef ${T}${LANES} vec;
% if style == "cpu":
${vectors.SERIAL}
% endif
__kernel void multiply_add(
    ${interface.declare("multiply_add",
        Buffer("y", T, "out", ("items", "LANES"), "the sums", offset="y_offset", restrict=True), Number("a", "the factor", T),
        Number("b", "what is added", T), Number("items", "how many vectors"))})
{
    if (get_global_id(0) >= (size_t)items) return;
    const vec factor = (vec)(a), term = (vec)(b);
% for c in range(CHAINS):
    vec s${c} = (vec)(${types.literal(c / CHAINS, T)});
% endfor
    for (int i = 0; i < ${STEPS}; i++) {
% for c in range(CHAINS):
        s${c} = s${c} * factor + term;
% endfor
    }
    vstore${LANES}(${" + ".join(f"s{c}" for c in range(CHAINS))}, get_global_id(0), y + y_offset);
}
