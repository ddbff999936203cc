## Compact: the positions i where mask[i] is true, in order; counts[i] is the number of true elements up to and including i.
<%!
PARAMETERS = dict(style="cpu")
DTYPES = "all"
LAUNCH = {"cpu": "local = (1,); global = (groups,), any number >= 1", "gpu": "local = (WGS,); global = (n rounded up,)"}
%>
% if style == "cpu":
${vectors.SERIAL}
% endif
__kernel void compact(
    __global const uchar *mask_p, const long mask_o, __global const long *counts_p, const long counts_o,
    __global long *out_p, const long out_o, const long n)
{
    for (size_t unit = get_global_id(0); unit < (size_t)n; unit += get_global_size(0))
        if (mask_p[mask_o + unit]) out_p[out_o + counts_p[counts_o + unit] - 1] = (long)unit;
}
