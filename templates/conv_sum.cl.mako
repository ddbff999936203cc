## conv_sum: adds the partial sums of a reduction that was cut into pieces, always in the same order.
##
## parts (splits, n) in the compute type;  y (n,)
## activation  see codegen/activation.py
<%!
PARAMETERS = dict(style="cpu", dtype="float32", activation="")
DTYPES = "floating"
LAUNCH = {
    "cpu": "local = (1,); global = (groups,), any number >= 1",
    "gpu": "local = (l,); global = (n rounded up,); any larger or smaller grid is right",
}
%>
<% T = types.compute_type(dtype) %>
${types.pragmas([dtype])}
${header(*types.headers([dtype]))}
${activations.definition(activation, T)}
% if style == "cpu":
${vectors.SERIAL}
% endif
__kernel void conv_sum(__global const ${T} *restrict parts, const long splits, const long n,
                       __global ${types.storage_type(dtype)} *restrict y, const long y_o)
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
