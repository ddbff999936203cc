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
from cltensor.codegen.parameters import DTYPE, NAME, TEXT, TEXTS, TRUTH, TYPE, Parameter, row, several, such, whole

_READ_AS = such('a C type, or "" for an operand that is not read', lambda v: v == "" or TYPE.holds(v))
PARAMETERS = dict(
    style="cpu", dtype="float32", tensors=Parameter(4, "how many tuples", whole(1, 64)),
    operands=Parameter(None, "the tensors of a tuple; None: x0, written to, and x1", several(
        row(name=NAME, dtype=DTYPE, type=_READ_AS, written=TRUTH), or_none=True)),
    scalars=Parameter((("s0", "float"),), "numbers passed by value", several(row(name=NAME, type=TYPE))),
    body=Parameter((), "C statements before the results", TEXTS),
    results=Parameter((("x0", "x0 - s0 * x1"),), "an expression for each operand written to", several(row(name=NAME, value=TEXT))),
    shared=Parameter((), "numbers in memory", several(row(name=NAME, dtype=DTYPE, type=TYPE))),
    raises=Parameter((), "conditions that raise the flag", TEXTS),
    skips=Parameter(False, "whether a number in memory may tell the launch to do nothing", TRUTH),
    shifted=Parameter((), "operands that start at an offset", several(NAME)))
DTYPES = "floating"
STYLES = ("cpu", "gpu")
%>
<%
D = lambda d: dtypes.BY_NAME.get(d, d)
C = types.compute_type(dtype)
given = [("x0", dtype, C, True), ("x1", dtype, C, False)] if operands is None else operands
each = [(n, D(d), c, f"__global {'' if written else 'const '}{types.storage_type(D(d))}") for n, d, c, written in given]
dtype_of = {n: d for n, d, _, _ in each}
needs = ["No tensor that is written to overlaps another."]
groups = f"ceil({' + '.join(f'n_{t}' for t in range(tensors))}, share)"
if style == "cpu":
    interface.launched(["1"], [groups], True, needs)
else:
    interface.launched(["lx"], [f"{groups} * lx"], True, needs, lx=Choice("work-items of a group, any number >= 1", "64"))
used = [*dict.fromkeys([*dtype_of.values(), *(D(d) for _, d, _ in shared), dtype])]
%>
${types.pragmas(used)}
${header(*types.headers(used))}
${vectors.loop(*map(types.compute_type, used))}

% if style == "cpu":
${vectors.SERIAL}
% endif
__kernel void multi_tensor(
    ${interface.declare("multi_tensor",
        [a for t in range(tensors) for a in (
            *(Buffer(f"{n}_{t}", types.storage_type(D(d)), ("inout" if c else "out") if written else "in", (f"n_{t}",),
                     f"the operand {n} of tuple {t}", offset=f"{n}_{t}_offset" if n in shifted else None, unused_if=f"n_{t} == 0")
              for n, d, c, written in given),
            Number(f"n_{t}", f"the elements of each tensor of tuple {t}; 0: there is no such tuple"))],
        [Number(n, f"the number {n}", c) for n, c in scalars],
        Number("share", "the elements of a work-group", allowed=">= 1"),
        [Buffer(f"{n}_p", types.storage_type(D(d)), "in", (1,), f"the number {n}") for n, d, _ in shared],
        [Buffer("raised", "float", "inout", (1,), "set to 1 where a condition holds")] if raises else [],
        [Buffer("skip", "float", "in", (1,), "if it is not 0, the launch does nothing")] if skips else [])})
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
