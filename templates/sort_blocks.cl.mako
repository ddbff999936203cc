## Sort, first pass: sorts each run of B elements of a row by insertion, with their original positions.
##
## x (rows, n) -> keys (rows, n), places (rows, n), which sort_merge merges, first with width = B.  The order is stable; NaN counts as larger than any number.
<%!
from cltensor.codegen.parameters import Parameter, one_of, whole

PARAMETERS = dict(
    style="cpu", dtype="float32", descending=Parameter(False, "whether the largest comes first", one_of(True, False)),
    B=Parameter(32, "the length of a run", whole(1, 4096)))
DTYPES = "all"
STYLES = ("cpu", "gpu")
%>
<%
S = types.storage_type(dtype)
def value(p, i): return types.load(dtype, p, i)
floating = dtype.is_floating_point
interface.walks(style, f"rows * ceil(n, {B})")
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
__kernel void sort_blocks(
    ${interface.declare("sort_blocks",
        Buffer("x_p", S, "in", ("rows", "n"), "the rows", offset="x_o"),
        Buffer("keys_p", S, "out", ("rows", "n"), "the rows with each run of B elements in order", offset="keys_o"),
        Buffer("places_p", "long", "out", ("rows", "n"), "where in its row each of them stood", offset="places_o"),
        Number("rows", "the number of rows"), Number("n", "their length"))})
{
    const size_t blocks = ((size_t)n + ${B - 1}) / ${B}, units = rows * blocks;
    for (size_t unit = get_global_id(0); unit < units; unit += get_global_size(0)) {
        const size_t start = unit % blocks * ${B}, row = unit / blocks * (size_t)n;
        const size_t end = start + ${B} < (size_t)n ? start + ${B} : n;
        for (size_t i = start; i < end; i++) {
            const ${S} raw = x_p[x_o + row + i];
            const ${types.compute_type(dtype)} key = ${value("x_p", "x_o + row + i")};
            size_t j = i;
            while (j > start && ${before("key", value("keys_p", "keys_o + row + j - 1"))}) {
                keys_p[keys_o + row + j] = keys_p[keys_o + row + j - 1];
                places_p[places_o + row + j] = places_p[places_o + row + j - 1];
                j--;
            }
            keys_p[keys_o + row + j] = raw;
            places_p[places_o + row + j] = (long)i;
        }
    }
}
