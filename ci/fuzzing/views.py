"""Random views and indices of a shape, as the text that follows a tensor's name."""

import math


def view(rng, of_shape):
    """A view of a tensor of one shape, e.g. ".transpose(0, 1)" or "[:, ::2]"."""
    if not of_shape:
        return rng.choice((".unsqueeze(0)", "[None]", "[...]", ".expand(3)", ".view(1, 1)", ".squeeze()"))
    return rng.choice(_VIEWS)(rng, of_shape)


def suits(text, facts):
    """Whether a view of a tensor is defined: as_strided reads memory, and only row-major results are laid out by a rule."""
    return facts.row_major or ".as_strided" not in text


def basic(rng, of_shape):
    """Slices, numbers, None and an ellipsis, at least one."""
    parts = []
    for n in of_shape[: rng.randint(1, len(of_shape))] if of_shape else ():
        parts.append(_slice(rng, n) if rng.random() < 0.75 or n == 0 else str(rng.randrange(-n, n)))
    if rng.random() < 0.15:
        parts.insert(rng.randrange(len(parts) + 1), "None")
    if rng.random() < 0.2 or not parts:
        parts.insert(0 if rng.random() < 0.5 and len(parts) < len(of_shape) else len(parts), "...")
    return f"[{', '.join(parts)}]"


def advanced(rng, of_shape, distinct=False):
    """An index with lists, index tensors or masks in it; `distinct` never names one place twice."""
    if not of_shape:
        return rng.choice(("[ct.tensor(True)]", "[ct.tensor(False)]", "[None, ct.tensor(True)]", "[...]"))
    if rng.random() < 0.2:
        kept = of_shape[: rng.randint(1, len(of_shape))]
        return f"[{_mask(rng, kept)}]"
    if rng.random() < 0.05:
        return f"[ct.tensor({rng.random() < 0.5})]"
    parts, common = [], rng.choice(((), (2,), (3,), (1,), (2, 1), (2, 2)))
    for n in of_shape[: rng.randint(1, len(of_shape))]:
        if n == 0 or rng.random() < 0.4:
            parts.append(_slice(rng, n))
        elif rng.random() < 0.1:
            parts.append(str(rng.randrange(-n, n)))
        else:
            parts.append(_numbers(rng, n, common, distinct))
    if rng.random() < 0.1:
        parts.insert(rng.randrange(len(parts) + 1), "None")
    if len(parts) < len(of_shape) and rng.random() < 0.15:
        parts.insert(rng.randrange(len(parts) + 1), "...")
    return f"[{', '.join(parts)}{',' if len(parts) == 1 and parts[0].startswith('[') else ''}]"


def dim(rng, ndim):
    """A dimension, counted from either end; seldom one that does not exist."""
    if rng.random() < 0.01:
        return rng.choice((ndim + 1, -ndim - 2))
    return rng.randrange(-ndim, ndim) if ndim else rng.choice((0, -1))


def _numbers(rng, n, common, distinct):
    """An index of one dimension: a list or a tensor of numbers, all of one shape, or a single one."""
    count = math.prod(common)
    if distinct and n < count:
        return str(rng.randrange(-n, n))
    picked = rng.sample(range(n), count) if distinct else [rng.randrange(-n, n) for _ in range(count)]
    if len(common) == 1 and rng.random() < 0.4:
        return str(picked)
    dtype = rng.choice(("", "", ", dtype=ct.int32"))
    return f"ct.tensor({picked}{dtype}).reshape({common})" if len(common) != 1 else f"ct.tensor({picked}{dtype})"


def _mask(rng, of_shape):
    flat = [rng.random() < 0.6 for _ in range(math.prod(of_shape))]
    if len(of_shape) == 1:
        return f"ct.tensor({flat}, dtype=ct.bool)"
    return f"ct.tensor({flat}, dtype=ct.bool).reshape({of_shape})"


def _slice(rng, n):
    if rng.random() < 0.25:
        return ":"
    if rng.random() < 0.4:
        return rng.choice(("::2", "1::2", "::3", ":-1", "1:"))
    start = rng.randint(0, n)
    stop = rng.randint(start, n + 1)
    step = rng.choice(("", "", ":2"))
    return f"{start if rng.random() < .7 else start - n - 1 if start < n else ''}:{stop}{step}"


def _transpose(rng, s):
    return f".transpose({dim(rng, len(s))}, {dim(rng, len(s))})"


def _permute(rng, s):
    order = rng.sample(range(len(s)), len(s))
    return f".permute({', '.join(map(str, order))})"


def _expand(rng, s):
    sizes = [rng.choice((n, -1)) if n != 1 else rng.choice((1, 2, 3, -1)) for n in s]
    if rng.random() < 0.4:
        sizes.insert(0, rng.choice((1, 2, 3)))
    return f".expand({', '.join(map(str, sizes))})"


def _unfold(rng, s):
    d = rng.randrange(len(s))
    size = rng.randint(0, s[d]) if rng.random() < 0.1 else rng.randint(1, max(1, min(3, s[d])))
    return f".unfold({d}, {size}, {rng.choice((1, 1, 2, 3))})"


def _diagonal(rng, s):
    if len(s) < 2:
        return ".unsqueeze(-1)"
    one, other = rng.sample(range(len(s)), 2)
    return f".diagonal({rng.choice((0, 0, 1, -1))}, {one}, {other})"


def _as_strided(rng, s):
    room = math.prod(s)
    size = [rng.randint(1, 3) for _ in range(rng.randint(1, 3))]
    strides = [rng.randint(0 if rng.random() < 0.2 else 1, 3) for _ in size]
    if sum((n - 1) * t for n, t in zip(size, strides, strict=True)) >= room:
        return ".flatten()"
    return f".as_strided({tuple(size)}, {tuple(strides)})"


def _narrow(rng, s):
    d = rng.randrange(len(s))
    start = rng.randint(0, s[d])
    return f".narrow({d}, {start}, {rng.randint(0, s[d] - start)})"


def _select(rng, s):
    d = rng.randrange(len(s))
    return f".select({d}, {rng.randrange(-s[d], s[d])})" if s[d] else ".squeeze()"


def _squeeze(rng, s):
    return rng.choice((".squeeze()", f".squeeze({dim(rng, len(s))})"))


def _unsqueeze(rng, s):
    return f".unsqueeze({rng.randint(-len(s) - 1, len(s))})"


def _reshape(rng, s):
    return f".{rng.choice(('view', 'reshape'))}({', '.join(map(str, regrouped(rng, s)))})"


def regrouped(rng, s):
    """Another shape of the same number of elements, one size of it perhaps -1."""
    sizes, left = [], math.prod(s)
    if left == 0:
        return rng.sample(s, len(s))
    for _ in range(rng.randint(0, 3)):
        n = rng.choice([k for k in range(1, min(left, 12) + 1) if left % k == 0])
        sizes.append(n)
        left //= n
    sizes.insert(rng.randrange(len(sizes) + 1), -1 if rng.random() < 0.5 else left)
    return sizes


def _flatten(rng, s):
    first = rng.randrange(len(s))
    return f".flatten({first}, {rng.randrange(first, len(s))})"


def _movedim(rng, s):
    return f".{rng.choice(('movedim', 'swapaxes'))}({dim(rng, len(s))}, {dim(rng, len(s))})"


def _plain(rng, s):
    return rng.choice((".mT" if len(s) > 1 else "[...]", ".t()" if len(s) < 3 else "[:]", ".view(-1)", ".detach()"))


def _piece(rng, s):
    d, k = rng.randrange(len(s)), rng.randrange(2)
    return rng.choice((f".split({rng.choice((1, 2))}, {d})[{k}]", f".chunk(2, {d})[{k}]", f".unbind({d})[{k}]",
                       f".tensor_split(3, {d})[{k}]"))


_VIEWS = (basic, basic, _transpose, _permute, _expand, _unfold, _diagonal, _as_strided, _narrow, _select, _squeeze, _unsqueeze,
          basic, _reshape, _flatten, _movedim, _plain, _piece)
