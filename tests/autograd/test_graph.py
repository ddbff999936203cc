"""autograd.graph: hooks on what is saved, edges, hooks over several tensors, writes to what is saved."""

import gc
import threading
import weakref

import numpy as np
import pytest

import cltensor as ct
from cltensor import autograd, nn
from cltensor.autograd import graph
from cltensor.utils.checkpoint import checkpoint

pytestmark = pytest.mark.device


def leaf(*values):
    return ct.tensor(values or (1.0, 2.0, 3.0), requires_grad=True)


def model_loss(x, w):
    y = nn.functional.softmax((x @ w).tanh(), -1)
    y = nn.functional.layer_norm(y, (y.shape[-1],))
    return (y * y).exp().sum() + nn.functional.cross_entropy(x @ w, ct.zeros(x.shape[0], dtype=ct.int64))


# --- hooks on saved tensors ----------------------------------------------------------------------------------------------------


def test_packed_tensors_give_the_same_gradients(rng):
    x, w = (ct.tensor(rng.standard_normal(s), dtype=ct.float32, requires_grad=True) for s in ((4, 5), (5, 3)))
    expected = autograd.grad(model_loss(x, w), (x, w))
    packed = []

    def pack(t):
        packed.append(t)
        return len(packed) - 1

    with graph.saved_tensors_hooks(pack, lambda i: packed[i].clone()):
        loss = model_loss(x, w)
    assert any(t is x for t in packed)
    for got, want in zip(autograd.grad(loss, (x, w)), expected, strict=True):
        ct.testing.assert_close(got, want)


def test_what_unpacks_is_what_the_gradient_reads():
    x = leaf(1.0, 2.0)
    with graph.saved_tensors_hooks(lambda t: t, lambda t: t * 10):
        y = (x * x).sum()
    assert autograd.grad(y, x)[0].tolist() == [20.0, 40.0]


def test_second_gradients_go_through_packed_inputs_and_outputs():
    x = leaf(0.5, 1.5)

    def third(f):
        g, = autograd.grad(f(x).sum(), x, create_graph=True)
        gg, = autograd.grad(g.sum(), x, create_graph=True)
        return autograd.grad(gg.sum(), x)[0].tolist()

    for f in (lambda t: t ** 3 * t, lambda t: t.exp().exp(), lambda t: (t * 2).sigmoid().tanh()):
        expected = third(f)
        with graph.saved_tensors_hooks(lambda t: t.clone(), lambda t: t.clone()):
            np.testing.assert_allclose(third(f), expected, rtol=1e-5)


def test_the_innermost_hooks_count_and_hooks_do_not_pack_themselves():
    x, seen = leaf(), []

    def pack(name):
        def hook(t):
            assert not ct.is_grad_enabled()
            seen.append(name)
            return (t * t).sqrt()

        return hook

    with graph.saved_tensors_hooks(pack("outer"), lambda t: t):
        x.exp()
        with graph.saved_tensors_hooks(pack("inner"), lambda t: t):
            x.exp()
        x.exp()
    x.exp()
    assert seen == ["outer", "inner", "outer"]


def test_in_place_ops_and_views_pack_the_values_that_the_gradient_needs():
    def run():
        y = x.clone()
        y.mul_(y)
        y[1:].mul_(y[1:])
        y[:2].mul_(3)
        return (y * y).sum()

    x = leaf()
    expected = autograd.grad(run(), x)[0].tolist()
    with graph.saved_tensors_hooks(lambda t: t.clone(), lambda t: t):
        loss = run()
    assert autograd.grad(loss, x)[0].tolist() == expected


def test_functions_pack_what_they_save():
    class Cube(autograd.Function):
        @staticmethod
        def forward(ctx, t):
            y = t ** 2
            ctx.save_for_backward(t, y, None)
            return y * t, y

        @staticmethod
        def backward(ctx, g, _):
            t, y, none = ctx.saved_tensors
            assert none is None
            return g * 3 * y if not ct.is_grad_enabled() else g * 3 * t * t

    x, seen = leaf(1.0, 2.0), []
    with graph.saved_tensors_hooks(lambda t: (seen.append(t.tolist()), t.clone())[1], lambda t: t):
        y = Cube.apply(x)[0]
    assert seen == [[1.0, 2.0], [1.0, 4.0]]
    g, = autograd.grad(y.sum(), x, create_graph=True)
    assert g.tolist() == [3.0, 12.0]
    assert autograd.grad(g.sum(), x)[0].tolist() == [6.0, 12.0]


def test_hooks_meet_checkpoints():
    x = leaf()
    with graph.saved_tensors_hooks(lambda t: t.clone(), lambda t: t):
        y = checkpoint(lambda t: (t * t).exp(), x, use_reentrant=False).sum()
    np.testing.assert_allclose(autograd.grad(y, x)[0].numpy(), 2 * np.array([1, 2, 3]) * np.exp([1.0, 4, 9]), rtol=1e-5)


def test_packed_data_is_freed_with_the_graph():
    class Kept:
        def __init__(self, t):
            self.t = t

    x, kept = leaf(), []

    def pack(t):
        made = Kept(t.clone())
        kept.append(weakref.ref(made))
        return made

    with graph.saved_tensors_hooks(pack, lambda k: k.t):
        y = (x * x).exp().sum()
    assert all(r() is not None for r in kept)
    y.backward()
    gc.collect()
    assert all(r() is None for r in kept)
    with pytest.raises(RuntimeError, match="second time"):
        y.backward()


def test_hooks_belong_to_a_thread():
    seen = []
    with graph.saved_tensors_hooks(lambda t: seen.append(1), lambda t: t):
        thread = threading.Thread(target=lambda: leaf().exp())
        thread.start()
        thread.join()
    assert not seen


def test_bad_hooks():
    x = leaf()
    with graph.saved_tensors_hooks(lambda t: t, lambda t: 3):
        y = x.exp().sum()
    with pytest.raises(TypeError, match="unpack_hook expected to be a Tensor but got result of type int"):
        y.backward()
    with graph.saved_tensors_hooks(lambda t: t.add_(1), lambda t: t), pytest.raises(RuntimeError, match="modifying its input"):
        x.exp()


def test_disabled_hooks():
    with graph.disable_saved_tensors_hooks("not here"), pytest.raises(RuntimeError, match="not here"):
        graph.save_on_cpu().__enter__()
    with graph.save_on_cpu(), pytest.raises(RuntimeError, match="not now"):
        graph.disable_saved_tensors_hooks("not now").__enter__()
    with graph.save_on_cpu():
        leaf().exp()


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_save_on_cpu(dtype, monkeypatch):
    x = ct.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=getattr(ct, dtype), requires_grad=True)
    expected = autograd.grad((x.T * x).exp().sum(), x)[0].tolist()
    with graph.save_on_cpu(pin_memory=True):
        y = (x.T * x).exp().sum()
    assert autograd.grad(y, x)[0].tolist() == expected
    monkeypatch.setattr(graph, "_to_host", graph.on_host)
    with graph.save_on_cpu():
        y = (x.T * x).exp().sum()
    assert autograd.grad(y, x)[0].tolist() == expected


def test_save_on_cpu_notices_writes():
    if ct.get_default_device().profile.kind != "cpu":
        pytest.skip("copies are made on this device")
    x = leaf()
    with graph.save_on_cpu():
        z = x * 1
        y = (z * z).sum()
    z.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward()


# --- edges ---------------------------------------------------------------------------------------------------------------------


def test_edges():
    x = leaf()
    edge = graph.get_gradient_edge(x)
    assert isinstance(edge.node, graph.Node)
    assert edge.node.variable is x
    assert (edge.output_nr, edge.node.name(), edge.node.next_functions) == (0, "torch::autograd::AccumulateGrad", ())
    y = x * 2
    middle = graph.get_gradient_edge(y)
    assert middle.node is y.grad_fn
    assert middle.node.next_functions[0][0] == edge.node
    assert len({middle.node.next_functions[0][0], edge.node}) == 1
    assert middle.node.next_functions[1] == (None, 0)
    z = (y * y).sum()
    assert autograd.grad(z, edge, retain_graph=True)[0].tolist() == autograd.grad(z, x, retain_graph=True)[0].tolist()
    del y
    assert autograd.grad(z, [middle, x])[0].tolist() == [4.0, 8.0, 12.0]


def test_edges_as_outputs_and_for_backward():
    x = leaf()
    edge = graph.get_gradient_edge((x * 3).sum())
    assert autograd.grad(edge, x)[0].tolist() == [3.0, 3.0, 3.0]
    with pytest.raises(RuntimeError, match="only for scalar outputs"):
        autograd.grad(graph.get_gradient_edge(x * 3), x)
    assert autograd.grad(graph.get_gradient_edge(x * 3), x, ct.ones(3))[0].tolist() == [3.0, 3.0, 3.0]
    unused = autograd.grad((x * 3).sum(), graph.get_gradient_edge(leaf()), materialize_grads=True)
    assert unused[0].tolist() == [0.0, 0.0, 0.0]
    autograd.backward(graph.get_gradient_edge((x * 3).sum()), inputs=[graph.get_gradient_edge(x)])
    assert x.grad.tolist() == [3.0, 3.0, 3.0]
    y = x * 3
    with pytest.raises(RuntimeError, match="belongs to no leaf"):
        autograd.backward(y.sum(), inputs=[graph.get_gradient_edge(y)])
    with pytest.raises(RuntimeError, match="does not require grad"):
        graph.get_gradient_edge(ct.ones(3))


def test_hooks_of_a_leafs_node():
    x, seen = leaf(), []
    node = graph.get_gradient_edge(x).node
    with node.register_hook(lambda inputs, outputs: seen.append((inputs, outputs[0].tolist(), x.grad.tolist()))):
        handle = node.register_prehook(lambda gs: (gs[0] * 2,))
        (x * 3).sum().backward()
    handle.remove()
    (x * 3).sum().backward()
    assert seen == [((), [6.0] * 3, [6.0] * 3)]
    assert x.grad.tolist() == [9.0] * 3


# --- hooks over several tensors ------------------------------------------------------------------------------------------------


def test_a_hook_over_all():
    a, b, c = leaf(), leaf(), leaf()
    seen = []
    handle = graph.register_multi_grad_hook([a, b, c], seen.append)
    (a * b).sum().backward()
    assert [g is None for g in seen[0]] == [False, False, True]
    assert seen[0][0].tolist() == [1.0, 2.0, 3.0]
    autograd.grad((a * b * c).sum(), [a])
    assert [g is None for g in seen[1]] == [False, True, True]
    handle.remove()
    (a * b).sum().backward()
    assert len(seen) == 2


def test_a_hook_over_any():
    a, b = leaf(), leaf()
    seen = []
    with graph.register_multi_grad_hook([a, b], seen.append, mode="any"):
        for _ in range(2):
            (a * b).sum().backward()
    assert [g.tolist() for g in seen] == [[1.0, 2.0, 3.0]] * 2


def test_hooks_over_bad_arguments():
    with pytest.raises(ValueError, match="'all', 'any'"):
        graph.register_multi_grad_hook([leaf()], print, mode="some")
    with pytest.raises(RuntimeError, match="doesn't require gradient"):
        graph.register_multi_grad_hook([ct.ones(2)], print)


# --- writes to what is saved ---------------------------------------------------------------------------------------------------


def test_saved_tensors_may_be_written_to():
    a = leaf(1.0, 2.0)
    with graph.allow_mutation_on_saved_tensors():
        b = a.clone()
        y = (b ** 2).sum() + b.exp().sum()
        b.sin_()
        b[0] = 7
        z = (b * b).sum()
        b.zero_()
        got, = autograd.grad(y, a, retain_graph=True)
        np.testing.assert_allclose(got.numpy(), [2 + np.e, 4 + np.exp(2)], rtol=1e-6)
        np.testing.assert_allclose(autograd.grad(z, a)[0].numpy(), [0, 2 * np.sin(2) * np.cos(2)], rtol=1e-5)


def test_an_optimisers_step_between_forward_and_backward():
    layer = nn.Linear(3, 2)
    optimizer = ct.optim.SGD(layer.parameters(), lr=0.5)
    x = leaf()
    with graph.allow_mutation_on_saved_tensors():
        expected = layer.weight.sum(0).tolist()
        y = layer(x).sum()
        for p in layer.parameters():
            p.grad = ct.ones_like(p)
        optimizer.step()
        assert autograd.grad(y, x)[0].tolist() == pytest.approx(expected)


def test_the_block_ends():
    a = leaf()
    with graph.allow_mutation_on_saved_tensors():
        y = (a.clone() ** 2).sum()
        with pytest.raises(RuntimeError, match="cannot be nested"):
            graph.allow_mutation_on_saved_tensors().__enter__()
    with pytest.raises(RuntimeError, match="outside of the block"):
        y.backward()


def test_increment_version():
    x = leaf()
    y = x * 1
    loss = (y * y).sum()
    graph.increment_version(y)
    with pytest.raises(RuntimeError, match="modified by an inplace"):
        loss.backward()
    before = y._version
    graph.increment_version([y, x])
    assert y._version == before + 1
    with pytest.raises(TypeError, match="expected a Tensor or an iterable"):
        graph.increment_version(3)
