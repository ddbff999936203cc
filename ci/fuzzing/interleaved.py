"""Statements that write one view of a tensor into another view of the same tensor."""

from . import leaves, views
from .fill import Unfit
from .program import Statement

#: ways to write to {a} from {b}; where the two share some elements but not all, PyTorch gets a clone of {b}
_WRITES = """
    {a} += {b} ; {a} -= {b} ; {a} *= {b} ; {a}.copy_({b}) ; {a}[...] = {b} ; {a}.add_({b}, alpha=2) ; {a}.addcmul_({b}, {b}) ;
    {a}.lerp_({b}, .5) ; ct.mul({b}, 2, out={a}) ; ct.add({b}, {b}, out={a}) ; ct.sub({a}, {b}, out={a}) ;
    ct.neg({b}, out={a}) ; ct.maximum({a}, {b}, out={a}) ; ct.where({b} > 0, {b}, {a}, out={a}) ; {a}.copysign_({b}) ;
    {a}.atan2_({b}) ; ct.exp({b}, out={a}) ; ct.clamp({b}, -1, 1, out={a}) ; {a}.add_({b}).mul_({b}) ;
    ct.cumsum({b}, 0, out={a}) ; {a}.sub_({b}.flip(0)) ; ct.cat(({b}[:1], {b}[1:]), out={a}) ; {a}.masked_fill_({b} > 0, 2) ;
    ct.addcmul({a}, {b}, {b}, out={a}) ; {a}.scatter_add_(0, ct.zeros({a}.shape, dtype=ct.int64), {b}) ;
    ct.matmul({b}, {b}, out={a}) ; ct.sort({b}, stable=True, out=({a}, ct.zeros({a}.shape, dtype=ct.int64))) ;
    {a}.index_copy_(0, ct.arange({a}.shape[0]), {b}) ;
    {a}.masked_scatter_({a} > 0, {b}) ; {a}.fmod_({b}) ; {a}.pow_(2).add_({b}) ; {a}.eq_({b})
"""
_PATTERNS = [" ".join(w.split()) for w in _WRITES.split(" ;")]

_FLAT = ("[:-1]", "[1:]", "[::2]", "[1::2]", "[: {h}]", "[{h}:]", "[:{h}].flip(0)", ".flip(0)", "[:-2:2]", "[2::2]")


def statement(writer):
    """A write to a view of a tensor from another view of it, of one shape.  Raises Unfit."""
    name, facts = writer.tensor(lambda f: f.ndim and f.size > 1 and not (f.leaf and f.requires_grad),
                                lambda: leaves.shape(writer.rng, writer.rng.choice((1, 1, 2, 2, 3))), viewed=0)
    for _ in range(25):
        a, b = (f"{name}{_view(writer.rng, facts.shape)}" for _ in range(2))
        target, source = writer.oracle.facts(a), writer.oracle.facts(b)
        if None in (target, source) or not views.suits(a + b, facts):
            continue
        if target.repeats or target.shape != source.shape or not target.size or a == b:
            continue
        lie = writer.oracle.overlap(a, b)
        if lie == "none" or writer.rng.random() < 0.3:
            pattern = writer.rng.choice(_PATTERNS)
            if "matmul" in pattern and (target.ndim != 2 or target.shape[0] != target.shape[1]):
                raise Unfit("the result would be of another shape")
            return _statement(pattern, a, b, lie, writer)
    raise Unfit("no two views of one shape")


def _statement(pattern, a, b, lie, writer):
    if pattern.startswith("{a} ") and a.endswith(")"):
        raise Unfit("Python assigns to no call")
    family, text = f"interleaved: {pattern}", pattern.replace("{a}", a).replace("{b}", b)
    if lie != "partly":
        return Statement(text, family, apart=((a, b),))
    if writer.refuses(text):
        return Statement(text, family)
    return Statement(text, family, pattern.replace("{a}", a).replace("{b}", f"{b}.clone()"))


def _view(rng, shape):
    """A view, mostly a slice of one dimension, since two such slices often have the same shape."""
    if rng.random() < 0.3:
        return views.view(rng, shape)
    dim = rng.randrange(len(shape))
    half = str(max(shape[dim] // 2, 1))
    flat = rng.choice(_FLAT).replace("{h}", half)
    return f"[{':, ' * dim}{flat[1:]}" if flat.startswith("[") and not flat.endswith(")") else f".transpose(0, {dim}){flat}"
