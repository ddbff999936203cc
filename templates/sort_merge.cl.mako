## Sort, later passes: merges neighbouring sorted runs of `width` into runs of 2 * width; each work-item writes CHUNK outputs.
##
## A work-item finds the start of its outputs by a binary search along the merge path (Green, McColl, Bader, ICS 2012), then
## merges sequentially; equal keys keep their order, so the sort is stable.
## Rows are in order after launches for width = B of sort_blocks, 2 B, 4 B, ... as long as it is less than n; what one of them wrote
## is what the next one reads.
<%!
from cltensor.codegen.parameters import Parameter, one_of, whole

PARAMETERS = dict(
    style="cpu", dtype="float32", descending=Parameter(False, "whether the largest comes first", one_of(True, False)),
    CHUNK=Parameter(512, "how many elements a work-item writes", whole(1, 65536)))
DTYPES = "all"
STYLES = ("cpu", "gpu")
%>
<%
S, C = types.storage_type(dtype), types.compute_type(dtype)
def value(i): return types.load(dtype, "from_p", i)
floating = dtype.is_floating_point
interface.walks(style, f"rows * ceil(n, {CHUNK})")
def before(a, b):
    if descending:
        return f"({a} > {b}" + (f" || ({a} != {a} && {b} == {b}))" if floating else ")")
    return f"({a} < {b}" + (f" || ({b} != {b} && {a} == {a}))" if floating else ")")
%>
${types.pragmas([dtype])}
${header(*types.headers([dtype]))}
% if style == "cpu":
${vectors.SERIAL}
% endif
__kernel void sort_merge(
    ${interface.declare("sort_merge",
        Buffer("from_p", S, "in", ("rows", "n"), "rows whose runs of `width` elements are in order", offset="from_o"),
        Buffer("from_places", "long", "in", ("rows", "n"), "where in its row each of them stood", offset="places_o"),
        Buffer("to_p", S, "out", ("rows", "n"), "rows whose runs of 2 * width elements are in order", offset="to_o"),
        Buffer("to_places", "long", "out", ("rows", "n"), "where in its row each of them stood", offset="to_places_o"),
        Number("rows", "the number of rows"), Number("n", "their length"),
        Number("width", "the length of the runs that are in order", unit="elements", allowed=">= 1"))})
{
    const size_t chunks = ((size_t)n + ${CHUNK - 1}) / ${CHUNK}, units = rows * chunks;
    for (size_t unit = get_global_id(0); unit < units; unit += get_global_size(0)) {
        const size_t row = unit / chunks * (size_t)n, start = unit % chunks * ${CHUNK};
        const size_t end = start + ${CHUNK} < (size_t)n ? start + ${CHUNK} : n;
        for (size_t out = start; out < end;) {
            const size_t left = out / (2 * width) * (2 * width);
            const size_t middle = left + width < (size_t)n ? left + width : n, right = middle + width < (size_t)n ? middle + width : n;
            const size_t stop = right < end ? right : end, along = out - left;
            const size_t na = middle - left, nb = right - middle;
            const long beyond = (long)along - (long)nb;  // signed: Oclgrind lacks the saturated difference
            size_t low = beyond > 0 ? beyond : 0, high = along < na ? along : na;
            while (low < high) {
                const size_t i = (low + high) / 2, j = along - i - 1;
                const ${C} a = ${value("from_o + row + left + i")}, b = ${value("from_o + row + middle + j")};
                if (${before("b", "a")}) high = i; else low = i + 1;
            }
            size_t i = left + low, j = middle + (along - low);
            for (; out < stop; out++) {
                int second = i >= middle;
                if (!second && j < right) {
                    const ${C} a = ${value("from_o + row + i")}, b = ${value("from_o + row + j")};
                    second = ${before("b", "a")};
                }
                const size_t at = second ? j++ : i++;
                to_p[to_o + row + out] = from_p[from_o + row + at];
                to_places[to_places_o + row + out] = from_places[places_o + row + at];
            }
        }
    }
}
