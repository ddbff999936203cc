"""Cases of ops: what each launches on paper for its samples, by the JSON of its kernels, and what NumPy gives."""

import os

import numpy as np

from cltensor.base import dtypes
from cltensor.cli.kernels import calls, explained, random_numbers
from cltensor.cli.kernels.paper import Sheet
from cltensor.cli.parser import UsageError
from cltensor.codegen import templates
from cltensor.dispatch.plan import In, Out, Scratch, Ticket, Value
from ops import samples

from .program import Buffer, Case, Launch

#: whether all templates, dtypes and ops are asked for
WHOLE = os.environ.get("CLTENSOR_GENERATOR") == "all"


def of_op(op, dtype, style, most=4):
    """The Cases of an op for one dtype: one for each of its samples that launches kernels."""
    return of_samples(op, samples.samples(op, dtype)[:most], dtype, style)


def of_samples(op, given, dtype, style, expected=None):
    """The Cases of an op for samples, (arrays, attributes) each, of one dtype.

    expected: a function of arrays and attributes that gives the results; by default the op's own NumPy form.
    """
    found = []
    for i, (arrays, attrs) in enumerate(given):
        inputs = tuple(None if a is None else (np.shape(a), _typed(a, dtype)) for a in arrays)
        try:
            call = calls.call(op, inputs, attrs, style)
        except UsageError:  # a sample that this dtype does not have
            continue
        if call.steps:
            results = call.expected(arrays) if expected is None else expected(arrays, attrs)
            found.append(_case(f"{op.name} {dtype.name} {style} sample {i}", call, arrays, results))
    return found


def of_template(name, style, given, **parameters):
    """The Case of one launch of a template.  given: for each argument but offsets a number or Buffer."""
    facts = explained.facts(templates.render(name, style=style, **parameters))
    told = " ".join(f"{k}={getattr(v, 'name', v)}" for k, v in parameters.items())
    wanted = {a["name"] for a in facts["arguments"]}
    return Case(f"{name} {style} {told}", [Launch(facts, {k: v for k, v in given.items() if k in wanted})])


def held(array, dtype, read=True):
    """A Buffer of dtype that holds an array, or shall hold it at last."""
    data = random_numbers.stored(np.ascontiguousarray(array).ravel(), dtype)
    return Buffer(data if read else None, None if read else data, dtype.name, data.nbytes)


def _typed(a, dtype):
    a = np.asarray(a)
    return dtype if a.dtype.kind == "f" or (a.dtype.kind == "c" and dtype.is_complex) else dtypes.BY_NAME[a.dtype.name]


def _case(name, call, arrays, expected):
    given = zip(arrays, call.inputs, strict=True)
    buffers = {In(i): Buffer(_bytes(a, s), nbytes=s.nbytes) for i, (a, s) in enumerate(given) if s is not None}
    for i, s in enumerate(call.outputs):
        wanted = None if expected is None else _bytes(np.broadcast_to(np.asarray(expected[i]), s.shape), s)
        buffers[Out(i)] = Buffer(None, wanted, s.dtype.to_real().name, s.nbytes)
    return Case(name, [_launch(call, step, buffers) for step in call.steps])


def _bytes(array, s):
    array = np.asarray(array)
    if s.dtype.is_complex:
        array = np.ascontiguousarray(array, np.complex128).view(np.float64)
    return random_numbers.stored(np.ascontiguousarray(array).ravel(), s.dtype)


def _launch(call, step, buffers):
    facts, given, shifts = explained.facts(step.source), {}, {}
    names = iter(facts["arguments"])
    for arg in step.args:
        a = next(names)
        if a["kind"] == "offset":
            shifts[a["of"]] = int(arg)
        elif isinstance(arg, (In, Out)):
            given[a["name"]] = buffers[type(arg)(arg.index)]
            shifts[a["name"]] = arg.shift
            assert next(names)["of"] == a["name"]
        elif isinstance(arg, Scratch):
            given[a["name"]] = buffers.setdefault(arg, Buffer(nbytes=arg.nbytes))
        elif isinstance(arg, Sheet):
            given[a["name"]] = buffers.setdefault(arg, Buffer(arg.bytes, nbytes=arg.bytes.size))
        else:
            given[a["name"]] = _number(call, arg)
    return Launch(facts, given, shifts)


def _number(call, arg):
    number = 1 if isinstance(arg, Ticket) else arg.type(call.values[arg.index]) if isinstance(arg, Value) else arg
    return number.item() if isinstance(number, np.generic) else number
