"""Epilogues: an elementwise node that reads the result of a product becomes part of the product's launch."""

from ...codegen import expr
from ...ops.gemm.fused import FusedProduct, along
from ..ir import Node, Origin, Use
from .fusion import compute_dtype

#: further operands and results of one kernel
OPERANDS = 6


def fuse_epilogues(graph):
    """The graph with elementwise nodes merged into the products they read, where those may run as late."""
    nodes, wanted = list(graph.nodes), graph.wanted()
    made, readers = {}, {}
    for i, node in enumerate(nodes):
        for value in node.reads():
            readers.setdefault(value, []).append(i)
        made.update((value, i) for value in node.writes())
    for j, node in enumerate(nodes):
        dtype = compute_dtype(node)
        if dtype is None or node.op.exempt or any(u.spec.dtype is not dtype for u in node.uses):
            continue
        for i in sorted({made[u.value] for u in node.uses if u.value in made}, reverse=True):
            merged = _merged(nodes, i, j, wanted, readers)
            if merged is not None:
                nodes[i], nodes[j] = None, merged
                for value in merged.reads():
                    readers[value] = [j if r == i else r for r in readers[value]]
                made.update((value, j) for value in merged.writes())
                break
    return graph.with_nodes(n for n in nodes if n is not None)


def _merged(nodes, i, j, wanted, readers):
    """The Node that does what nodes i, a product, and j, elementwise, do; None if there is none."""
    first, last = nodes[i], nodes[j]
    if first is None or getattr(first.op, "product", None) is None or len(first.results) != 1:
        return None
    result, = first.results
    value, spec = result.use.value, result.use.spec
    if result.old is not None or value.block.origin is not Origin.MADE or spec.dtype is not last.results[0].use.spec.dtype:
        return None
    if spec.ndim < 2 or any(u.spec.ndim < 2 for u in first.uses[:2]) or not _free(nodes, i, j, value):
        return None
    if not all(u.is_at(result.use) for u in last.uses if u.value == value):
        return None
    kept = value in wanted or any(r != j for r in readers[value])
    return _node(first, last, result, kept)


def _free(nodes, i, j, value):
    """Whether node i may run at j: what lies between neither reads its result, nor touches that block, nor what it reads."""
    read = {v.block for v in nodes[i].reads()}
    for node in nodes[i + 1 : j]:
        if node is None:
            continue
        if value.block in {v.block for v in (*node.reads(), *node.writes())}:
            return False
        if not read.isdisjoint(v.block for v in node.writes()):
            return False
    return read.isdisjoint(v.block for v in nodes[j].writes())


def _node(first, last, result, kept):
    others, given, numbers, names = {}, {}, [], []
    for name, operand in zip(last.op.inputs, last.operands, strict=True):
        if isinstance(operand, Use):
            found = "total" if operand.value == result.use.value else others.setdefault(operand, f"x{len(others)}")
        else:
            found = f"s{len(numbers)}"
            numbers.append(operand)
        given[name] = expr.Input(found)
    for name, number in zip(last.op.attr_names, last.numbers, strict=True):
        given[name] = expr.Input(f"s{len(numbers)}")
        numbers.append(number)
    exprs = expr.substitute(last.op.exprs, given)
    stored = list(zip(exprs, last.results, strict=True))
    if kept:
        stored.append((expr.Input("total"), result))
    stored.sort(key=lambda pair: not pair[1].use.spec.contiguous)
    outs = tuple(r.use.spec for _, r in stored)
    names = [f"s{k}" for k in range(len(numbers))]
    op = FusedProduct(first.op, tuple(e for e, _ in stored), "total", list(others.values()), names,
                      f"{first.op.name}_{last.op.name}")
    if not outs[0].contiguous or len(others) + len(stored) > OPERANDS or not _fits(first, last, result, others, outs):
        return None
    return Node(op, (*first.operands, *others), (*first.attrs, outs), tuple(numbers), tuple(r for _, r in stored))


def _fits(first, last, result, others, outs):
    """Whether each operand can be walked along the product's rows and columns, and lies apart from what is written."""
    shape = result.use.spec.shape
    written = [r.use for r in last.results]
    if any(o.shape != shape for o in outs) or any(r.old is not None and not r.use.is_at(result.use) for r in last.results):
        return False
    if any(u.meets(w) and not u.is_at(w) for u in others for w in written):
        return False
    product = first.op.product(tuple(None if o is None else o.spec for o in first.operands), (result.use.spec,),
                               **dict(zip(first.op.attr_names, first.attrs, strict=True)))
    return not product.scalars and all(along(product, shape, s) is not None for s in (*(u.spec for u in others), *outs))
