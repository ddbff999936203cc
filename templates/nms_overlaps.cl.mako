## nms_overlaps: bit j % 64 of overlaps[i][j / 64] says that box `first` + i overlaps the later box j by more than the limit.
##
## boxes (n, 4): left, top, right, bottom; group (n,): boxes of different groups never overlap.  Rows `first` .. `first` + rows.
## The overlap is the area of the intersection over that of the union.
<%!
PARAMETERS = dict(style="cpu", dtype="float32", grouped=False)
DTYPES = "number"
LAUNCH = {"cpu": "local = (1,); global = (groups,), any number >= 1", "gpu": "local = (l,); global = (rows * words rounded up,)"}
%>
<%
T, S = types.compute_type(dtype) if dtype.is_floating_point else "float", types.storage_type(dtype)
sides = ("left", "top", "right", "bottom")
%>
${types.pragmas([dtype])}
#pragma OPENCL FP_CONTRACT OFF  // an overlap at the limit must not depend on the compiler
${header(*types.headers([dtype]))}
% if style == "cpu":
${vectors.SERIAL}
% endif
__kernel void nms_overlaps(
    __global const ${S} *restrict boxes, const long boxes_o,
% if grouped:
    __global const long *restrict group, const long group_o,
% endif
    __global ulong *restrict overlaps, const long n, const long b0, const long b1, const long g0, const long words, const long first,
    const long rows, const ${T} limit)
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
