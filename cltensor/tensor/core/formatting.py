"""Print tensors as PyTorch prints them."""

import math
from dataclasses import dataclass

from ...base import dtypes
from ...base.errors import ArgumentError
from ...base.overriding import overrides
from ...ops.index.concat import cat


@dataclass
class Options:
    """The settings of set_printoptions."""

    precision: int = 4
    threshold: int = 1000
    edgeitems: int = 3
    linewidth: int = 80
    sci_mode: bool | None = None


options = Options()


def set_printoptions(precision=None, threshold=None, edgeitems=None, linewidth=None, profile=None, sci_mode=None):
    """Set how tensors print: digits after the point, elements before summarising, items at each edge, line width."""
    global options
    profiles = {"default": Options(), "short": Options(2, edgeitems=2), "full": Options(threshold=math.inf)}
    if profile is not None:
        if profile not in profiles:
            raise ArgumentError(f"set_printoptions: profile is {profile!r}; it must be one of {', '.join(profiles)}")
        options = profiles[profile]
    for name, value in (("precision", precision), ("threshold", threshold), ("edgeitems", edgeitems), ("linewidth", linewidth)):
        if value is not None:
            setattr(options, name, value)
    options.sci_mode = sci_mode


class _Format:
    """One format for all printed values: integers with a dot, fixed point, or scientific."""

    def __init__(self, values, dtype):
        self.floating, self.width = dtype.is_floating_point, 1
        if not self.floating:
            self.style = "int"
        else:
            self.style = self._style([abs(v) for v in values if math.isfinite(v) and v != 0])
        self.width = max((len(self.text(v)) for v in values), default=1)

    def _style(self, sizes):
        if not sizes:
            return "whole"
        whole = all(v == math.trunc(v) for v in sizes)
        wide = max(sizes) / min(sizes) > 1000.0 or max(sizes) > 1.0e8 or (not whole and min(sizes) < 1.0e-4)
        wide = (max(sizes) / min(sizes) > 1000.0 or max(sizes) > 1.0e8) if whole else wide
        if options.sci_mode if options.sci_mode is not None else wide:
            return "sci"
        return "whole" if whole else "fixed"

    def text(self, v):
        if self.style == "int":
            text = str(v)
        elif self.style == "sci":
            text = f"{v:.{options.precision}e}"
        elif self.style == "whole":
            text = f"{v:.0f}" + ("." if math.isfinite(v) else "")
        else:
            text = f"{v:.{options.precision}f}"
        return text.rjust(self.width)


class _ComplexFormat:
    """Two formats, of the real and of the imaginary parts: 1.0000+2.0000j."""

    def __init__(self, values, dtype):
        self.parts = [_Format(part, dtype.to_real()) for part in ([v.real for v in values], [v.imag for v in values])]
        self.width = sum(p.width for p in self.parts) + 1

    def text(self, v):
        imag = self.parts[1].text(v.imag).lstrip()
        return f"{self.parts[0].text(v.real)}{'' if imag.startswith('-') else '+'}{imag}j"


def _shown(values, depth, summarize):
    """The scalars of nested lists that will be printed."""
    if depth == 0:
        return [values]
    return [x for v in _edges(values, summarize) if v is not Ellipsis for x in _shown(v, depth - 1, summarize)]


def _edges(values, summarize):
    e = options.edgeitems
    return [*values[:e], Ellipsis, *values[-e:]] if summarize and len(values) > 2 * e else values


def _vector(values, indent, form, summarize):
    width = form.width + 2
    per_line = max(1, (options.linewidth - indent) // width)
    items = [" ..." if v is Ellipsis else form.text(v) for v in _edges(values, summarize)]
    lines = [items[i:i + per_line] for i in range(0, len(items), per_line)]
    return "[" + (",\n" + " " * (indent + 1)).join(", ".join(line) for line in lines) + "]"


def _nested(values, depth, indent, form, summarize):
    if depth == 0:
        return form.text(values)
    if depth == 1:
        return _vector(values, indent, form, summarize)
    parts = ["..." if v is Ellipsis else _nested(v, depth - 1, indent + 1, form, summarize) for v in _edges(values, summarize)]
    return "[" + ("," + "\n" * (depth - 1) + " " * (indent + 1)).join(parts) + "]"


def tensor_text(t):
    """repr of a tensor."""
    prefix = f"{type(t).__name__}(" if overrides(type(t)) else "tensor("
    notes = _notes(t)
    if t.is_meta:
        body = "..."
        notes.insert(1, f"size={tuple(t.shape)}")
    elif t.numel() == 0:
        body = "[]"
        if t.ndim != 1:
            notes.insert(0, f"size={tuple(t.shape)}")
    else:
        summarize = t.numel() > options.threshold
        values = t.detach()
        values = _summary(values) if summarize else values
        values = values._values().tolist()
        form = (_ComplexFormat if t.dtype.is_complex else _Format)(_shown(values, t.ndim, summarize), t.dtype)
        body = _nested(values, t.ndim, len(prefix), form, summarize)
    text = prefix + body
    last = len(text) - text.rfind("\n") - 1
    for note in notes:
        wrapped = last + len(note) + 2 > options.linewidth
        text += ("," + "\n" + " " * len(prefix) if wrapped else ", ") + note
        last = len(prefix) + len(note) if wrapped else last + len(note) + 2
    return text + ")"


def _summary(t):
    """Only the edges of each dimension (and one element between, which prints as dots), to copy little."""
    e = options.edgeitems
    for d, n in enumerate(t.shape):
        if n > 2 * e + 1:
            t = cat(t.narrow(d, 0, e + 1), t.narrow(d, n - e, e), dim=d)
    return t


def _notes(t):
    from ...runtime.device import default_device

    notes = []
    if t.device is not default_device() or t.is_meta:
        notes.append(f"device='{t.device}'")
    known = (dtypes.get_default_dtype(), dtypes.int64, dtypes.bool_, dtypes.default_for("complex"))
    if t.dtype not in known or (t.is_meta and t.dtype is not known[0]) or (t.numel() == 0 and t.dtype is not known[0]):
        notes.append(f"dtype={t.dtype}")
    if t.grad_fn is not None:
        notes.append(f"grad_fn={t.grad_fn!r}")
    elif t.requires_grad:
        notes.append("requires_grad=True")
    return notes
