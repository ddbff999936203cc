"""Reductions: declared by what is accumulated, how two states combine, and how the final state becomes the result."""

import functools
import inspect
import math

import numpy as np

from ...base import dtypes
from ...base.errors import DimensionError
from ...base.shapes import broadcast_shapes, collapse, normalize_dims, reduced_shape
from ...codegen import types
from ...codegen.templates import render
from ...dispatch.binding import bind, check_tensors
from ...dispatch.host_plan import HostPlan
from ...dispatch.plan import In, Out, Plan, Scratch, Value
from ...dispatch.run_planned import run_planned
from ...tune.space import Space
from .fold import Fold, placeholder
from .launch import step
from .op import same_device

RANKS = (1, 2, 4, 8, 16, 32, 64)
FEW = 32  # with fewer reduced elements, a gpu work-group per output would idle
SIDE_BY_SIDE = 32768  # bytes of states for the columns that a cpu work-group sums side by side
TALL = 32  # reduced elements per cpu work-group, at least, when columns are cut into parts
NEAR = 1 << 20  # bytes that stay in a core's cache; such inputs may be cut into narrow blocks of columns
WGS, LARGE = 64, 2048  # work-items of a gpu work-group; from LARGE reduced elements on, four times as many
SIDE = 32  # neighbouring columns that a gpu work-group reads together
DEEP = 64  # reduced elements per gpu work-group, at least, when columns are cut into parts
LANES, UNROLL = 16, 4  # independent sums per row on a cpu, and vectors of them
GRAIN = 4096  # elements of work per work-group, at least

# values `cltensor tune` may try instead of the constants above
SERIAL = Space("reduction", W=(256, 512, 1024, 2048, 4096), LANES=(4, 8, 16, 32, 64), UNROLL=(1, 2, 4), GRAIN=(1024, 4096, 16384))
GROUPED = Space("reduction", WGS=(32, 64, 128, 256), GRAIN=(1024, 4096, 16384),
                fits=lambda profile, dtype, **c: c["WGS"] <= profile.work_group)


class Reduction(Fold):
    """An op over the dimensions `dims`; `keepdim` keeps them as size 1.  See Fold for its declaration.

    result    per output: "acc", "input", "float" (integers give the default float), "real" (the dtype of input's real part) or a
              dtype's name
    accumulate "wide": integers add up in int64;  "same": in their own compute type
    nonempty  reducing nothing is an error (max, argmax)
    """

    kind = "reduction"

    def __init__(self, name, *, map, combine, identity, finish=None, states=("acc",), result=("input",), accumulate="same",
                 nonempty=False, **common):
        super().__init__(name, **common)
        self._declare(map, combine, identity, finish, states)
        self.result, self.accumulate, self.nonempty = result, accumulate, nonempty
        parameters = list(inspect.signature(map).parameters.values())
        self.inputs = tuple(p.name for p in parameters if p.default is p.empty and p.name != "index")
        self.scalars = tuple(p.name for p in parameters if p.default is not p.empty)
        self.indexed = any(p.name == "index" for p in parameters)
        self.attrs = {"dim": None, "keepdim": False}
        self.attrs.update((p.name, p.default) for p in parameters if p.default is not p.empty)
        self.attr_names = tuple(self.attrs)

    # --- rules ---------------------------------------------------------------------------------------------------------

    def acc_dtype(self, d):
        """The dtype a state over inputs of dtype d is kept in."""
        if d.is_inexact:
            return super().acc_dtype(d)
        if "float" in self.result:
            return dtypes.get_default_dtype()
        if self.accumulate == "wide":
            return dtypes.int64
        return dtypes.int64 if d is dtypes.int64 else dtypes.int32

    def result_dtypes(self, d):
        """The dtype of each output for inputs of dtype d."""
        wide = d if d.is_inexact else dtypes.int64 if self.accumulate == "wide" else d
        floating = d if d.is_inexact else dtypes.get_default_dtype()
        named = {"acc": wide, "input": d, "float": floating, "real": d.to_real()}
        return tuple(named.get(r) or dtypes.BY_NAME[r] for r in self.result)

    def plan(self, specs, attrs):
        """See Planned.  attrs are the sorted dimensions and keepdim; values go to the kernel at each call."""
        device = same_device(self.name, specs)
        self.check_dtypes(specs[:1])  # the others are read in the first one's accumulation type
        outs = self.result_specs(specs, attrs)
        if device.host:
            return HostPlan(device, specs, outs, functools.partial(self._through_numpy, specs[0], attrs[0], outs[0].shape))
        steps = self.launch(specs, outs, *attrs) if outs[0].numel and not device.meta else ()
        return Plan(device, specs, outs, steps)

    def result_specs(self, specs, attrs):
        """See Planned."""
        return self.shape(*specs, dims=attrs[0], keepdim=attrs[1])

    def _through_numpy(self, s, dims, shape, arrays, values):
        """The results for arrays and the scalars' values; see HostPlan."""
        kept = [i for i in range(s.ndim) if i not in dims]
        kept_shape, count = [s.shape[i] for i in kept], math.prod(s.shape[i] for i in dims)
        rows = [a.transpose([*kept, *dims]).reshape([*kept_shape, count]) for a in arrays]
        states = self.host_identity(s.dtype, kept_shape)
        if count:
            states = self._host_reduced(s.dtype, self.host_states(s.dtype, rows, values))
        return [np.broadcast_to(r, kept_shape).reshape(shape) for r in self.host_finished(s.dtype, states, values, count)]

    def _host_reduced(self, d, states):
        """The states (*, count) combined along the last dimension, neighbours first."""
        ufunc = self.ufunc_for(d)
        if ufunc is not None:
            return [ufunc.reduce(states[0], axis=-1, dtype=states[0].dtype)]
        while (count := states[0].shape[-1]) > 1:
            even = count // 2 * 2
            joined = self.host_combined(d, [x[..., 0:even:2] for x in states], [x[..., 1:even:2] for x in states])
            states = [np.concatenate([j, x[..., even:]], -1) for j, x in zip(joined, states, strict=True)]
        return [x[..., 0] for x in states]

    def apply(self, args, attrs):
        """See Op.  Inputs are broadcast; dim is None, a number or several."""
        out = attrs.pop("out", None)
        inputs, (dim, keepdim, *values) = bind(self, args, attrs)
        inputs = check_tensors(self, inputs)
        if len(inputs) > 1:
            shape = broadcast_shapes(*(x._spec.shape for x in inputs), op=self.name)
            inputs = tuple(x if x._spec.shape == shape else x.expand(shape) for x in inputs)
        dims = normalize_dims(dim, inputs[0]._spec.ndim, self.name)
        return self.delivered(run_planned(self, inputs, (dims, bool(keepdim)), tuple(values)), out)

    def shape(self, *specs, dims, keepdim):
        """Specs of the outputs; inputs have one common (broadcast) shape."""
        first = specs[0]
        if self.nonempty and any(first.shape[d] == 0 for d in dims):
            raise DimensionError(f"{self.name}: cannot reduce over dimension(s) {list(dims)} of shape {list(first.shape)}: a size "
                             f"is 0 and there is no such value of nothing")
        out = reduced_shape(first.shape, dims, keepdim)
        return tuple(first.dense(out, d) for d in self.result_dtypes(first.dtype))

    # --- launch --------------------------------------------------------------------------------------------------------

    def launch(self, specs, outs, dims, keepdim):
        """Steps for this layout: one launch, or two when few outputs reduce many elements."""
        ndim, device = specs[0].ndim, specs[0].device
        kept = [i for i in range(ndim) if i not in dims]
        ks, kruns = collapse([specs[0].shape[i] for i in kept], *([s.strides[i] for i in kept] for s in specs))
        order = sorted(dims, key=lambda i: -specs[0].strides[i]) if not self.indexed else dims
        rs, rruns = collapse([specs[0].shape[i] for i in order], *([s.strides[i] for i in order] for s in specs))
        geometry = _Geometry(ks, kruns, rs, rruns, device.profile)
        units, count = math.prod(ks), math.prod(rs)
        geometry.constants = self._constants(specs[0], geometry.layout, units, count)
        geometry.near = units * count * specs[0].itemsize <= NEAR
        source, ctypes = self._source(specs, outs, geometry, device.profile.style)
        splits = geometry.splits(units, count)
        partials = [Scratch(units * splits * np.dtype(types.NUMPY_OF[c]).itemsize) for c in ctypes] if splits > 1 else None
        given = {f"x{i}_p": In(i) for i in range(len(specs))}
        given.update((f"s{i}", Value(i, self._value_type(specs[0]))) for i in range(len(self.scalars)))
        given.update((f"y{i}_p", Out(i)) for i in range(len(outs)))
        given.update((f"partial{i}", b) for i, b in enumerate(partials or [placeholder(device)] * len(ctypes)))
        given.update(geometry.numbers([f"x{i}" for i in range(len(specs))]), units=units, count=count, parts=splits,
                     columns=geometry.columns())
        if splits == 1:
            return [step(source, **given, mode=0, groups=geometry.work_groups(units, 1))]
        return [step(source, **given, mode=1, groups=geometry.work_groups(units, splits)),
                step(source, **given, mode=2, groups=min(units, device.profile.groups))]

    def _constants(self, s, layout, units, count):
        sizes = {"op": self.name, "kept": units, "reduced": count, "along": layout}
        if s.device.profile.style == "cpu":
            states = sum(d.itemsize for d in self.held_dtypes(s.dtype))
            wide = min(1 << (SIDE_BY_SIDE // (2 * states)).bit_length() - 1, 4096)
            return SERIAL.choose(s.device, s.dtype, sizes, W=wide, LANES=LANES, UNROLL=UNROLL, GRAIN=GRAIN)
        items = min(s.device.profile.work_group, 4 * WGS if count >= LARGE else WGS)
        return GROUPED.choose(s.device, s.dtype, sizes, WGS=items, GRAIN=GRAIN)

    def _value_type(self, s):
        return getattr(np, types.NUMPY_OF[types.part_type(types.compute_type(self.acc_dtype(s.dtype)))])

    def _source(self, specs, outs, geometry, style):
        constants = tuple(vars(geometry.constants).items())
        key = (style, geometry.key, constants, tuple(s.dtype for s in specs), tuple(o.dtype for o in outs),
               dtypes.get_default_dtype())
        found = self.sources.get(key)
        if found is None:
            found = self.sources[key] = self._render(specs, outs, geometry, style)
        return found

    def _render(self, specs, outs, geometry, style):
        acc = types.part_type(types.compute_type(self.acc_dtype(specs[0].dtype)))
        # an input is compared and summed in the accumulation type
        ins = tuple((f"x{i}", s.dtype, f"{acc}2" if s.dtype.is_complex else acc, k)
                    for i, (s, k) in enumerate(zip(specs, geometry.classes, strict=True)))
        parts = self.parts(specs[0].dtype, outs, counted=True)
        tiles = {n: v for n, v in vars(geometry.constants).items() if n != "GRAIN"}
        if style == "gpu":
            tiles["SIDE"] = geometry.side
        elif specs[0].dtype.is_complex:  # a vector holds half as many
            tiles["LANES"], tiles["summed"] = min(tiles["LANES"], LANES // 2), self.sums
        rendered = render(
            "reduction", style=style, dtype=self.acc_dtype(specs[0].dtype), layout=geometry.layout,
            kept_rank=geometry.kept_rank, reduced_rank=geometry.reduced_rank, inputs=ins,
            scalars=tuple((f"s{i}", acc) for i in range(len(self.scalars))),
            outputs=tuple((f"y{i}", o.dtype) for i, o in enumerate(outs)), **tiles, **parts)
        return rendered, [c for c, _ in parts["states"]]


class _Geometry:
    """Merged kept and reduced dimensions, padded to a compiled rank, and the loop order that suits them.

    constants: chosen from the tuning space; set once the loop order is known
    near: whether the input stays in a core's cache
    """

    constants = near = None

    def __init__(self, ks, kruns, rs, rruns, profile):
        self.profile = profile
        kstep, rstep = _steps_of_whole(kruns, rruns) if ks and rs else (bool(ks), bool(rs))
        few = profile.style == "gpu" and math.prod(rs) < FEW
        self.layout = "col" if ks and (few or not rs or (kstep and (not rstep or kstep < rstep))) else "row"
        self.kept_rank = next(r for r in RANKS if r >= len(ks))
        self.reduced_rank = next(r for r in RANKS if r >= len(rs))
        self.ks, self.kruns = _pad(ks, kruns, self.kept_rank)
        self.rs, self.rruns = _pad(rs, rruns, self.reduced_rank)
        runs, size = (self.rruns, self.rs[-1]) if self.layout == "row" else (self.kruns, self.ks[-1])
        self.classes = tuple("c" if size == 1 else {0: "b", 1: "c"}.get(r[-1], "s") for r in runs)
        self.key = (self.layout, self.kept_rank, self.reduced_rank, self.classes)

    def numbers(self, names):
        """{name of a C parameter: number}: sizes and strides of the operands with these names."""
        found = {}
        for p, dims, runs in (("k", self.ks, self.kruns), ("r", self.rs, self.rruns)):
            found.update((f"{p}d{r}", n) for r, n in enumerate(dims))
            for name, run in zip(names, runs, strict=True):
                found.update((f"{name}_{p}s{r}", s) for r, s in enumerate(run))
        return found

    def splits(self, units, count):
        """How many parts to cut the reduced range into so that every core has work.  Depends on sizes only."""
        groups = self.profile.groups if self.profile.style == "cpu" else 4 * self.profile.groups
        worth = count // self.constants.GRAIN
        if self.layout == "col" and self.profile.style == "cpu":
            worth = min(units * count // self.constants.GRAIN // 4, count // TALL)
        elif self.layout == "col":
            worth = count // DEEP
        return max(1, min(groups // max(self._groups(units), 1), worth))

    def columns(self):
        """How many columns a cpu work-group sums side by side: as many as fit when the input is not in the cache."""
        if self.layout == "row" or self.profile.style == "gpu":
            return 1
        narrow = -(-self.ks[-1] // self.profile.groups)
        return min(self.constants.W, max(64, -(-narrow // 64) * 64) if self.near else self.ks[-1])

    @property
    def side(self):
        """Columns of a gpu work-group."""
        return min(SIDE, self.constants.WGS)

    def _groups(self, units):
        if self.layout == "row":
            return units
        if self.profile.style == "cpu":
            return units // self.ks[-1] * -(-self.ks[-1] // self.columns())
        return -(-units // self.side)

    def work_groups(self, units, splits):
        """How many work-groups of the cpu style share the results."""
        most = max(1, self.profile.groups // splits)
        work = max(1, units * math.prod(self.rs) // self.constants.GRAIN)
        return max(1, min(self._groups(units), most, work))


def _steps_of_whole(kruns, rruns):
    """The shortest innermost strides, kept and reduced, of operands that vary along both: those have the most to read."""
    steps = [(k[-1], r[-1]) for k, r in zip(kruns, rruns, strict=True)]
    whole = [s for s in steps if all(s)] or steps
    return tuple(min(filter(None, each), default=0) for each in zip(*whole, strict=True))


def _pad(dims, runs, rank):
    missing = rank - len(dims)
    return (1,) * missing + tuple(dims), [(0,) * missing + tuple(r) for r in runs]


def reduction(name, **options):
    """Declare a reduction; see Reduction."""
    return Reduction(name, **options)
