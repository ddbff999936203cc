"""Op: what all kinds of op have in common.

Declare an op once, with `elementwise`, `reduction`, `scan`, `view`, `kernel` or `composite`.  The declaration gives the public
function, the Tensor method and its in-place form, the gradient, and the generated tests.
"""

import inspect
import re

from ...base import calls, dtypes
from ...base.errors import DeviceError, PickleError, UnsupportedDTypeError
from ...base.forking import OfInstances
from ...dispatch.registry import DTYPE_SETS, REGISTRY, declared
from ...dispatch.run_elementwise import with_zeros

_SAVED = re.compile(r"(\w+)(?:\(([\w,]+)\))?")


class Op:
    """One declared op.  Calling it runs it: `op(*tensors, **attrs)`.

    Fields every kind has:
        name     the op's name; PyTorch's if PyTorch has the op
        inputs   names of the tensor inputs, in order
        saves    names of what the gradient reads: inputs, "y" (all outputs), "y0", "y1" .. (some).  It gets the others as
                 Specs.  "a(b)" saves a only if b needs a gradient
        vjp      a tuple with one function (g, y, *inputs, **attrs) -> gradient per input, or one function that also gets
                 `needs` (a tuple of bool) and returns a tuple; None if the op has no gradient
        accepts_missing_gradients  whether vjp takes None for an output without a gradient; otherwise it gets zeros
        ref      an independent NumPy reference, for the generated tests
        samples  a function rng -> list of (args, kwargs) for the generated tests, if the shapes are special
        reports_faults  whether its kernels may write to the fault buffer (see faults.py): True for a bad index, or a message with
                 {value} that names the broken rule, alone (raises ArgumentError) or after its error class
        batch    how vmap runs it: "leading" (it acts on trailing dimensions and takes any number before them), "dim" (the same,
                 with its attribute `dim` moved by one), "inside" (a composite of batchable ops), None (one by one)
        host     whether its forward pass runs on the host, through a library there
        inplace  whether an in-place form (`name_`) exists
        out      whether a public call takes out=; where PyTorch's takes none, in-place forms alone write to a given tensor
        autocast how autocast runs it: a Policy (dispatch/autocast.py); None if in the dtypes it is given
        complex  whether it takes complex numbers, besides the real `dtypes`
        on_complex  the op that runs in its place for complex inputs, or its name; None for itself
        onnx     what ONNX has for it: a function of a builder (cltensor.onnx), the inputs and, by name, the attributes, that writes
                 ONNX's nodes and returns the results, or NotImplemented; or the name of the operator that does the same
    """

    kind = on_complex = finishing = None
    autocast = onnx = None
    strided = False
    out = True

    def __init__(self, name, *, vjp=None, saves="", ref=None, dtypes="all", doc="", public=True, method=True,
                 inplace=False, out=True, samples=None, aliases=(), reports_faults=False, batch=None, host=False,
                 accepts_missing_gradients=False, autocast=None, complex=False, onnx=None):
        if name in REGISTRY:
            raise ValueError(f"op {name!r} is declared twice")
        if dtypes not in DTYPE_SETS:
            raise ValueError(f"op {name!r}: dtypes={dtypes!r} is none of {', '.join(DTYPE_SETS)}")
        self.name, self.vjp = name, vjp
        self.saves = {saved: frozenset(readers.split(",")) if readers else None for saved, readers in _SAVED.findall(saves)}
        self.ref, self.dtypes, self.doc, self.samples = ref, dtypes, doc, samples
        self.reports_faults, self.accepts_missing_gradients = reports_faults, accepts_missing_gradients
        self.autocast = autocast
        self.public, self.method, self.inplace, self.aliases = public, public and method, inplace, tuple(aliases)
        self.saved_outputs = tuple(int(n[1:]) for n in sorted(self.saves) if n[:1] == "y" and n[1:].isdigit())
        self.complex, self.out, self.onnx = complex, out, onnx
        self.batch, self.host, self.plans, self.savings = batch, host, {}, {}
        self.__name__ = self.__qualname__ = name
        self.__doc__ = doc
        calls.inner(name)
        REGISTRY[name] = self

    @calls.op_call
    def __call__(self, *args, **attrs):
        return self.apply(args, attrs)

    def apply(self, args, attrs):
        """Run the op.  Each kind of op implements this."""
        raise NotImplementedError(f"{self.kind} ops cannot be called")

    @OfInstances
    def __signature__(self):
        """The parameters of the public function, for inspect.signature and help."""
        out = [inspect.Parameter("out", inspect.Parameter.KEYWORD_ONLY, default=None)] if self.out else []
        return inspect.Signature([*self.parameters(), *out])

    def parameters(self, *first):
        """The inspect.Parameters of a call: inputs and attributes; `first`: names that stand for the first inputs."""
        kind, names = inspect.Parameter.POSITIONAL_OR_KEYWORD, (*first, *self.inputs[len(first):])
        return [*(inspect.Parameter(n, kind) for n in names),
                *(inspect.Parameter(n, kind, default=default) for n, default in self.attrs.items())]

    def __repr__(self):
        return f"<{self.kind} op {self.name}>"

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self

    def __reduce__(self):
        if REGISTRY.get(self.name) is not self:
            raise PickleError(f"pickle: {self!r} was made while a program ran and has no name to be found by; pickle the "
                              "function or Module that uses it")
        return declared, (self.name,)

    @property
    def differentiable(self):
        """Whether the op has a gradient."""
        return self.vjp is not None

    def flops(self, specs, outs, attrs):
        """The floating-point operations of a call on input Specs (None for one left out); None if the op does not say."""

    def multiply_adds(self, specs, outs, attrs):
        """How many of a call's operations are a multiplication with its addition, as those of a product of matrices are."""
        return 0

    def last(self, attrs):
        """The name of the last operation, which names the op's node in the graph."""
        return self.name

    def saving(self, needs):
        """(per input: whether to save its data, which outputs to save) for a gradient of the inputs in `needs`.

        Outputs: True for all, False for none, or a tuple of their numbers.  Called once per `needs`; `savings` caches it.
        """
        needed = {n for n, need in zip(self.inputs, needs, strict=True) if need}
        kept = [n for n, readers in self.saves.items() if readers is None or readers & needed]
        return tuple(n in kept for n in self.inputs), "y" in self.saves or self.saved_outputs

    def input_gradients(self, gs, outputs, inputs, attrs, needs):
        """Gradients of the inputs.  Inputs not in `saves` arrive as Specs; outputs without a gradient count as zero."""
        if (len(gs) > 1 or gs[0] is None) and not self.accepts_missing_gradients:
            gs = with_zeros(gs, self.specs_of(outputs))
        g, y = (gs, outputs) if len(gs) > 1 else (gs[0], outputs[0])
        named = dict(zip(self.attr_names, attrs, strict=True)) if attrs else {}
        if callable(self.vjp):
            return self.vjp(g, y, *inputs, needs=needs, **named)
        return [rule(g, y, *inputs, **named) if need and rule else None for rule, need in zip(self.vjp, needs, strict=True)]

    @staticmethod
    def specs_of(outputs):
        """The Specs of outputs, saved or not."""
        return [getattr(o, "_spec", o) for o in outputs]

    @property
    def allowed(self):
        """The dtypes it takes."""
        return DTYPE_SETS[self.dtypes] + (dtypes.COMPLEX if self.complex else ())

    def check_dtypes(self, specs):
        """Raise DTypeError unless the op works on every input's dtype."""
        allowed = self.allowed
        for s in specs:
            if s.dtype not in allowed:
                cure = (".abs() or .real" if s.dtype.is_complex else ".float()" if dtypes.float32 in allowed else
                        ".long()" if dtypes.int64 in allowed else ".cfloat()")
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
    """(tensor input names, {attribute: default}) of a declaration's function; parameters with defaults are attributes."""
    parameters = inspect.signature(fn).parameters.values()
    names = tensors.split() if tensors is not None else [p.name for p in parameters if p.default is p.empty]
    return tuple(names), {p.name: p.default for p in parameters if p.name not in names}
