## Mode: the most frequent value of each sorted row (the smallest on ties) and its last position in the unsorted row.
##
## keys (rows, n) sorted ascending with places (rows, n) stable -> values (rows,), indices (rows,)
<%!
PARAMETERS = dict(style="cpu", dtype="float32")
DTYPES = "all"
STYLES = ("cpu", "gpu")
%>
<%
S = types.storage_type(dtype)
interface.walks(style, "rows")
%>
${types.pragmas([dtype])}
${header(*types.headers([dtype]))}
% if style == "cpu":
${vectors.SERIAL}
% endif
__kernel void mode_of_rows(
    ${interface.declare("mode_of_rows",
        Buffer("keys_p", S, "in", ("rows", "n"), "the rows, each in ascending order", offset="keys_o"),
        Buffer("places_p", "long", "in", ("rows", "n"), "where each of them stood before the rows were sorted, stably", offset="places_o"),
        Buffer("values_p", S, "out", ("rows",), "the most frequent value of each row", offset="values_o"),
        Buffer("indices_p", "long", "out", ("rows",), "its last position in the unsorted row", offset="indices_o"),
        Number("rows", "the number of rows"), Number("n", "their length", allowed=">= 1"))})
{
    for (size_t row = get_global_id(0); row < (size_t)rows; row += get_global_size(0)) {
        size_t best = 0, most = 0, length = 0;
        for (size_t i = 0; i < (size_t)n; i++) {
            const size_t at = row * n + i;
            length = i && ${types.load(dtype, "keys_p", "keys_o + at")} == ${types.load(dtype, "keys_p", "keys_o + at - 1")} ? length + 1 : 1;
            if (length > most) { most = length; best = at; }
        }
        values_p[values_o + row] = keys_p[keys_o + best];
        indices_p[indices_o + row] = places_p[places_o + best];
    }
}
