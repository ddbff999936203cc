## Compact: the positions i where mask[i] is true, in order; counts[i] is the number of true elements up to and including i.
<%!
PARAMETERS = dict(style="cpu")
DTYPES = "all"
STYLES = ("cpu", "gpu")
%>
<% interface.walks(style, "n") %>
% if style == "cpu":
${vectors.SERIAL}
% endif
__kernel void compact(
    ${interface.declare("compact",
        Buffer("mask_p", "uchar", "in", ("n",), "not 0 where an element is true", offset="mask_o"),
        Buffer("counts_p", "long", "in", ("n",), "the running count of true elements, each one included", offset="counts_o"),
        Buffer("out_p", "long", "out", ("the last count",), "the positions of true elements", offset="out_o"),
        Number("n", "the number of elements"))})
{
    for (size_t unit = get_global_id(0); unit < (size_t)n; unit += get_global_size(0))
        if (mask_p[mask_o + unit]) out_p[out_o + counts_p[counts_o + unit] - 1] = (long)unit;
}
