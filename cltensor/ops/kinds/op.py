"""Op: what all kinds of op have in common.

An op is declared once, by `elementwise`, `reduction`, `scan`, `view`, `kernel` or `composite`.  From the declaration follow the
public function, the Tensor method and its in-place form, the gradient, and the generated tests.
"""

import inspect
import re

from ...base import calls, dtypes
from ...base.errors import DeviceError, UnsupportedDTypeError
from ...base.forking import OfInstances
from ...dispatch.registry import DTYPE_SETS, REGISTRY
from ...dispatch.run_elementwise import with_zeros

_SAVED = re.compile(r"(\w+)(?:\(([\w,]+)\))?")


class Op:
    """One declared op.  Calling it runs it: `op(*tensors, **attrs)`.

    Fields every kind has:
        name     the op's name, PyTorch's where PyTorch has one
        inputs   names of the tensor inputs, in order
        saves    names of the inputs (and "y", the outputs, or "y0", "y1" .. for some) the gradient reads; others reach it as
                 Specs.  "a(b)" saves a only where b needs a gradient
        vjp      a tuple with one function (g, y, *inputs, **attrs) -> gradient per input, or one function that gets
                 `needs` (a tuple of bool) too and returns a tuple; None when the op has no gradient
        accepts_missing_gradients  whether vjp takes None for the gradient of an output that none came for; zeros otherwise
        ref      an independent NumPy reference, for the generated tests
        samples  a function rng -> list of (args, kwargs) for the generated tests, where shapes are special
        reports_faults  whether its kernels may leave a note in the fault buffer (see faults.py): True for an index, or a sentence
                 with {value} that says what rule the value noted breaks, alone (ArgumentError) or after its error class
        batch    how vmap runs it: "leading" (it acts on trailing dimensions and takes any before them), "dim" (so too, with its
                 attribute `dim` moved by one), "inside" (a composite of ops that can all be batched), None (one by one)
        host     whether its forward pass runs on the host, through a library there
        inplace  whether an in-place form (`name_`) exists
    """

    kind = None

    def __init__(self, name, *, vjp=None, saves="", ref=None, dtypes="all", doc="", public=True, method=True,
                 inplace=False, onnx=None, samples=None, aliases=(), reports_faults=False, batch=None, host=False,
                 accepts_missing_gradients=False):
        if name in REGISTRY:
            raise ValueError(f"op {name!r} is declared twice")
        if dtypes not in DTYPE_SETS:
            raise ValueError(f"op {name!r}: dtypes={dtypes!r} is none of {', '.join(DTYPE_SETS)}")
        self.name, self.vjp = name, vjp
        self.saves = {saved: frozenset(readers.split(",")) if readers else None for saved, readers in _SAVED.findall(saves)}
        self.ref, self.dtypes, self.doc, self.onnx, self.samples = ref, dtypes, doc, onnx, samples
        self.reports_faults, self.accepts_missing_gradients = reports_faults, accepts_missing_gradients
        self.public, self.method, self.inplace, self.aliases = public, public and method, inplace, tuple(aliases)
        self.saved_outputs = tuple(int(n[1:]) for n in sorted(self.saves) if n[:1] == "y" and n[1:].isdigit())
        self.batch, self.host, self.plans, self.savings = batch, host, {}, {}
        self.__name__ = self.__qualname__ = name
        self.__doc__ = doc
        calls.inner(name)
        REGISTRY[name] = self

    @calls.op_call
    def __call__(self, *args, **attrs):
        return self.apply(args, attrs)

    def apply(self, args, attrs):
        """Run the op.  Each kind of op has its way."""
        raise NotImplementedError(f"{self.kind} ops cannot be called")

    @OfInstances
    def __signature__(self):
        """The parameters of the public function, for inspect.signature and help."""
        return inspect.Signature([*self.parameters(), inspect.Parameter("out", inspect.Parameter.KEYWORD_ONLY, default=None)])

    def parameters(self, *first):
        """The inspect.Parameters of a call: inputs and attributes; `first`: names that stand for the first inputs."""
        kind, names = inspect.Parameter.POSITIONAL_OR_KEYWORD, (*first, *self.inputs[len(first):])
        return [*(inspect.Parameter(n, kind) for n in names),
                *(inspect.Parameter(n, kind, default=default) for n, default in self.attrs.items())]

    def __repr__(self):
        return f"<{self.kind} op {self.name}>"

    @property
    def differentiable(self):
        """Whether the op passes gradients on."""
        return self.vjp is not None

    def last(self, attrs):
        """The name of what the op does last, for the name of its node in the graph."""
        return self.name

    def saving(self, needs):
        """(per input: whether its data is saved, the same of the outputs) for a gradient of the inputs in `needs`.

        Of the outputs: True, False, or a tuple with the numbers of those that are.  Asked once; `savings` keeps the answers.
        """
        needed = {n for n, need in zip(self.inputs, needs, strict=True) if need}
        kept = [n for n, readers in self.saves.items() if readers is None or readers & needed]
        return tuple(n in kept for n in self.inputs), "y" in self.saves or self.saved_outputs

    def input_gradients(self, gs, outputs, inputs, attrs, needs):
        """Gradients of the inputs.  Those not in `saves` arrive as Specs; an output no gradient came for counts as zero."""
        if (len(gs) > 1 or gs[0] is None) and not self.accepts_missing_gradients:
            gs = with_zeros(gs, self.specs_of(outputs))
        g, y = (gs, outputs) if len(gs) > 1 else (gs[0], outputs[0])
        named = dict(zip(self.attr_names, attrs, strict=True)) if attrs else {}
        if callable(self.vjp):
            return self.vjp(g, y, *inputs, needs=needs, **named)
        return [rule(g, y, *inputs, **named) if need else None for rule, need in zip(self.vjp, needs, strict=True)]

    @staticmethod
    def specs_of(outputs):
        """The Specs of outputs, saved or not."""
        return [getattr(o, "_spec", o) for o in outputs]

    def check_dtypes(self, specs):
        """Raise DTypeError unless the op works on every input's dtype."""
        allowed = DTYPE_SETS[self.dtypes]
        for s in specs:
            if s.dtype not in allowed:
                cure = ".float()" if dtypes.float32 in allowed else ".long()"
                raise UnsupportedDTypeError(f"{self.name}: not defined for {s.dtype.name}; it works on "
                                            f"{', '.join(d.name for d in allowed)}. Convert first, for instance with {cure}")


def same_device(op_name, specs):
    """The one device all specs are on.  Raises DeviceError naming the two that differ."""
    device = specs[0].device
    for i, s in enumerate(specs):
        if s.device is not device:
            device.check_reachable()
            s.device.check_reachable()
            raise DeviceError(f"{op_name}: Expected all tensors to be on the same device, but input 0 is on {device} and "
                              f"input {i} on {s.device}; move one with .to({str(device)!r})")
    return device


def signature(fn, tensors=None):
    """(tensor input names, {attribute: default}) of a declaration's function: parameters with defaults are attributes."""
    parameters = inspect.signature(fn).parameters.values()
    names = tensors.split() if tensors is not None else [p.name for p in parameters if p.default is p.empty]
    return tuple(names), {p.name: p.default for p in parameters if p.name not in names}
