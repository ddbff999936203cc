## nms_scan: which boxes are kept, in order: those that no kept one before them overlaps.
##
## The second step of suppressing boxes that overlap better ones, after nms_overlaps.  One launch goes through `rows` boxes from
## `first` on: kept[first + r] is 1 or 0.  Launches for further boxes follow in order, with the same `removed` and `kept`.
## gpu: blocks of 64 boxes; one work-item decides on them, then all mark what the kept ones remove.
<%!
from cltensor.codegen.parameters import Parameter, whole

PARAMETERS = dict(style="cpu", WGS=Parameter(128, "work-items of a group, in the gpu style", whole(1, 256)))
DTYPES = "all"
STYLES = ("cpu", "gpu")
%>
<%
interface.launched(["1" if style == "cpu" else "WGS"], ["1" if style == "cpu" else "WGS"], True)
%>
% if style == "cpu":
${vectors.SERIAL}
% endif
__kernel void nms_scan(
    ${interface.declare("nms_scan",
        Buffer("overlaps", "ulong", "in", ("rows", "words"), "bits that nms_overlaps has made of these boxes", restrict=True),
        Buffer("removed", "ulong", "inout", ("words",), "a bit for each box that is out so far; the launch with first = 0 clears it"),
        Buffer("kept", "uchar", "out", ("first + rows",), "1 for a box that is kept, else 0; from `first` on", offset="kept_o",
               restrict=True),
        Number("words", "numbers of 64 bits for each row", allowed="the number of all boxes / 64, rounded up"),
        Number("first", "the box of the first row", allowed="a multiple of 64"), Number("rows", "the number of boxes to go through"))})
{
    if (get_group_id(0)) return;
% if style == "cpu":
    if (first == 0)
        for (long w = 0; w < words; w++) removed[w] = 0;
    for (long r = 0; r < rows; r++) {
        const long i = first + r;
        const int stays = !(removed[i / 64] >> (i % 64) & 1);
        kept[kept_o + i] = stays;
        if (stays)
            for (long w = i / 64; w < words; w++) removed[w] |= overlaps[r * words + w];
    }
% else:
    __local ulong chosen;
    const long item = get_local_id(0);
    if (first == 0)
        for (long w = item; w < words; w += ${WGS}) removed[w] = 0;
    barrier(CLK_GLOBAL_MEM_FENCE | CLK_LOCAL_MEM_FENCE);
    for (long r = 0; r < rows; r += 64) {
        const long block = (first + r) / 64, here = min(rows - r, (long)64);
        if (item == 0) {
            ulong out = removed[block], stay = 0;
            for (long b = 0; b < here; b++) {
                const int stays = !(out >> b & 1);
                kept[kept_o + first + r + b] = stays;
                if (stays) { stay |= 1UL << b; out |= overlaps[(r + b) * words + block]; }
            }
            chosen = stay;
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        for (long w = block + 1 + item; w < words; w += ${WGS}) {
            ulong out = removed[w];
            for (long b = 0; b < here; b++)
                if (chosen >> b & 1) out |= overlaps[(r + b) * words + w];
            removed[w] = out;
        }
        barrier(CLK_GLOBAL_MEM_FENCE | CLK_LOCAL_MEM_FENCE);
    }
% endif
}
