"""Attention that never stores the whole score matrix, and its gradients (template attention)."""

import math

import numpy as np

from ...base.errors import ShapeError
from ...codegen.templates import render
from ...codegen.types import NUMPY_OF, compute_type
from ...dispatch.plan import In, Out, Scratch
from ...dispatch.spec import dense
from ..kinds.kernel import Kernel
from ..kinds.launch import compute_dtype, cpu_groups, step
from . import onnx_rules

BLOCK = 32  # rows and keys of a block in the cpu style
FEW, KEYS = 8, 64  # heads of at most FEW rows are computed row by row in the cpu style, in blocks of KEYS keys
LOCAL = 4096  # elements of local memory for the rows that a gpu work-group shares


def fits(device, width, value_width):
    """Whether a head this wide fits the kernels: private arrays on a cpu, registers and local memory on a gpu."""
    return 0 < max(width, value_width) <= (256 if device.profile.style == "cpu" else 128)


class _Masked(Kernel):
    """A kernel op on floating tensors, one of which may be a bool mask."""

    def check_dtypes(self, specs):
        super().check_dtypes([s for s in specs if s.dtype.category != "bool"])


def _shape(q, k, v, mask, *, scale, causal):
    for name, x in (("q", q), ("k", k), ("v", v)):
        if x.ndim != 4 or (x.strides[3] != 1 and x.shape[3] != 1):
            raise ShapeError(f"attention: {name} {tuple(x.shape)} with strides {x.strides} needs 4 dimensions, the last contiguous")
    y, row = q.dense((*q.shape[:3], v.shape[3])), dense(q.shape[:3], compute_dtype(q.dtype), q.device)
    return y, row, row


def _render(form, q, v, mask, causal):
    profile, wide = q.device.profile, compute_type(q.dtype) == "double"
    E, EV = q.shape[3], v.shape[3]
    shared = E + EV + 2
    kind = None if mask is None else "bool" if mask.dtype.category == "bool" else mask.dtype.name
    single = _single(form, q)
    keys = max(1, min(32, LOCAL // shared)) if profile.style == "gpu" else KEYS if single else BLOCK
    long_vectors = profile.vector_width == 16 and not (E % BLOCK or EV % BLOCK)  # rows are padded to two vectors
    return render("attention", style=profile.style, dtype=q.dtype, form=form, mask=kind, causal=causal, E=E, EV=EV,
                  BR=1 if single else BLOCK, BC=keys, V=(8 if wide else 16) if long_vectors else (4 if wide else 8),
                  WGS=min(64, profile.max_work_group))


def _single(form, q):
    """Whether rows are computed one by one: where a block would be nearly empty."""
    return form == "forward" and q.device.profile.style == "cpu" and q.shape[2] <= FEW


def _laid(buffers, specs):
    """{name: argument}: buffers by name, and the strides that their Specs have."""
    given = {f"{x}_p": b for x, b in buffers.items()}
    for x, s in specs.items():
        given.update(zip((f"{x}_n", f"{x}_h", f"{x}_r"), s.strides, strict=False))
    return given


def _mask_arguments(i, mask, shape):
    """A mask and its strides over (N, H, L, S): 0 in broadcast dimensions."""
    if mask is None:
        return {}
    strides = [0 if n == 1 else s for n, s in zip(mask.shape, mask.strides, strict=True)]
    return {"m_p": In(i), **dict(zip(("m_n", "m_h", "m_r", "m_c"), (*(0,) * (len(shape) - mask.ndim), *strides), strict=True))}


def _sizes(q, k, scale):
    N, H, L, _ = q.shape
    return {"planes": N * H, "H": H, "L": L, "S": k.shape[2], "scale": getattr(np, NUMPY_OF[compute_type(q.dtype)])(scale)}


def _launch(inputs, outputs, *, scale, causal):
    q, k, v, mask = inputs
    N, H, L, _ = q.shape
    given = _laid({"q": In(0), "k": In(1), "v": In(2), "y": Out(0), "lse": Out(1), "rest": Out(2)},
                  {"q": q, "k": k, "v": v, "y": outputs[0]})
    given |= _mask_arguments(3, mask, (N, H, L, k.shape[2])) | _sizes(q, k, scale)
    return [step(_render("forward", q, v, mask, causal), **given,
                 groups=cpu_groups(q.device, N * H * (L if _single("forward", q) else -(-L // BLOCK))))]


def _gradient_shape(g, g_lse, q, k, v, mask, y, lse, rest, *, scale, causal):
    return q.dense(), k.dense(), v.dense()


def _gradient_launch(inputs, outputs, *, scale, causal):
    """On a cpu one launch; on a gpu one for gq and one for gk and gv, and g_lse holds sum(g * y) - g_lse."""
    g, _, q, k, v, mask, y, *_ = inputs
    N, H, L, E = q.shape
    given = _laid({"g": In(0), "q": In(2), "k": In(3), "v": In(4), "y": In(6), "lse": In(7), "rest": In(8),
                   "gq": Out(0), "gk": Out(1), "gv": Out(2)},
                  {"g": g, "q": q, "k": k, "v": v, "y": y, **dict(zip(("gq", "gk", "gv"), outputs, strict=True))})
    given |= _mask_arguments(5, mask, (N, H, L, k.shape[2])) | _sizes(q, k, scale)
    if q.device.profile.style == "gpu":
        return [step(_render(form, q, v, mask, causal), **given, delta_p=In(1)) for form in ("queries", "keys")]
    groups, size = cpu_groups(q.device, N * H), compute_dtype(q.dtype).itemsize
    unit = 32 // size * 2
    width = sum(-(-n // unit) * unit for n in (E, v.shape[3]))
    scratch = Scratch(groups * -(-k.shape[2] // BLOCK) * BLOCK * width * size)
    return [step(_render("backward", q, v, mask, causal), **given, gl_p=In(1), scratch=scratch, groups=groups)]


def _work(scores, values):
    """The work of so many products with the width of scores and of values; a causal mask leaves half of it."""
    def work(specs, outs, *, scale, causal):
        q, k, v = specs[: 3] if len(specs) == 4 else specs[2: 5]
        both = 2 * q.numel // max(q.shape[3], 1) * k.shape[2] * (scores * q.shape[3] + values * v.shape[3])
        return both // 2 if causal else both

    return work


def reference(q, k, v, mask, *, scale, causal):
    """NumPy: (y, lse, rest)."""
    scores = np.einsum("nhle,nhse->nhls", q, k) * scale
    if mask is not None:
        scores = np.where(mask, scores, -np.inf) if mask.dtype == bool else scores + mask
    if causal:
        scores = np.where(np.tri(*scores.shape[2:], dtype=bool), scores, -np.inf)
    lse = np.logaddexp.reduce(scores, -1)
    with np.errstate(invalid="ignore"):
        weights = np.exp(scores - lse[..., None])
    return np.where(np.isneginf(lse)[..., None], 0, weights) @ v, lse, np.zeros(lse.shape)


def samples(rng):
    """Samples: rows that end inside a block, narrow heads, and each kind of mask."""
    def drawn(*shape):
        return rng.uniform(-1, 1, shape)

    def parts():
        return drawn(1, 2, 3, 3), drawn(1, 2, 5, 3), drawn(1, 2, 5, 2)

    return [((*parts(), None), {"scale": 0.7, "causal": False}), ((*parts(), None), {"scale": 1 / math.sqrt(3), "causal": True}),
            ((*parts(), np.array([[1, 0, 1, 0, 1], [0, 1, 1, 1, 0], [0, 0, 0, 0, 1]], bool)), {"scale": 1.0, "causal": False})]


attention_forward = _Masked(
    "attention_forward", onnx=onnx_rules.attention, shape=_shape, launch=_launch, work=_work(1, 1), products=True,
    strided=True, dtypes="floating", public=False,
    ref=reference, samples=samples,
    doc="""(softmax(scale * q k^T + mask) v, logarithms of the rows' sums of exponentials, what rounding cut off those) of heads
    q (N, H, L, E), k (N, H, S, E), v (N, H, S, EV); mask None, bool or added, broadcast to (N, H, L, S).
    Source: Milakov and Gimelshein 2018, Dao et al. 2022.""")

attention_backward = _Masked(
    "attention_backward", shape=_gradient_shape, launch=_gradient_launch, work=_work(3, 2), products=True,
    strided=True, dtypes="floating",
    public=False,
    doc="Gradients of attention_forward's q, k and v from those of its results, recomputing the scores block by block.")
