"""Kernel ops: each has its own shape rule, launch rule and template."""

import functools
import inspect

import numpy as np

from ...base.errors import DimensionError
from ...dispatch.binding import bind, check_tensors
from ...dispatch.host_plan import HostPlan, refused
from ...dispatch.out import write_out
from ...dispatch.plan import Plan
from ...dispatch.run_planned import run_planned
from .op import Op, same_device


class Planned(Op):
    """What kernel ops and reductions share: tensor inputs, hashable attributes, one plan per (layouts, attributes)."""

    def _read_signature(self, fn):
        parameters = list(inspect.signature(fn).parameters.values())
        self.inputs = tuple(p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD)
        self.attrs = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
        self.attr_names = tuple(self.attrs)

    values = ()

    def apply(self, args, attrs):
        """See Op."""
        if not attrs and not self.attr_names and len(args) == len(self.inputs):
            return run_planned(self, check_tensors(self, args))
        out = attrs.pop("out", None)
        inputs, values = bind(self, args, attrs)
        return self.delivered(run_planned(self, check_tensors(self, inputs), *self.split(values)), out)

    def delivered(self, result, out):
        """result, copied to out if out is given."""
        return result if out is None else write_out(self.name, result, out)

    def split(self, attrs):
        """Attribute values as (those the plan depends on, those passed to the kernels at each call)."""
        if not self.values:
            return attrs, ()
        named = dict(zip(self.attr_names, attrs, strict=True))
        return tuple(named[n] for n in self.attr_names if n not in self.values), tuple(named[n] for n in self.values)

    def plan(self, specs, attrs, outs=None):
        """The Plan for input Specs (None for an input left out) and a tuple of attribute values.

        outs: the Specs to write to instead of the op's own, for ops that are `strided`.
        """
        given = [s for s in specs if s is not None]
        device = same_device(self.name, given)
        self.check_dtypes(given)
        named = dict(zip((n for n in self.attr_names if n not in self.values), attrs, strict=True))
        outs = outs or self.result_specs(specs, attrs)
        if device.host:
            return HostPlan(device, specs, outs, functools.partial(self.host_results, specs, outs, **named))
        steps = self.launch(specs, outs, **named) if any(o.numel for o in outs) and not device.meta else ()
        return Plan(device, specs, outs, steps)

    def result_specs(self, specs, attrs):
        """The Specs of the results for input Specs and attribute values, as for `plan`."""
        named = zip((n for n in self.attr_names if n not in self.values), attrs, strict=True)
        outs = self.shape(*specs, **dict(named), **dict.fromkeys(self.values))
        return outs if isinstance(outs, tuple) else (outs,)

    def host_results(self, specs, outs, arrays, values, **named):
        """The results for arrays, from the NumPy reference; see HostPlan.  Raises DeviceError if the op has none."""
        if self.ref is None:
            raise refused(self)
        try:
            results = self.ref(*arrays, **named, **dict(zip(self.values, values, strict=True)))
        except IndexError as e:
            raise DimensionError(f"{self.name}: {e}") from None
        results = results if isinstance(results, tuple) else (results,)
        if len(results) < len(outs):  # the reference leaves out outputs that only the gradient needs
            raise refused(self)
        return [np.reshape(r, o.shape) for r, o in zip(results, outs, strict=False)]


class Kernel(Planned):
    """An op with kernels of its own.

    shape   (*Specs, **attributes) -> Spec or tuple of Specs of the outputs; raises on bad input; its positional parameters
            name the inputs, its keyword-only ones the attributes
    launch  (input Specs, output Specs, **attributes) -> list of Steps
    finishing how captured programs let its launch go on with elementwise ops on the first result: an object with `admits(specs,
            outs, Specs of further operands and results, **attributes)` and `steps(specs, outs, Epilogue, **attributes)`
    strided whether it writes results of any layout whose last dimension is contiguous: captured programs then save copies
    updates like launch, where the result lies on the first input and its other elements stay: captured programs then copy neither
    packs   the place of the input that its kernels may pack before they use it: the launch rule is told by context.lasting whether
            that is done once for many calls
    values  names of attributes that are numbers passed at each call (Value(i) in the steps), so they never make a new plan;
            shape gets None for them, launch does not get them; they come last among the attributes
    work    (input Specs, output Specs, **attributes) -> floating-point operations of a call, to be held against its time
    products whether that work is multiplications, each with its addition, as in a product of matrices
    """

    kind = "kernel"

    def __init__(self, name, *, shape, launch, values=(), on_complex=None, finishing=None, strided=False, work=None,
                 products=False, updates=None, packs=None, **common):
        super().__init__(name, **common)
        self.on_complex, self.finishing, self.strided, self.work, self.products = on_complex, finishing, strided, work, products
        self.updates, self.packs = updates, packs
        self.shape, self.launch, self.values = shape, launch, tuple(values)
        self._read_signature(shape)

    def flops(self, specs, outs, attrs):
        """See Op."""
        named = zip((n for n in self.attr_names if n not in self.values), attrs, strict=True)
        return None if self.work is None else self.work(specs, outs, **dict(named))

    def multiply_adds(self, specs, outs, attrs):
        """See Op."""
        return self.flops(specs, outs, attrs) // 2 if self.products else 0


def kernel(name, **options):
    """Declare a kernel op; see Kernel."""
    return Kernel(name, **options)
