## conv_sum: adds the partial sums of a reduction that was cut into pieces, always in the same order.
##
## y[i] = the sum of parts[s, i] over s, after which the activation is applied; sums are held in the compute type.
<%!
from cltensor.codegen.activation import PARAMETER as ACTIVATION

PARAMETERS = dict(style="cpu", dtype="float32", activation=ACTIVATION)
DTYPES = "floating"
STYLES = ("cpu", "gpu")
%>
<%
T = types.compute_type(dtype)
if style == "cpu":
    interface.launched(["1"], ["groups"], True, groups=Choice("work-groups, any number >= 1", "max(1, min(8, ceil(n, 256)))"))
else:
    interface.launched(["128"], ["max(1, ceil(n, 128)) * 128"], True)
%>
${types.pragmas([dtype])}
${header(*types.headers([dtype]))}
${activations.definition(activation, T)}
% if style == "cpu":
${vectors.SERIAL}
% endif
__kernel void conv_sum(
    ${interface.declare("conv_sum",
        Buffer("parts", T, "in", ("splits", "n"), "the partial sums", restrict=True),
        Number("splits", "how many there are of each sum", allowed=">= 1"), Number("n", "how many sums there are"),
        Buffer("y", types.storage_type(dtype), "out", ("n",), "the sums", offset="y_o", restrict=True))})
{
% if style == "cpu":
    const size_t last = (get_group_id(0) + 1) * (size_t)n / get_num_groups(0);
    for (size_t i = get_group_id(0) * (size_t)n / get_num_groups(0); i < last; i++) {
% else:
    for (size_t i = get_global_id(0); i < (size_t)n; i += get_global_size(0)) {
% endif
        ${T} sum = parts[i];
        for (size_t s = 1; s < (size_t)splits; s++) sum += parts[s * n + i];
        ${types.store(dtype, "y", "y_o + i", activations.applied(activation, "sum"))}
    }
}
