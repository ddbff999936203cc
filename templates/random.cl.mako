## Random numbers: out[i] from Philox block i + offset of the stream `seed`, so that the same seed gives the same numbers on
## every device and for every launch size.
##
## distribution  C expression over u0 (uniform in [0, 1)), v0 (uniform in (0, 1]), u1 (uniform, independent), bits (64 random
##               bits, ulong), a and b (parameters) and x (an input element, if any); all but bits and x of type `parameter`
## valid         optional C expression over x: an element for which it is false leaves a note in `fault`
<%!
PARAMETERS = dict(style="cpu", dtype="float32", input_dtype=None, parameter="float", distribution="a + (b - a) * u0", valid=None)
DTYPES = "all"
LAUNCH = {"cpu": "local = (1,); global = (groups,), any number >= 1", "gpu": "local = (WGS,); global = (n rounded up,)"}
%>
<%
used = [d for d in (dtype, input_dtype) if d is not None]
%>
${types.pragmas([*used, dtypes.float64] if parameter == "double" else used)}
${header(*types.headers(used))}

% if style == "cpu":
${vectors.SERIAL}
% endif
__kernel void random(
% if input_dtype is not None:
    __global const ${types.storage_type(input_dtype)} *x_p, const long x_o,
% endif
    __global ${types.storage_type(dtype)} *out_p, const long out_o,
    const long seed, const long offset, const ${parameter} a, const ${parameter} b, const long n${", __global long *fault, const long who" if valid else ""})
{
% if style == "cpu":
    const size_t lo = get_group_id(0) * (size_t)n / get_num_groups(0), hi = (get_group_id(0) + 1) * (size_t)n / get_num_groups(0);
    for (size_t i = lo; i < hi; i++) {
% else:
    for (size_t i = get_global_id(0); i < (size_t)n; i += get_global_size(0)) {
% endif
        const ulong at = (ulong)offset + i;
% if "u0" in distribution:
        const ${parameter} u0 = ct_uniform_${parameter}((ulong)seed, at, 0, 0);
% endif
% if "v0" in distribution:
        const ${parameter} v0 = ct_uniform_open_${parameter}((ulong)seed, at, 0, 0);
% endif
% if "u1" in distribution:
        const ${parameter} u1 = ct_uniform_${parameter}((ulong)seed, at, 0, 1);
% endif
% if "bits" in distribution:
        const ulong bits = ((ulong)ct_philox((ulong)seed, at, 0) << 32) | ct_philox((ulong)seed, at, 1);
% endif
% if input_dtype is not None:
        const ${types.compute_type(input_dtype)} x = ${types.load(input_dtype, "x_p", "x_o + i")};
% endif
% if valid:
        if (!(${valid})) {
            if (!fault[0]) { fault[0] = who; fault[1] = as_int((float)x); }
        }
% endif
        ${types.store(dtype, "out_p", "out_o + i", distribution)}
    }
}
