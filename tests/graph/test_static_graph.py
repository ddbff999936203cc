"""Static graphs: defined with symbols, run on what is fed, beside eager calls and NumPy; and everything that they refuse."""

import copy
import io
import pickle
import re
import threading

import numpy as np
import pytest

import cltensor as ct
from cltensor import nn
from cltensor.base.errors import ArgumentError, DeviceError, DTypeError, GraphError, SerializationError, ShapeError
from cltensor.func import functional_call
from cltensor.graph import Graph, Symbol, Unknown, Variable
from cltensor.graph.static.calls import leaves, mapped

from .test_dot import read

pytestmark = [pytest.mark.device, pytest.mark.any_style]
HERE = r"at .*test_static_graph\.py:\d+$"


def array(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


def same(found, wanted):
    np.testing.assert_allclose(found.numpy(), np.asarray(wanted), rtol=1e-5, atol=1e-6)


@pytest.fixture
def linear():
    """A graph of one layer over any number of rows."""
    g = Graph()
    with g:
        x = g.placeholder((None, 4), name="x")
        w = g.variable(array(4, 3), name="w")
        y = (x @ w).relu()
        loss = y.sum()
        (gw,) = g.gradients(loss, [w])
    return g, x, w, y, loss, gw


def test_define_then_run(linear):
    g, x, w, y, loss, gw = linear
    assert repr((x, w, y)) == "(Symbol(float32[?, 4]), Variable(float32[4, 3]), Symbol(float32[?, 3]))"
    for rows in (2, 5, 2):
        data = array(rows, 4, seed=rows)
        found = g.run({"y": y, "rest": [loss, (gw,)]}, {x: data})
        wanted = np.maximum(data @ array(4, 3), 0)
        same(found["y"], wanted)
        same(found["rest"][0], wanted.sum())
        same(found["rest"][1][0], data.T @ (wanted > 0))
    assert g.explain({"y": y, "rest": [loss, (gw,)]}).captures == 2


def test_feeds_may_be_arrays_tensors_lists_and_numbers():
    g = Graph()
    with g:
        x, n = g.placeholder((2,), name="x"), g.placeholder((), name="n")
        y = x * n
    for value in ([1, 2], (1.0, 2.0), np.array([1.0, 2.0]), ct.tensor([1.0, 2.0]), np.array([1, 2], np.int16)):
        same(g.run(y, {"x": value, n: 3}), [3, 6])


def test_only_what_is_fetched_is_computed_and_fed():
    g = Graph()
    with g:
        x, z = g.placeholder((3,), name="x"), g.placeholder((3,), name="z")
        y, other = x + 1, (z @ z).exp()
    same(g.run(y, {x: [1, 2, 3]}), [2, 3, 4])
    assert [k.name for k in g.explain(y).programs[0].kernels] == ["add"]
    with pytest.raises(GraphError, match=r"placeholder 'z', defined at .*test_static_graph.py:\d+, is needed and not fed"):
        g.run([y, other], {x: [1, 2, 3]})


def test_programs_are_kept_for_each_fetch_set(linear):
    g, x, _, y, loss, _ = linear
    data = array(2, 4)
    for _ in range(3):
        g.run(y, {x: data})
        g.run([y, loss], {x: data})
    assert g.explain(y).captures == g.explain([y, loss]).captures == 1


def test_functions_that_make_tensors_and_modules():
    net = nn.Sequential(nn.Linear(4, 8), nn.GELU(), nn.LayerNorm(8), nn.Linear(8, 2))
    g = Graph()
    parameters = {name: g.variable(p, name=name) for name, p in net.named_parameters()}
    with g:
        x = g.placeholder((None, 4))
        y = functional_call(net, parameters, (x,)) + ct.ones(2) + ct.tensor([1.0, 2.0])
        y = y + ct.tensor(np.array([0.5, 0.5]), dtype=ct.float32)
        loss = nn.functional.cross_entropy(y, y.argmax(1))
        gradients = g.gradients(loss, list(parameters.values()))
        updates = [p.assign(p - 0.1 * dp) for p, dp in zip(parameters.values(), gradients, strict=True)]
    wanted, data = copy.deepcopy(net), ct.tensor(array(5, 4))
    optimizer = ct.optim.SGD(wanted.parameters(), lr=0.1)
    for _ in range(3):
        out = wanted(data) + 1 + ct.tensor([1.5, 2.5])
        optimizer.zero_grad()
        expected = nn.functional.cross_entropy(out, out.argmax(1))
        expected.backward()
        optimizer.step()
        found, *_ = g.run([loss, *updates], {x: data})
        same(found, expected.detach().numpy())
    for p, q in zip(net.parameters(), wanted.parameters(), strict=True):
        same(p.detach(), q.detach().numpy())  # variables share their memory with the parameters


def test_assignments_come_after_everything_else_and_only_where_they_are_needed():
    g = Graph()
    with g:
        w = g.variable([1.0, 2.0], name="w")
        twice, step = w * 2, w.assign(w + 1)
        after = step * 10
    same(g.run(twice), [2, 4])
    same(w.value, [1, 2])
    for a, b in zip(g.run([twice, step, after, w]), ([2, 4], [2, 3], [20, 30], [1, 2]), strict=True):
        same(a, b)
    same(w.value, [2, 3])
    same(g.run(after), [30, 40])
    same(w.value, [3, 4])
    w.value.fill_(7)
    same(g.run(twice), [14, 14])


def test_what_was_fetched_is_not_overwritten():
    g = Graph()
    with g:
        x = g.placeholder((2,))
        w = g.variable([1.0, 2.0])
        fetched = [w, w[1:], w.assign(w * 2), x, x * 1]
    data = ct.tensor([5.0, 6.0])
    first = g.run(fetched, {x: data})
    kept = [t.numpy().copy() for t in first]
    data.zero_()
    g.run(fetched, {x: data})
    for t, before in zip(first, kept, strict=True):
        same(t, before)


def test_gradients_of_gradients_and_of_what_lies_between():
    g = Graph()
    with g:
        x = g.placeholder(())
        y = x * x
        z = y * x
        (dz_dy, dz_dx) = g.gradients(z, [y, x])
        (second,) = g.gradients(dz_dx, [x])
        (third,) = g.gradients(second, [x])
        (scaled,) = g.gradients([y, z], [x], [ct.tensor(2.0), ct.tensor(3.0)])
    for found, wanted in zip(g.run([dz_dy, dz_dx, second, third, scaled], {x: 2.0}), (2, 12, 12, 6, 8 + 36), strict=True):
        same(found, wanted)
    same(g.run(third, {x: 5.0}), 6)


def test_sizes_that_are_not_known():
    g = Graph()
    with g:
        x = g.placeholder((None, 6), name="x")
        n = x.shape[0]
        assert isinstance(n, Unknown)
        assert x.shape == (None, 6)
        assert x.shape[1] == 6
        assert repr(n) == "?"
        flat = x.reshape(n * 3, -1)
        assert flat.shape[1] == 2
        halves = x.reshape(2, n // 2, 6)[0]
        kept = x[1:n - 1]
        total = x.sum() * 1 + (x.mean(0) * 0).sum() + ct.ones(n).sum()
        fetched = [flat, halves, kept, total, x.size(0) % 3, -n]
    for rows in (4, 6):
        data = array(rows, 6)
        flat, halves, kept, total, left, minus = g.run(fetched, {x: data})
        same(flat, data.reshape(-1, 2))
        same(halves, data[: rows // 2])
        same(kept, data[1:-1])
        same(total, data.sum() + rows)
        assert (left, minus) == (rows % 3, -rows)


def test_random_numbers_are_new_in_each_run_and_definition_draws_none():
    g, before = Graph(), ct.get_rng_state().numpy()
    with g:
        x = g.placeholder((100,))
        y, z = nn.functional.dropout(x, 0.5), ct.rand(3)
    np.testing.assert_array_equal(ct.get_rng_state().numpy(), before)
    ct.manual_seed(3)
    first, second = (g.run([y, z], {x: np.ones(100)}) for _ in range(2))
    assert set(first[0].numpy()) == {0.0, 2.0}
    assert not np.array_equal(first[0].numpy(), second[0].numpy())
    assert not np.array_equal(first[1].numpy(), second[1].numpy())
    ct.manual_seed(3)
    np.testing.assert_array_equal(g.run([y, z], {x: np.ones(100)})[0].numpy(), first[0].numpy())


def test_running_statistics_of_a_batch_norm_are_variables():
    g, data = Graph(), array(8, 3)
    with g:
        x = g.placeholder((None, 3))
        mean, var = g.variable(np.zeros(3, np.float32)), g.variable(np.ones(3, np.float32))
        y = nn.functional.batch_norm(x, mean, var, training=True)
    norm = nn.BatchNorm1d(3, affine=False)
    for _ in range(3):
        same(g.run(y, {x: data}), norm(ct.tensor(data)).numpy())
        same(mean.value, norm.running_mean.numpy())
        same(var.value, norm.running_var.numpy())


def test_views_iteration_and_results_of_several_parts():
    g, data = Graph(), array(2, 3, 4)
    with g:
        x = g.placeholder((2, 3, 4))
        first, second = x
        values, places = x.max(-1)
        parts = x.split(2, 1)
        y = first
        y += second
        y *= 2
    assert len(x.shape) == x.dim() == 3
    assert len(x) == 2
    found = g.run([y, values, places, parts, x.mT[..., 1:], x[:, None, 1]], {x: data})
    wanted = [(data[0] + data[1]) * 2, data.max(-1), data.argmax(-1)]
    for a, b in zip(found[:3], wanted, strict=True):
        same(a, b)
    same(found[3][1], data[:, 2:])
    same(found[4], data.swapaxes(1, 2)[..., 1:])
    same(found[5], data[:, None, 1])


def test_values_that_no_run_changes_are_plain():
    g = Graph()
    x = g.placeholder((2, 3), ct.float64)
    assert (x.dtype, x.shape, x.ndim, x.numel(), x.is_floating_point()) == (ct.float64, (2, 3), 2, 6, True)
    assert (x + 1).dtype is ct.float64  # outside of the block as well
    assert isinstance(x + 1, Symbol)
    assert isinstance(g.variable(1.0), Variable)


def test_constants_and_variables_from_symbols():
    g = Graph()
    with g:
        w = g.variable(ct.full((2,), 3.0) * 2)
        data = np.ones(2, np.float32)
        c = g.constant(data)
        data[:] = 9
    same(w.value, [6, 6])
    same(g.run(w + c), [7, 7])
    assert g.variable([1, 2], dtype=ct.float64).dtype is ct.float64


def test_eager_calls_go_on_beside_graphs(linear):
    g, x, *_ = linear
    with g:
        y = x + 1
        same(g.run(y, {x: array(1, 4)}), array(1, 4) + 1)
    same(ct.ones(2) + 1, [2, 2])


def test_two_threads_run_one_graph(linear):
    g, x, _, y, *_ = linear
    failures = []

    def work(seed):
        try:
            for i in range(20):
                data = array(3, 4, seed=seed + i)
                same(g.run(y, {x: data}), np.maximum(data @ array(4, 3), 0))
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(100 * i,)) for i in range(2)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failures


def test_dot(linear):
    g, *_ = linear
    vertices, edges = read(g.to_dot())
    assert len(vertices) == len(g.nodes)
    assert edges
    assert "gradients" in g.to_dot()
    assert "float32[?, 4]" in g.to_dot()
    assert "test_static_graph.py:" in g.to_dot()


def test_control_flow():
    g, data = Graph(), array(3, 4)
    with g:
        x = g.placeholder((None, 4))
        w = g.variable(np.full((4, 4), 0.5, np.float32))

        def project(x):
            return x @ w

        y = ct.cond(x.sum() > 0, lambda x: (x * 2).exp(), project, (x,))
        n, z = ct.while_loop(lambda n, z: n < 5, lambda n, z: (n + 1, project(z)), (ct.tensor(0), x))
        total, sums = ct.scan(lambda total, row: (total + row, total * row), ct.zeros(4), x[:2])
        (gw,) = g.gradients(y.sum(), [w])
    assert y.sizes() == z.sizes() == (None, 4)
    for sign in (1, -1, 1):
        given = sign * np.abs(data)
        found = g.run([y, z, n, total, sums, gw], {x: given})
        same(found[0], np.exp(given * 2) if sign > 0 else given @ np.full((4, 4), 0.5))
        same(found[1], given @ np.linalg.matrix_power(np.full((4, 4), 0.5), 5))
        assert found[2].item() == 5
        same(found[3], given[0] + given[1])
        same(found[4], np.stack([given[0] * 0, given[0] * given[1]]))
        same(found[5], np.repeat(given.sum(0)[:, None], 4, 1) * (sign < 0))
    with g, pytest.raises(ShapeError, match="must return the same shapes.*" + HERE):
        ct.cond(x.sum() > 0, lambda x: x, lambda x: x[1:], (x,))
    with pytest.raises(SerializationError, match="a file cannot hold"):
        g.save(io.BytesIO())


def test_functions_read_symbols_of_their_globals():
    names = {"ct": ct, "g": Graph()}
    exec("with g:\n    x, w = g.placeholder((2,)), g.variable([3.0, 4.0])\n"
         "    y = ct.cond(x.sum() > 0, lambda x: x * w, lambda x: x - w, (x,))", names)
    same(names["g"].run(names["y"], {names["x"]: [1.0, 1.0]}), [3, 4])
    same(names["g"].run(names["y"], {names["x"]: [-1.0, -1.0]}), [-4, -5])


def test_functions_that_read_symbols_are_made_anew_with_what_stands_for_them():
    g = Graph()
    x, y = g.placeholder((1,)), g.placeholder((2,))
    rows = {"y": [y]}

    def outer(n):
        return inner(n)

    def inner(n):
        return (x, rows["y"][0]) if n == 0 else outer(n - 1)

    assert set(leaves(outer)) == {x, y}
    known = {x: 10, y: 20}
    assert mapped([outer], known.get)[0](3) == (10, 20)
    assert outer(3) == (x, y)
    assert leaves(len) == [len]


# --- what is refused --------------------------------------------------------------------------------------------------

READS = [lambda x: x.item(), lambda x: x.tolist(), lambda x: x.numpy(), lambda x: bool(x.sum()), lambda x: float(x.sum()),
         lambda x: int(x.sum()), lambda x: x[x > 0], lambda x: x.nonzero(), lambda x: np.asarray(x)]


@pytest.mark.parametrize("read", READS)
def test_reading_values_at_definition(read, linear):
    g, x, *_ = linear
    with g, pytest.raises(GraphError, match="reads values, which a static graph has only while it runs; fetch .*" + HERE):
        read(x)


def setitem(x):
    x[0] = 1


@pytest.mark.parametrize("write", [lambda x: x.add_(1), lambda x: ct.relu_(x), setitem, lambda x: ct.add(x, 1, out=x)])
def test_writing_in_place(write, linear):
    g, x, w, *_ = linear
    for symbol in (x, w):
        with g, pytest.raises(GraphError, match=r"in place, and symbols are values; use the form that gives a new one, .*" + HERE):
            write(symbol)


@pytest.mark.parametrize("call", ["backward", "requires_grad_", "retain_grad", "data_ptr"])
def test_what_is_for_eager_tensors(call, linear):
    _, x, *_ = linear
    with pytest.raises(GraphError, match=f"{call}: a static graph has no such thing; .*" + HERE):
        getattr(x, call)()


def test_calls_of_tensors_alone_compute_inside_the_block_as_well(linear):
    g, x, *_ = linear
    outside = ct.ones(2)
    with g:
        total = (outside + 1).sum().item()
        y = x * total
    same(g.run(y, {x: np.ones((1, 4))}), np.full((1, 4), 4.0))


def test_errors_of_functions_name_the_line(linear):
    g, x, w, *_ = linear
    with g, pytest.raises(ShapeError, match=r"inner sizes differ.* where 5040 stands for a size that is not known, " + HERE):
        x @ w.t()
    with g, pytest.raises(ShapeError, match="inner sizes differ.*, " + HERE):
        w @ w
    with g, pytest.raises(DTypeError, match=HERE):
        w @ w.double()


def test_errors_of_a_run_name_the_definition():
    g = Graph()
    with g:
        x, y = g.placeholder((None,)), g.placeholder((None,))
        z = x + y
    with pytest.raises(ShapeError, match=r", defined at .*test_static_graph\.py:\d+$"):
        g.run(z, {x: [1, 2], y: [1, 2, 3]})
    same(g.run(z, {x: [1, 2], y: [1, 2]}), [2, 4])


def test_tensors_and_symbols_from_elsewhere(linear):
    g, x, *_ = linear
    other = Graph()
    with pytest.raises(GraphError, match=r"a tensor of shape \[4, 3\] from outside the graph; hold it .*" + HERE):
        x @ ct.ones(4, 3)
    with other, pytest.raises(GraphError, match="belongs to another graph; run that one, .*" + HERE):
        _ = x + 1
    with pytest.raises(GraphError, match="fetches must be symbols of this graph"):
        other.run(x)
    for fetch in (ct.ones(2), 1, None):
        with pytest.raises(GraphError, match="fetches must be symbols of this graph"):
            g.run([fetch])


def test_feeds_that_do_not_fit(linear):
    g, x, w, y, *_ = linear
    with pytest.raises(ShapeError, match=r"'x' is fed a tensor of shape \[2, 5\], and its shape is \[any, 4\]"):
        g.run(y, {x: np.ones((2, 5))})
    with pytest.raises(ShapeError, match=r"shape \[4\]"):
        g.run(y, {x: np.ones(4)})
    with pytest.raises(DTypeError, match="'x' is fed int64, and holds float32; convert it first"):
        g.run(y, {x: ct.ones(2, 4, dtype=ct.int64)})
    with pytest.raises(DTypeError, match="is fed complex"):
        g.run(y, {x: np.ones((2, 4)) * 1j})
    with pytest.raises(DeviceError, match="is fed a tensor on meta"):
        g.run(y, {x: ct.ones(2, 4, device="meta")})
    for key in ("q", w, y, 3):
        with pytest.raises(GraphError, match="is no placeholder of this graph; it has: x"):
            g.run(y, {key: 1})
    with pytest.raises(GraphError, match="which has no values; run its graph first"):
        g.run(y, {x: y})


def test_gradients_that_there_are_not(linear):
    g, x, w, y, loss, _ = linear
    with g:
        for ys, xs, message in ((y, [w], "only a single number has gradients of its own"), (loss, [w * 2], "do not depend on xs"),
                                (x.argmax(), [x], "only floating-point and complex tensors"),
                                (3, [w], "expected symbols of a graph, got int")):
            with pytest.raises(GraphError, match=message):
                g.gradients(ys, xs)


def test_assignments_that_do_not_fit(linear):
    _, x, w, *_ = linear
    for value in (x, w.double(), w.sum(), 1.0):
        with pytest.raises(GraphError, match="shape and dtype must be the same.*" + HERE):
            w.assign(value)


def test_sizes_have_no_values_at_definition(linear):
    _, x, *_ = linear
    for ask in (lambda n: int(n), lambda n: float(n), lambda n: bool(n), lambda n: n > 3, lambda n: n == 3, lambda n: 1 / n,
                lambda n: list(range(n)), lambda n: x.shape == (3, 4)):
        with pytest.raises(GraphError, match="a size that is not known before run has no value"):
            ask(x.shape[0])
    with pytest.raises(GraphError, match="the number of its results depends on a size"):
        list(x)


def test_names_and_shapes_of_placeholders():
    g = Graph()
    g.placeholder((1,), name="a")
    assert [g.placeholder((1,)).node.name, g.placeholder((1,)).node.name] == ["placeholder1", "placeholder2"]
    with pytest.raises(GraphError, match="there is a placeholder named 'a' already"):
        g.placeholder((2,), name="a")
    for shape in ((-1,), (2.0,), ("n",)):
        with pytest.raises(ArgumentError, match="sizes must be None or ints of at least 0"):
            g.placeholder(shape)
    with pytest.raises(GraphError, match="depends on the placeholder 'a'"):
        g.variable(g.placeholders["a"] + 1)


def test_symbols_are_not_copied(linear):
    _, x, *_ = linear
    for copied in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(GraphError, match=re.escape("cannot be copied or pickled alone; save the graph with Graph.save")):
            copied(x)
