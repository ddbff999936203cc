## nms_scan: which boxes are kept, in order: those that no kept one before them overlaps.
##
## overlaps (rows, words): for the boxes `first` .. `first` + rows, as nms_overlaps gives them; `first` is a multiple of 64.
## removed (words): the boxes out so far; the launch of first = 0 clears it.  kept (n,).  One work-group.
## gpu: blocks of 64 boxes; one work-item decides on them, then all mark what the kept ones remove.
<%!
PARAMETERS = dict(style="cpu", WGS=128)
DTYPES = "all"
LAUNCH = {"cpu": "local = (1,); global = (1,)", "gpu": "local = (WGS,); global = (WGS,)"}
%>
% if style == "cpu":
${vectors.SERIAL}
% endif
__kernel void nms_scan(
    __global const ulong *restrict overlaps, __global ulong *removed, __global uchar *restrict kept, const long kept_o,
    const long words, const long first, const long rows)
{
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
