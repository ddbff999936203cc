"""ColumnSums: the sums over the rows of several matrices in one launch (template column_sums); an op of captured programs."""

from ...base.shapes import collapse
from ...codegen.templates import render
from ...dispatch.plan import In, Out, Plan
from ..kinds.fold import placeholder
from ..kinds.launch import step

MOST = 18  # matrices of one launch: as many as 1,024 bytes of arguments hold, which every driver takes
_COUNTS = (2, 6, MOST)  # few, since each is a kernel
WIDTH = 64  # columns of a block
GRAIN = 1 << 14  # elements per work-group of the cpu style


class ColumnSums:
    """An op of any number of matrices, at most MOST."""

    name, kind, finishing, reports_faults, strided = "column_sums", "kernel", None, False, False

    def __init__(self):
        self.plans = {}

    def flops(self, specs, outs, attrs):
        """See Op: an addition for each element."""
        return sum(s.numel for s in specs)

    def plan(self, specs, attrs):
        """The Plan for the Specs of the matrices; attrs: (the rows_of each, results' Specs)."""
        geometries, outs = attrs
        device, dtype = specs[0].device, specs[0].dtype
        profile, count = device.profile, next(n for n in _COUNTS if n >= len(specs))
        given, idle = {}, placeholder(device)
        for i, numbers in enumerate([*geometries, *[(0, 0, 0)] * (count - len(specs))]):
            given.update(zip((f"rows{i}", f"stride{i}", f"columns{i}"), numbers, strict=True))
            given[f"x{i}"], given[f"y{i}"] = (In(i), Out(i)) if i < len(specs) else (idle, idle)
        width = WIDTH if profile.style == "cpu" else min(64, profile.work_group)
        groups = min(sum(-(-columns // width) for _, _, columns in geometries), 4096)
        if profile.style == "cpu":
            groups = max(1, min(profile.groups, groups, sum(rows * columns for rows, _, columns in geometries) // GRAIN))
        source = render("column_sums", style=profile.style, dtype=dtype, matrices=count, W=WIDTH, WGS=width)
        return Plan(device, specs, outs, [step(source, **given, groups=groups)])


COLUMN_SUMS = ColumnSums()


def rows_of(spec, dims):
    """(rows, distance between rows, columns) of a tensor that is summed over its first dimensions; None if it is no matrix."""
    n = len(dims)
    if dims != tuple(range(n)) or n == spec.ndim or not spec.numel:
        return None
    rows, (step,) = collapse(spec.shape[:n], spec.strides[:n])
    columns, (along,) = collapse(spec.shape[n:], spec.strides[n:])
    if len(rows) > 1 or len(columns) > 1 or (along and along[0] != 1):
        return None
    return (*rows, 1)[0], (*step, 0)[0], (*columns, 1)[0]
