## multi_tensor: applies one elementwise expression in place to many tuples of tensors; tensors of a tuple have equal size.
##
## OpenCL 1.2 has no arrays of pointers as arguments, so every tensor of every tuple is a separate argument and a switch
## selects those of the current tuple.  The elements of all tuples form one range, cut into equal shares, one per work-group.
##
## dtype     dtype of the computation, and of every operand if operands are not given
## tensors   number of tuples; a launch with fewer sets the size of the others to 0
## operands  (name, dtype, C type it is used as, "" if it is not read; whether it is written to)
## shifted   names of the operands that start at an offset, in elements
## scalars   (name, C type): numbers passed by value
## shared    (name, dtype, C type): numbers in memory, each read once
## raises    C conditions: where one holds for an element, *raised is set to 1
## skips     whether the launch does nothing where *skip is not 0: what decides that need not be read by the host
## body      C statements computing `results`: (operand name, expression) for each one written
<%!
PARAMETERS = dict(
    style="cpu", dtype="float32", tensors=4, operands=None, scalars=(("s0", "float"),), body=(), results=(("x0", "x0 - s0 * x1"),),
    shared=(), raises=(), skips=False, shifted=(),
)
DTYPES = "floating"
LAUNCH = {
    "cpu": "local = (1,); global = (groups,), with groups * share >= the elements of all tuples",
    "gpu": "local = (lx,); global = (groups * lx,), with groups * share >= the elements of all tuples",
}
%>
<%
D = lambda d: dtypes.BY_NAME.get(d, d)
C = types.compute_type(dtype)
given = [("x0", dtype, C, True), ("x1", dtype, C, False)] if operands is None else operands
each = [(n, D(d), c, f"__global {'' if written else 'const '}{types.storage_type(D(d))}") for n, d, c, written in given]
dtype_of = {n: d for n, d, _, _ in each}
used = [*dict.fromkeys([*dtype_of.values(), *(D(d) for _, d, _ in shared), dtype])]
%>
${types.pragmas(used)}
${header(*types.headers(used))}
${vectors.loop(*map(types.compute_type, used))}

% if style == "cpu":
${vectors.SERIAL}
% endif
__kernel void multi_tensor(
% for t in range(tensors):
    ${" ".join(f"{pointer} *{n}_{t}," + (f" const long {n}_{t}_offset," if n in shifted else "") for n, _, _, pointer in each)} const long n_${t},
% endfor
% for n, c in scalars:
    const ${c} ${n},
% endfor
    const long share\
% for n, d, _ in shared:
, __global const ${types.storage_type(D(d))} *${n}_p\
% endfor
% if raises:
, __global float *raised\
% endif
% if skips:
, __global const float *skip\
% endif
)
{
% if skips:
    if (*skip != 0)
        return;
% endif
% for n, d, c in shared:
    const ${c} ${n} = (${c})${types.load(D(d), n + "_p", "0")};
% endfor
% if raises:
    int found = 0;
% endif
    const long lo = (long)get_group_id(0) * share, hi = lo + share;
    long start = 0;
    for (int t = 0; t < ${tensors} && start < hi; t++) {
% for n, _, _, pointer in each:
        ${pointer} *${n}_p;
% endfor
        long n;
        switch (t) {
% for t in range(tensors):
        ${"default" if t == tensors - 1 else f"case {t}"}:
            ${" ".join(f"{n}_p = {n}_{t}{f' + {n}_{t}_offset' if n in shifted else ''};" for n, _, _, _ in each)} n = n_${t};
            break;
% endfor
        }
        const long first = lo - start > 0 ? lo - start : 0, last = hi - start < n ? hi - start : n;
        CT_LOOP
% if style == "cpu":
        for (long i = first; i < last; i++) {
% else:
        for (long i = first + (long)get_local_id(0); i < last; i += (long)get_local_size(0)) {
% endif
% for n, d, c, _ in each:
% if c:
            const ${c} ${n} = (${c})${types.load(d, n + "_p", "i")};
% endif
% endfor
% for s in body:
            ${s}
% endfor
% for n, r in results:
            ${types.store(dtype_of[n], n + "_p", "i", r)}
% endfor
% for r in raises:
            found |= ${r};
% endfor
        }
        start += n;
    }
% if raises:
    if (found)
        *raised = 1;
% endif
}
