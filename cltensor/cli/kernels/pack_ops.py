"""What a kernel pack holds of each op: its kernels for a few layouts, and where its gradients come from.

Elementwise ops and reductions are planned on paper for inputs that lie so that the kernel fits any tensor:

    dense   elementwise: all operands alike, without gaps
    last    elementwise: the last operand is one number, the others as in dense
    any     elementwise: up to RANK dimensions, inputs with any strides; reductions: up to 4 kept and 4 reduced dimensions
    row     reductions: of the rows of a dense matrix
    column  reductions: of the columns of a dense matrix
"""

import inspect
import itertools

from ...base import dtypes
from ...base.errors import CLTensorError
from ...dispatch.registry import REGISTRY
from ...dispatch.spec import dense, spec
from . import calls, catalog, rendering
from .paper import paper

RANK = 8
KEPT = REDUCED = 4
_SHAPE = (64, 64)
#: ops of whole tensors, by the name in the pack: (op, shapes or (shape, dtype) of inputs, attributes)
_POOL = {"kernel_size": (2, 2), "stride": (2, 2), "padding": (1, 1)}
_IMAGES, _POOLED = (2, 3, 8, 8), (2, 3, 5, 5)
_MEAN = {"ceil_mode": False, "count_include_pad": True, "divisor_override": None}
_DRAWN = {"seed": 0, "offset": 0, "a": 0.0, "b": 1.0}
CALLS = {
    "matmul": ("matmul", ((512, 512), (512, 512)), {}),
    "softmax/inner": ("softmax_dim", (_SHAPE,), {"dim": 1}),
    "softmax/outer": ("softmax_dim", (_SHAPE,), {"dim": 0}),
    "softmax_grad/inner": ("softmax_grad", (_SHAPE, _SHAPE), {"dim": 1}),
    "softmax_grad/outer": ("softmax_grad", (_SHAPE, _SHAPE), {"dim": 0}),
    "log_softmax/inner": ("log_softmax_dim", (_SHAPE,), {"dim": 1}),
    "log_softmax/outer": ("log_softmax_dim", (_SHAPE,), {"dim": 0}),
    "log_softmax_grad/inner": ("log_softmax_grad", (_SHAPE, _SHAPE), {"dim": 1}),
    "log_softmax_grad/outer": ("log_softmax_grad", (_SHAPE, _SHAPE), {"dim": 0}),
    "max_pool": ("max_pool", (_IMAGES,), {**_POOL, "dilation": (1, 1), "ceil_mode": False}),
    "max_pool_gradient": ("max_pool_gradient", (_POOLED, (_POOLED, dtypes.int64)),
                          {"size": _IMAGES[2:], "window": (*_POOL.values(), (1, 1))}),
    "avg_pool": ("avg_pool", (_IMAGES,), {**_POOL, **_MEAN}),
    "avg_pool_gradient": ("avg_pool_gradient", (_POOLED,), {"size": _IMAGES[2:], **_POOL, **_MEAN}),
    "random/uniform": ("random_like", (_SHAPE,), {"distribution": "uniform", **_DRAWN}),
    "random/normal": ("random_like", (_SHAPE,), {"distribution": "normal", **_DRAWN}),
    "random/bernoulli": ("random_like", (_SHAPE,), {"distribution": "bernoulli", **_DRAWN}),
    "random/integers": ("random_like", (_SHAPE,), {"distribution": "integers", **_DRAWN, "a": 0, "b": 9}),
    "dropout": ("dropout_seeded", (_SHAPE,), _DRAWN),
}
_ANY = {"rank": RANK, "index_class": "s", "index_dtype": dtypes.int64}
#: templates whose parameters fit any tensor, by the name in the pack: (template, parameters, categories of dtypes)
TEMPLATES = {
    "gather": ("gather", {**_ANY, "x_class": "s"}, ("bool", "int", "float")),
    "scatter/set": ("scatter", {**_ANY, "combine": "value"}, ("bool", "int", "float")),
    "scatter/add": ("scatter", {**_ANY, "combine": "old + value"}, ("bool", "int", "float")),
    **{name: (name, {}, ("float",)) for name in ("conv_pad", "conv_panel", "conv_product")},
}


def packed(op):
    """Whether a pack has an op: elementwise ones of real numbers, and reductions of one tensor or two alike."""
    if op.kind == "elementwise":
        return op.dtypes != "parts"
    return op.kind == "reduction" and len(op.inputs) <= 2


# --- kernels -----------------------------------------------------------------------------------------------------------


def elementwise(op, dtype, style):
    """Yield (key, dtypes of the results, Source) of an elementwise op over a dtype: layouts, and for copying also what to."""
    layouts = ["dense", "any", *(["last"] if len(op.inputs) > 1 and REGISTRY.get(op.name) is op else [])]
    for layout in layouts:
        operands = [_laid(dtypes.bool_ if n in op.exempt else dtype, style, layout, last=n == op.inputs[-1]) for n in op.inputs]
        target = None if operands else (_target(dtype, style, layout),)
        plan = op.plan(tuple(operands), target)
        yield layout, plan.outputs, plan.steps[-1].source


def copies(op, pair, style):
    """Yield (layout, Source) of copying from one dtype to another, into memory with any strides too."""
    for layout in ("dense", "any"):
        plan = op.plan((_laid(pair[0], style, layout),), (_target(pair[1], style, layout),))
        yield layout, plan.steps[-1].source


def reduction(op, dtype, style):
    """Yield (layout, Specs of the results, Source) of a reduction over a dtype."""
    apart = tuple(2 * 3 ** i for i in reversed(range(KEPT + REDUCED)))
    for layout, shape, strides, dims in (("row", (64, 256), (256, 1), (1,)), ("column", (256, 64), (64, 1), (0,)),
                                         ("any", (3,) * (KEPT + REDUCED), apart, tuple(range(1, KEPT + REDUCED, 2)))):
        found = spec(shape, strides, dtype, paper(style))
        plan = op.plan((found,) * len(op.inputs), (dims, False))
        yield layout, plan.outputs, plan.steps[0].source


def whole(name, dtype, style):
    """The Source of one of CALLS or TEMPLATES; None where the op is not for this dtype."""
    if name in TEMPLATES:
        template, values, categories = TEMPLATES[name]
        if dtype.category not in categories or (template.startswith("conv") and dtype.itemsize < 4):
            return None
        return rendering.of_template(catalog.entry(template), dtype, style, {**values, **_panels(template, dtype, style)})
    op, inputs, attrs = CALLS[name]
    op = catalog.op(op)
    if dtype not in op.allowed or (name.startswith("random/") and (name.endswith("integers")) == dtype.is_floating_point):
        return None
    inputs = tuple(i if isinstance(i[0], tuple) else (i, dtype) for i in inputs)
    return calls.call(op, inputs, attrs, style).steps[0].source


def _panels(template, dtype, style):
    """The parameters by which the kernels of a convolution agree on the width of panels."""
    width = 32 // dtype.itemsize
    product = {"W": width, "NV": 2} if style == "cpu" else {"TN": 2}
    lanes = 2 * width if style == "cpu" else 32
    return {"conv_panel": {"LANES": lanes}, "conv_product": product}.get(template, {})


def _laid(dtype, style, layout, last=False):
    if layout == "last" and last:
        return spec(_SHAPE, (0, 0), dtype, paper(style))
    return _target(dtype, style, layout)


def _target(dtype, style, layout):
    if layout == "any":  # strides of which no two dimensions merge, the innermost not 1
        return spec((2,) * RANK, tuple(2 * 3 ** i for i in reversed(range(RANK))), dtype, paper(style))
    return dense(_SHAPE, dtype, paper(style))


# --- declarations --------------------------------------------------------------------------------------------------------


def declared(op):
    """What is said of an op besides its kernels, as plain data."""
    none = inspect.Parameter.empty
    attrs = [[n, None if v is none else v] for n, v in op.attrs.items() if op.kind != "reduction" or n not in ("dim", "keepdim")]
    found = {"kind": op.kind, "inputs": list(op.inputs), "attributes": attrs}
    if op.kind == "elementwise":
        found |= {"results": len(op.exprs), "conditions": [i for i, n in enumerate(op.inputs) if n in op.exempt],
                  "gradients": {}}
    return found


def gradients(op):
    """Yield (mask, Gradient) of a differentiable elementwise op: for each input alone, and for all that are no condition.

    mask: a 1 for each input whose gradient is computed, a 0 for each other.
    """
    if not op.differentiable:
        return
    every = tuple(n not in op.exempt for n in op.inputs)
    alone = (tuple(i == k for i in range(len(every))) for k in range(len(every)) if every[k])
    for needs in dict.fromkeys(itertools.chain(alone, [every])):
        try:
            yield "".join("01"[n] for n in needs), op.gradient(needs)
        except CLTensorError:  # no derivative by that input
            continue
