## nms_overlaps: bit j % 64 of overlaps[r, j / 64] says that box first + r overlaps the later box j by more than the limit.
##
## The first step of suppressing boxes that overlap better ones; nms_scan is the second.  The boxes lie best first: sort them by
## their scores before.  The overlap of two boxes is the area of their intersection over that of their union, computed with in
## float, or in double for float64.
## Bits of boxes that are not later than box first + r are 0.  Give first = 0 and rows = n for all boxes at once, or take some rows
## at a time where `overlaps` would be too large.
<%!
from cltensor.codegen.parameters import TRUTH, Parameter

PARAMETERS = dict(style="cpu", dtype="float32",
                  grouped=Parameter(False, "whether boxes of different groups never overlap, such as those of other classes", TRUTH))
DTYPES = "number"
STYLES = ("cpu", "gpu")
%>
<%
T, S = types.compute_type(dtype) if dtype.is_floating_point else "float", types.storage_type(dtype)
sides = ("left", "top", "right", "bottom")
interface.walks(style, "rows * words", 128, None)
%>
${types.pragmas([dtype])}
#pragma OPENCL FP_CONTRACT OFF  // an overlap at the limit must not depend on the compiler
${header(*types.headers([dtype]))}
% if style == "cpu":
${vectors.SERIAL}
% endif
__kernel void nms_overlaps(
    ${interface.declare("nms_overlaps",
        Buffer("boxes", S, "in", ("n", 4), "left, top, right, bottom of each box", ("b0", "b1"), "boxes_o", restrict=True),
        [Buffer("group", "long", "in", ("n",), "the group of each box", ("g0",), "group_o", restrict=True)] if grouped else [],
        Buffer("overlaps", "ulong", "out", ("rows", "words"), "the bits", restrict=True),
        Number("n", "the number of boxes"), Number("b0", "from one box to the next", unit="elements"),
        Number("b1", "from one number of a box to the next", unit="elements"),
        Number("g0", "from one group to the next", unit="elements") if grouped else Number("g0", "not used"),
        Number("words", "numbers of 64 bits for each row", allowed="n / 64, rounded up"),
        Number("first", "the box of the first row", allowed="for nms_scan a multiple of 64"),
        Number("rows", "how many rows to compute", allowed="at most n - first"),
        Number("limit", "the largest overlap that is none", T))})
{
    for (size_t unit = get_global_id(0); unit < (size_t)(rows * words); unit += get_global_size(0)) {
        const long i = first + unit / words, start = unit % words * 64, stop = min(start + 64, n);
        const size_t own = boxes_o + i * b0;
% for s, name in enumerate(sides):
        const ${T} ${name} = ${types.load(dtype, "boxes", f"own + {s} * b1")};
% endfor
        const ${T} area = (right - left) * (bottom - top);
        ulong found = 0;
        for (long j = max(start, i + 1); j < stop; j++) {
% if grouped:
            if (group[group_o + i * g0] != group[group_o + j * g0]) continue;
% endif
            const size_t other = boxes_o + j * b0;
% for s, name in enumerate(sides):
            const ${T} ${name}_ = ${types.load(dtype, "boxes", f"other + {s} * b1")};
% endfor
            const ${T} wide = (right < right_ ? right : right_) - (left > left_ ? left : left_);
            const ${T} high = (bottom < bottom_ ? bottom : bottom_) - (top > top_ ? top : top_);
            const ${T} shared = (wide > 0 ? wide : 0) * (high > 0 ? high : 0);
            if (shared / (area + (right_ - left_) * (bottom_ - top_) - shared) > limit) found |= 1UL << (j - start);
        }
        overlaps[unit] = found;
    }
}
