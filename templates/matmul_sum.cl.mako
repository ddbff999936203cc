## Last step of a matrix product whose inner dimension was cut: c (batch, M, N) = sum over slices of parts (slices, batch, M, N).
<%!
from cltensor.codegen import epilogue as epilogues
from cltensor.codegen.parameters import Parameter, one_of, powers, several, whole

PARAMETERS = dict(
    dtype="float32", style="cpu", BLOCK=Parameter(256, "sums kept at a time, in the cpu style", whole(1, 4096)),
    **epilogues.PARAMETERS)
DTYPES = "number"
STYLES = ("cpu", "gpu")
%>
<%
T = types.storage_type(dtype)
real = {"int": "uint", "long": "ulong"}.get(types.compute_type(dtype), types.compute_type(dtype))
more = [(f"e{i}", dtypes.BY_NAME.get(d, d)) for i, d in enumerate(extras)]
others = [(f"o{i}", dtypes.BY_NAME.get(d, d), value) for i, (d, value) in enumerate(outs)]
used = [dtype, *(d for _, d in more), *(d for _, d, _ in others)]
if style == "cpu":
    interface.launched(["1"], ["groups"], True, ["c overlaps nothing."], groups=Choice(
        "work-groups, any number >= 1", "max(1, min(8, numel))"))
else:
    interface.launched(["items"], ["groups * items"], True, ["c overlaps nothing."],
                       items=Choice("work-items of a group, any number >= 1", "64"),
                       groups=Choice("work-groups, any number >= 1", "max(1, min(4096, ceil(numel, items)))"))
%>
${types.pragmas(used)}
${header(*types.headers(used))}
typedef ${real} real;
${activations.definition(activation, real)}
${functions}

% if style == "cpu":
${vectors.SERIAL}
% endif
__kernel void matmul_sum(
    ${interface.declare("matmul_sum",
        Buffer("parts", real, "in", ("slices", "numel // (M * N)", "M", "N"), "the sums of the slices", restrict=True),
        Buffer("c", T, "out", ("numel // (M * N)", "M", "N"), "the product", offset="c_offset", restrict=True),
        Number("slices", "into how many parts the inner dimension was cut", allowed=">= 1"), Number("M", "rows", allowed=">= 1"),
        Number("N", "columns", allowed=">= 1"), epilogues.arguments(more, others, scalars, dtype, batches="numel // (M * N)"),
        Number("numel", "batches * M * N"))})
{
<%def name="finish(i)">
% for e, d in more:
        const real ${e} = (real)${types.load(d, e + "_p", f"{e}_offset + {i} / (M * N) * {e}_batch + {i} / N % M * {e}_row + {i} % N * {e}_col")};
% endfor
% for o, d, value in others:
        ${types.store(d, o + "_p", f"{o}_offset + {i} / (M * N) * {o}_batch + {i} / N % M * {o}_row + {i} % N * {o}_col", value)}
% endfor
        ${types.store(dtype, "c", f"c_offset + {i}", activations.applied(activation, epilogue))}
</%def>
% if style == "cpu":
    const size_t end = (get_group_id(0) + 1) * (size_t)numel / get_num_groups(0);
    for (size_t at = get_group_id(0) * (size_t)numel / get_num_groups(0); at < end; at += ${BLOCK}) {
        const size_t count = end - at < ${BLOCK} ? end - at : ${BLOCK};
        real sums[${BLOCK}] = {0};
        for (size_t s = 0; s < slices; s++)
            for (size_t i = 0; i < count; i++)
                sums[i] += parts[s * numel + at + i];
        for (size_t i = 0; i < count; i++) {
            const real acc = sums[i];
            ${finish("(at + i)")}
        }
    }
% else:
    for (size_t i = get_global_id(0); i < numel; i += get_global_size(0)) {
        real acc = 0;
        for (size_t s = 0; s < slices; s++)
            acc += parts[s * numel + i];
        ${finish("i")}
    }
% endif
}
