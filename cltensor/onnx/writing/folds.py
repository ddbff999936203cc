"""Reductions and scans by their declarations: what an element becomes, how two states combine, what is made of the last one.

Where states are combined by a function that ONNX reduces or accumulates by, that is used; other scans are a Scan of one step.
"""

from ...base import dtypes
from ...codegen import expr
from ...codegen.functions import add, bitwise_and, bitwise_or, maximum, minimum, mul
from ...ops.kinds.fold import traced
from .builder import Unmapped, Wire
from .scalars import ScalarWriter, compute_dtype

#: what combines two states -> the operator that reduces by it
_REDUCES = {add: "ReduceSum", mul: "ReduceProd", maximum: "ReduceMax", minimum: "ReduceMin", bitwise_or: "ReduceMax",
            bitwise_and: "ReduceMin"}


def written(builder, op, inputs, attributes):
    """The results of a reduction or scan."""
    return (_reduced if op.kind == "reduction" else _scanned)(builder, op, inputs, attributes)


def _given(builder, op, inputs, attributes):
    """{name: Wire or number} of what `map` takes: inputs in the accumulation dtype, and scalars."""
    acc = compute_dtype(op.acc_dtype(inputs[0].dtype))
    found = {n: builder.cast(x, acc) for n, x in zip(op.inputs, inputs, strict=True)}
    return found | {n: attributes[n] for n in op.scalars}


def _states(builder, op, inputs, attributes, index=None):
    """The states of each element as wires of the states' dtypes, in the inputs' shape."""
    given = _given(builder, op, inputs, attributes) | ({} if index is None else {"index": index})
    names = [*op.inputs, *(["index"] if op.indexed else []), *op.scalars]
    found = ScalarWriter(builder, given).written(traced(op.map, names))
    return [_held(builder, x, d, inputs[0].shape) for x, d in zip(found, op.held_dtypes(inputs[0].dtype), strict=True)]


def _held(builder, x, dtype, shape):
    """A state: a wire or number in a dtype and shape."""
    x = builder.cast(x, compute_dtype(dtype)) if isinstance(x, Wire) else builder.constant(x, compute_dtype(dtype))
    return builder.expand(x, shape)


def _combiner(op, i):
    """The function of the table that combines the i-th states, and nothing else; None where several meet."""
    e = op._combination[i]
    plain = isinstance(e, expr.Call) and sorted(map(repr, e.args)) == [f"a{i}", f"b{i}"]
    return e.function.name if plain else None


def _reduced(builder, op, inputs, attributes):
    by_name = {f.__name__: name for f, name in _REDUCES.items()}
    operators = [by_name.get(_combiner(op, i)) for i in range(len(op.states))]
    if None in operators:
        raise Unmapped("ONNX has no reduction that combines two numbers as it does")
    dims, keepdim = attributes["dim"], attributes["keepdim"]
    states = _states(builder, op, inputs, attributes)
    states = [builder.reduce(operator, x, dims, keepdim) for operator, x in zip(operators, states, strict=True)]
    if op.finish is None:
        return states
    count = 1
    for d in dims:
        count *= inputs[0].shape[d] if inputs[0].ndim else 1
    given = {f"a{i}": x for i, x in enumerate(states)} | {"n": count} | {n: attributes[n] for n in op.scalars}
    names = [*(f"a{i}" for i in range(len(states))), "n", *op.scalars]
    return ScalarWriter(builder, given).written(traced(op.finish, names))


def _scanned(builder, op, inputs, attributes):
    x, dim = inputs[0], attributes["dim"]
    if not x.ndim:
        x = builder.reshape(x, (1,))
    combiner = _combiner(op, 0) if len(op.states) == 1 else None
    if combiner == "add" and op.finish is None:
        state, = _states(builder, op, [x], attributes)
        return [builder("CumSum", state, builder.constant(dim, dtypes.int64))]
    return _stepwise(builder, op, x, dim)


def _stepwise(builder, op, x, dim):
    """A Scan whose body combines the states so far with the next element's."""
    index = None
    if op.indexed:
        index = builder.arange(x.shape[dim])
        index = builder.expand(builder.unsqueeze(index, [d for d in range(x.ndim) if d != dim]), x.shape)
    states = _states(builder, op, [x], {}, index)
    shape = [n for d, n in enumerate(x.shape) if d != dim]
    starts = op.identity if isinstance(op.identity, tuple) else (op.identity,)
    starts = [_held(builder, _plain(i(x.dtype) if callable(i) else i, s.dtype), s.dtype, shape)
              for i, s in zip(starts, states, strict=True)]
    body = builder.subgraph()
    before, now = ([body.wire(s.dtype, shape) for s in states] for _ in range(2))
    given = {f"a{i}": w for i, w in enumerate(before)} | {f"b{i}": w for i, w in enumerate(now)}
    combined = ScalarWriter(body, given).written(op._combination)
    combined = [body("Identity", _held(body, c, s.dtype, shape)) for c, s in zip(combined, states, strict=True)]
    given = {f"a{i}": w for i, w in enumerate(combined)}
    finish = op.finish or (lambda *s: s)
    kept = ScalarWriter(body, given).written(traced(finish, list(given)))
    kept = [body("Identity", _held(body, k, s.dtype, shape)) for k, s in zip(kept, builder.results, strict=True)]
    body.arguments, body.returned = (*before, *now), (*combined, *kept)
    outputs = [*((shape, s.dtype) for s in states), *((x.shape, k.dtype) for k in kept)]
    found = builder("Scan", *starts, *states, outputs=outputs, body=body, num_scan_inputs=len(states),
                    scan_input_axes=[dim] * len(states), scan_output_axes=[dim] * len(kept))
    return [builder.reshape(k, s.shape) for k, s in zip(found[len(states):], builder.results, strict=True)]


def _plain(number, dtype):
    return float(number) if dtype.is_floating_point else int(number)
