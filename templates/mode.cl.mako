## Mode: the most frequent value of each sorted row (the smallest on ties) and its last position in the unsorted row.
##
## keys (rows, n) sorted ascending with places (rows, n) stable -> values (rows,), indices (rows,)
<%!
PARAMETERS = dict(style="cpu", dtype="float32")
DTYPES = "all"
LAUNCH = {"cpu": "local = (1,); global = (groups,), any number >= 1", "gpu": "local = (WGS,); global = (rows rounded up,)"}
%>
<% S = types.storage_type(dtype) %>
${types.pragmas([dtype])}
${header(*types.headers([dtype]))}
% if style == "cpu":
${vectors.SERIAL}
% endif
__kernel void mode_of_rows(
    __global const ${S} *keys_p, const long keys_o, __global const long *places_p, const long places_o,
    __global ${S} *values_p, const long values_o, __global long *indices_p, const long indices_o, const long rows, const long n)
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
