"""Passes: what each makes of small graphs, which are recorded on the meta device: nothing is run."""

import pytest

import cltensor as ct
from cltensor.graph.grouping import grouped
from cltensor.graph.memory import assign_buffers
from cltensor.graph.passes import optimized
from cltensor.graph.passes.algebra import simplify
from cltensor.graph.passes.casts import gather_casts
from cltensor.graph.passes.common_subexpressions import merge_common
from cltensor.graph.passes.constants import fold_constants
from cltensor.graph.passes.copies import forward_copies, join_parts, read_originals
from cltensor.graph.passes.dead_code import drop_dead
from cltensor.graph.passes.epilogues import fuse_epilogues
from cltensor.graph.passes.fusion import fuse_elementwise
from cltensor.graph.passes.reductions import absorb_into_reductions
from cltensor.graph.passes.sums import merge_sums, split_sums
from cltensor.graph.recorder import GraphRecorder
from cltensor.graph.strides import relaid
from cltensor.graph.structure import flatten
from cltensor.nn import functional as F


def recorded(fn, *shapes, **options):
    """The Graph of fn called on tensors of these shapes."""
    tensors = [ct.empty(s, device="meta", **options) for s in shapes]
    with GraphRecorder(tensors) as recorder:
        outputs = [x for x in flatten(fn(*tensors))[0] if isinstance(x, ct.Tensor)]
        assert recorder.failure is None
        return recorder.graph(outputs)


def names(graph):
    """The names of the ops, in order."""
    return [n.op.name for n in graph.nodes]


def test_dead_code():
    def f(x):
        x.exp()
        y = x.sin()
        x.cos().add_(y)
        return y

    assert names(drop_dead(recorded(f, (3,)))) == ["sin"]


def test_what_is_written_to_from_outside_is_no_dead_code():
    assert names(drop_dead(recorded(lambda x: [x.mul_(2)][1:], (3,)))) == ["mul"]


def test_equal_work_is_done_once():
    def f(x):
        return (x.exp() + 1) * (x.exp() + 1)

    assert names(drop_dead(merge_common(recorded(f, (3,))))) == ["exp", "add", "mul"]


def test_what_is_overwritten_is_not_shared():
    def f(x):
        a, b = x.exp(), x.exp()
        return a.add_(1), b.sum()

    assert names(merge_common(recorded(f, (3,)))).count("exp") == 2


def test_numbers_that_print_alike_are_not_equal():
    assert names(merge_common(recorded(lambda x: (x / 0.0, x / -0.0), (3,)))) == ["div", "div"]


def test_chains_of_elementwise_ops():
    graph = fuse_elementwise(recorded(lambda x, y: ((x + y).relu() * 2, y.exp()), (3, 4), (4,)))
    assert names(graph) == ["fused_add_relu_mul", "exp"]
    assert len(graph.nodes[0].uses) == 2


@pytest.mark.parametrize("fn", [
    lambda x: x.exp().t() + x,  # read in another order
    lambda x: x.exp().sum() + x,  # a reduction between
    lambda x: x.exp().double() * 2,  # another dtype
])
def test_what_is_not_read_element_for_element_stays_apart(fn):
    assert "exp" in names(fuse_elementwise(recorded(fn, (3, 3))))


def test_a_write_between_keeps_its_place():
    def f(x):
        y = x + 1
        x.mul_(2)
        return y * 3

    assert names(fuse_elementwise(recorded(f, (3,)))) == ["add", "mul", "mul"]


@pytest.mark.parametrize("write", [
    lambda x, at, new: x.index_copy_(0, at, new),
    lambda x, at, new: x.index_add_(0, at, new),
    lambda x, at, new: x.scatter_(0, at.view(2, 1).expand(2, 3), new),
    lambda x, at, new: x.__setitem__(at, new),
    lambda x, at, new: x[None].index_copy_(1, at, new[None]),
])
def test_a_part_that_is_overwritten_is_written_alone(write):
    def f(x, new):
        write(x, ct.zeros(2, dtype=ct.int64, device="meta"), new)
        return x.exp()

    found = forward_copies(recorded(f, (5, 3), (2, 3)))
    assert "copy" not in names(found)[2:]
    assert any(name.endswith("_") for name in names(found))


def _changed_between(x, at):
    y = x.index_copy(0, at, x.new_ones(2, 3))
    x.mul_(2)
    x.copy_(y)


@pytest.mark.parametrize("fn", [
    lambda x, at: x.index_copy_(0, at, x[1:3]),  # what is written lies in what is overwritten
    lambda x, at: x.t().index_copy_(1, at, x.new_ones(3, 2)),  # laid out otherwise than the result
    _changed_between,
])
def test_a_part_that_must_not_be_written_alone(fn):
    found = recorded(lambda x: fn(x, ct.zeros(2, dtype=ct.int64, device="meta")), (5, 3))
    assert not any(name.endswith("_") for name in names(forward_copies(found)))


def test_constants():
    graph = fold_constants(recorded(lambda x: (x @ ct.ones(3, 3, device="meta").exp(), x + 1), (2, 3)))
    assert names(graph) == ["matmul", "add"]
    assert [n.op.name for n in graph.once] == ["full", "exp"]


def test_a_constant_that_is_written_or_returned_is_made_anew():
    def f(x):
        y = ct.ones(3, device="meta")
        return y.add_(x), ct.zeros(3, device="meta")

    assert not fold_constants(recorded(f, (3,))).once


def test_constants_have_memory_of_their_own():
    graph = fold_constants(recorded(lambda x: ((x + 1) @ ct.ones(3, 3, device="meta")).sum(), (2, 3)))
    slots, _ = assign_buffers(graph)
    assert not {v.block for n in graph.once for v in n.writes()} & set(slots)


@pytest.mark.parametrize(("fn", "expected"), [
    (lambda x, w: F.linear(x, w).relu(), ["linear_relu"]),
    (lambda x, w: F.linear(x, w) + x, ["linear_add"]),
    (lambda x, w: ((x @ w) * 2 + 1).exp(), ["matmul_fused_mul_add_exp"]),
    (lambda x, w: F.layer_norm(x, (4,)).relu(), ["norm_forward_relu"]),
    (lambda x, w: F.layer_norm(x, (4,)) + x.t(), ["norm_forward", "add"]),  # lies otherwise
    (lambda x, w: (x @ w).double() * 2, ["matmul", "copy", "mul"]),
])
def test_epilogues(fn, expected):
    assert names(fuse_epilogues(fuse_elementwise(recorded(fn, (4, 4), (4, 4))))) == expected


def test_an_epilogue_keeps_what_is_read_later():
    def f(x, w):
        y = x @ w
        return y.relu(), y.sum()

    graph = fuse_epilogues(recorded(f, (2, 3), (3, 4)))
    assert names(graph) == ["matmul_relu", "sum_reduce"]
    assert len(graph.nodes[0].results) == 2


def test_no_epilogue_over_a_write_to_an_operand():
    def f(x, w):
        y = x @ w
        x.zero_()
        return y + x

    assert names(fuse_epilogues(recorded(f, (3, 3), (3, 3)))) == ["matmul", "full", "add"]


@pytest.mark.parametrize(("fn", "expected"), [
    (lambda x, y: ((x - y) * (x - y)).mean(), ["mean_reduce_of_fused_sub_mul"]),
    (lambda x, y: (x.exp() * 2 + y).sum(0), ["sum_reduce_of_fused_exp_mul_add"]),
    (lambda x, y: (x * y).argmax(1), ["argmax_reduce_of_mul"]),
    (lambda x, y: (x > y).sum(), ["gt", "sum_reduce"]),  # of another dtype
])
def test_reductions_of_expressions(fn, expected):
    assert names(absorb_into_reductions(fuse_elementwise(recorded(fn, (3, 4), (4,))))) == expected


def test_what_is_read_elsewhere_is_not_absorbed():
    def f(x):
        y = x.exp()
        return y.sum(), y

    assert names(absorb_into_reductions(recorded(f, (3, 4)))) == ["exp", "sum_reduce"]


def test_sums_over_rows_share_launches():
    def f(*given):
        return [x.sum(0) for x in given]

    graph = merge_sums(recorded(f, (3, 4), (5, 6), (2, 3, 4)))
    assert names(graph) == ["column_sums"]
    assert len(graph.nodes[0].results) == 3
    assert len(merge_sums(recorded(f, *[(3, 4)] * 19)).nodes) == 2


def test_a_sum_of_a_sum_runs_after_it():
    def f(x, y):
        a = x.sum(0)
        return a, a.sum(0), y.sum(0)

    assert len(merge_sums(recorded(f, (3, 4, 5), (2, 3))).nodes) == 2


def test_rows_of_sums_are_written_where_they_are_copied_to():
    def f(x):
        s = x.sum(1)
        return s[0].clone(), s[1].clone()

    assert names(split_sums(recorded(f, (2, 5, 3)))) == ["sum_reduce", "sum_reduce"]


def test_copies():
    graph = forward_copies(recorded(lambda x: (x + 1).t().contiguous().view(6), (2, 3)))
    assert names(graph) == ["add"]
    assert graph.nodes[0].results[0].use.spec.strides == (1, 2)


def test_a_copy_into_a_part():
    def f(x):
        y = ct.zeros(2, 6, device="meta")
        y[:, 2:5].copy_(x * 2)
        return y

    graph = forward_copies(recorded(f, (2, 3)))
    assert names(graph) == ["full", "mul"]
    assert graph.nodes[1].results[0].old is not None


@pytest.mark.parametrize(("fn", "expected"), [
    (lambda x: x * 1 + x, ["add"]), (lambda x: (x * -1).exp(), ["mul", "exp"]), (lambda x: x**2, ["pow"]),
    (lambda x: x / 1, ["copy"]), (lambda x: x + 0.0, ["add"]),
])
def test_algebra(fn, expected):
    assert names(drop_dead(read_originals(simplify(recorded(fn, (3,)))))) == expected


def test_algebra_makes_expressions_cheaper():
    node, = simplify(recorded(lambda x: x**2, (3,))).nodes
    assert repr(node.op.exprs[0]).count("mul") == 1
    assert len(node.operands) == 1


@pytest.mark.parametrize(("fn", "expected"), [
    (lambda x, w: x.t().contiguous() @ w, ["matmul"]),
    (lambda x, w: x.t().contiguous().view(-1) * 2, ["copy", "mul"]),  # no view of x is laid out so
    (lambda x, w: x.t().contiguous().sum(0), ["sum_reduce"]),
    (lambda x, w: (y := x.t().contiguous(), x.zero_(), y * 2)[2:], ["copy", "full", "mul"]),  # written to between
])
def test_copies_that_are_read_once(fn, expected):
    assert names(read_originals(recorded(fn, (3, 3), (3, 3)))) == expected


def test_a_copy_of_what_is_returned_stays():
    assert names(forward_copies(recorded(lambda x: (y := x + 1, y.t().contiguous()), (2, 3)))) == ["add", "copy"]


def test_gradients_of_pieces_are_written_to_one_tensor():
    def f(x, w):
        a, b, c = (x * 1).chunk(3, 1)
        return ct.autograd.grad((a.exp() + b.sin() * c).sum(), x)

    graph = drop_dead(join_parts(fuse_elementwise(recorded(f, (2, 6), (1,), requires_grad=True))))
    assert "fused_add" not in names(graph)
    assert names(graph).count("full") == 1  # the gradient of the sum


def test_pieces_that_overlap_are_added_up():
    def f(x, w):
        a, b = x[:, :4] * 2, x[:, 2:] * 3
        return ct.autograd.grad((a + b).sum(), x)

    graph = join_parts(fuse_elementwise(recorded(f, (2, 6), (1,), requires_grad=True)))
    assert any("add" in n for n in names(graph))


@pytest.mark.parametrize(("own", "view", "target", "expected"), [
    ((2, 3), lambda x: x.t(), (1, 3), (3, 1)),
    ((2, 3), lambda x: x.view(6), (2,), (6, 2)),
    ((6,), lambda x: x.view(2, 3), (10, 1), None),  # two strides for one dimension
    ((2, 3, 4), lambda x: x.view(2, 12), (24, 1), (24, 4, 1)),
    ((4, 6), lambda x: x.view(2, 2, 6), (100, 50, 1), (50, 1)),
    ((4, 6), lambda x: x.view(2, 2, 6), (100, 7, 1), None),
    ((1, 5), lambda x: x.view(5, 1), (3, 9), (1, 3)),
])
def test_layouts_by_way_of_a_view(own, view, target, expected):
    x = ct.empty(own, device="meta")
    with GraphRecorder([x]) as recorder:
        use = recorder.use(view(x))
    assert relaid(x._spec, use, target) == expected


def test_a_training_step_of_attention_is_fused():
    """The passes together: less than half of the nodes."""
    def f(x, q, w, v):
        y = F.layer_norm(x, (8,))
        a, b, c = F.linear(y, q).chunk(3, -1)
        h = F.scaled_dot_product_attention(*(t.view(2, 4, 2, 4).transpose(1, 2) for t in (a, b, c)))
        x = x + F.linear(h.transpose(1, 2).reshape(2, 4, 8), w)
        return ct.autograd.grad((F.gelu(F.linear(x, v)) ** 2).mean(), (q, w, v))

    graph = recorded(f, (2, 4, 8), (24, 8), (8, 8), (8, 8), requires_grad=True)
    assert len(optimized(graph).nodes) < len(graph.nodes) / 2


def casting(x, *weights):
    """Products in bfloat16 of weights cast right before their use, and results cast back."""
    made = [x.bfloat16() @ w.bfloat16() for w in weights]
    return tuple(m.float() for m in made)


def test_casts_of_parameters_share_a_launch():
    weights = [ct.ones(3, 4, device="meta"), ct.ones(3, 5, device="meta"), ct.ones(3, 6, device="meta")]
    graph = gather_casts(recorded(lambda x: casting(x + 1, *weights), (2, 3)))
    groups = [len(g) for g in grouped(graph.nodes)]
    assert names(graph)[:3] == ["copy"] * 3
    assert groups[:3] == [1, 4, 1]  # x + 1, then its cast beside those of the weights, then a product
    assert 1 < groups[-1] <= 3  # what is cast back
    assert all(len(g) == 1 for g in grouped(graph.nodes, copies=False))


def test_what_is_written_to_before_is_cast_there():
    weights = [ct.ones(3, 4, device="meta"), ct.ones(3, 5, device="meta"), ct.ones(3, 6, device="meta")]

    def f(x):
        weights[1].add_(1)
        return casting(x, *weights)

    graph = gather_casts(recorded(f, (2, 3)))
    assert names(graph)[:3] == ["copy", "copy", "add"]


def test_what_shares_a_launch_shares_no_memory():
    graph = recorded(lambda x: tuple((x * i).bfloat16().exp() for i in range(4)), (2, 3))
    copies = [n for n in graph.nodes if n.op.name == "copy"]
    others = [n for n in graph.nodes if n.op.name == "mul"], [n for n in graph.nodes if n.op.name == "exp"]
    groups = [*([n] for n in others[0]), copies, *([n] for n in others[1])]
    slots, _ = assign_buffers(graph, groups)
    used = [slots[v.block] for n in copies for v in (*n.reads(), *n.writes())]
    assert len(set(used)) == len(used) == 8
