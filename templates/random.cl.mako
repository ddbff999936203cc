## Random numbers: out[i] from Philox block i + offset of the stream `seed`, so that the same seed gives the same numbers on
## every device and for every launch size.
##
## distribution  C expression over u0 (uniform in [0, 1)), v0 (uniform in (0, 1]), u1 (uniform, independent), bits (64 random
##               bits, ulong), a and b (parameters) and x (an input element, if any); all but bits and x of type `parameter`
## valid         optional C expression over x: an element for which it is false leaves a note in `fault`
<%!
from cltensor.codegen.parameters import Parameter, one_of

PARAMETERS = dict(
    style="cpu", dtype="float32", input_dtype=Parameter(None, "the dtype of the input x; None: there is none"),
    parameter=Parameter("float", "the C type of a, b and the random numbers", one_of("float", "double", "long")),
    distribution=Parameter("a + (b - a) * u0", "the C expression of a number"),
    valid=Parameter(None, "the C expression of what x must satisfy; None: anything"))
DTYPES = "all"
STYLES = ("cpu", "gpu")
%>
<%
used = [d for d in (dtype, input_dtype) if d is not None]
assert parameter != "long" or not any(u in distribution for u in ("u0", "v0", "u1"))
interface.walks(style, "n", 128, 4096)
%>
${types.pragmas([*used, dtypes.float64] if parameter == "double" else used)}
${header(*types.headers(used))}

% if style == "cpu":
${vectors.SERIAL}
% endif
__kernel void random(
    ${interface.declare("random",
        [Buffer("x_p", types.storage_type(input_dtype), "in", ("n",), "the input x", offset="x_o")] if input_dtype is not None else [],
        Buffer("out_p", types.storage_type(dtype), "out", ("n",), "the random numbers", offset="out_o"),
        Number("seed", "the stream"), Number("offset", "how many numbers of the stream come before these"),
        Number("a", "a parameter of the distribution", parameter), Number("b", "a parameter of the distribution", parameter),
        Number("n", "how many numbers"), interface.notes("an element of x that is not valid") if valid else [])})
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
