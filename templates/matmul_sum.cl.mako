## Last step of a matrix product whose inner dimension was cut: c (batch, M, N) = sum over slices of parts (slices, batch, M, N).
##
## BLOCK       sums that a CPU work-group keeps at a time
## epilogue    C expression stored for each element: acc is the sum, e0, e1, ... the elements of `extras`
## extras      dtypes of further inputs, each with a stride for batch, row and column
## scalars     names of numbers in the epilogue
## activation  see codegen/activation.py; applied after the epilogue
## functions   definitions of C functions that the epilogue calls
## outs        (dtype, C expression) of what is stored besides, with strides like those of `extras`
<%!
PARAMETERS = dict(dtype="float32", style="cpu", BLOCK=256, epilogue="acc", extras=(), scalars=(), activation="",
    functions="", outs=())
DTYPES = "number"
LAUNCH = {"cpu": "global = (groups,), any number >= 1; local = (1,)",
          "gpu": "global = (items,), any number >= 1; local = any"}
%>
<%
T = types.storage_type(dtype)
real = {"int": "uint", "long": "ulong"}.get(types.compute_type(dtype), types.compute_type(dtype))
more = [(f"e{i}", dtypes.BY_NAME.get(d, d)) for i, d in enumerate(extras)]
others = [(f"o{i}", dtypes.BY_NAME.get(d, d), value) for i, (d, value) in enumerate(outs)]
used = [dtype, *(d for _, d in more), *(d for _, d, _ in others)]
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
    __global const real *restrict parts, __global ${T} *restrict c, const long c_offset, const long slices, const long M,
    const long N,
% for e, d in more:
    __global const ${types.storage_type(d)} *${e}_p, const long ${e}_offset, const long ${e}_batch, const long ${e}_row,
    const long ${e}_col,
% endfor
% for o, d, _ in others:
    __global ${types.storage_type(d)} *${o}_p, const long ${o}_offset, const long ${o}_batch, const long ${o}_row,
    const long ${o}_col,
% endfor
% for n in scalars:
    const ${types.compute_type(dtype)} ${n},
% endfor
    const long numel)
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
