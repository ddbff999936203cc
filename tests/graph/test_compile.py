"""compile: guards, what runs eagerly, what is refused, and what stays as in eager mode."""

import copy
import dataclasses
import pickle
import threading
import warnings

import numpy as np
import pytest

import cltensor as ct
from cltensor import nn, optim
from cltensor.base.errors import AutogradError, CaptureError, ShapeError
from cltensor.compiler import compile
from cltensor.graph.compiled import MOST

pytestmark = [pytest.mark.device, pytest.mark.any_style]


def array(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


def chain(x):
    return (x * 2 + 1).relu().exp() - x


def check(compiled, *args):
    eager = compiled._orig_mod if isinstance(compiled, nn.Module) else compiled.fn
    np.testing.assert_allclose(compiled(*args).detach().numpy(), eager(*args).detach().numpy(), rtol=1e-6)


def test_a_new_shape_dtype_or_layout_is_captured_again():
    f = compile(chain)
    for args in (array(3, 4), array(4, 3), array(3, 4).astype(np.float64)):
        for _ in range(2):
            check(f, ct.tensor(args))
    for _ in range(2):
        check(f, ct.tensor(array(4, 3)).t())
        check(f, ct.tensor(array(6, 4))[::2])
    assert f.captures == 5


def test_slices_of_one_tensor_share_a_capture():
    f, data = compile(chain), ct.tensor(array(12, 4))
    for i in range(4):
        check(f, data[3 * i: 3 * i + 3])
    assert f.captures == 1


def test_slices_may_be_viewed_as_another_dtype():
    data = ct.tensor(array(40))
    f, g = compile(lambda x: x.view(ct.int16) + 1), compile(lambda x: x.view(ct.float64) * 2)
    for at in (0, 4, 2, 10):
        check(f, data[at: at + 4])
        check(g, data[at: at + 4])
    assert f.captures == g.captures == 1
    with pytest.raises(ShapeError, match="offset"):
        g(data[1:5])


def test_numbers_are_guards():
    f = compile(lambda x, n: x * n)
    for n in (2, 2.0, 3, True, 2):
        np.testing.assert_array_equal(f(ct.ones(3), n).numpy(), [n] * 3)
    assert f(ct.ones(3, dtype=ct.int64), 2).dtype is ct.int64
    assert f(ct.ones(3, dtype=ct.int64), 2.0).dtype is ct.float32


def test_globals_and_closures_are_guards():
    scale = 2.0
    settings = {"shift": 1.0}

    @compile
    def f(x):
        return x * scale + settings["shift"] + OFFSET

    global OFFSET
    OFFSET = 0.5
    np.testing.assert_allclose(f(ct.ones(2)).numpy(), [3.5] * 2)
    scale = 3.0
    np.testing.assert_allclose(f(ct.ones(2)).numpy(), [4.5] * 2)
    settings["shift"] = 2.0
    np.testing.assert_allclose(f(ct.ones(2)).numpy(), [5.5] * 2)
    OFFSET = 0.0
    np.testing.assert_allclose(f(ct.ones(2)).numpy(), [5.0] * 2)
    np.testing.assert_allclose(f(ct.ones(2)).numpy(), [5.0] * 2)
    assert f.captures == 4


def test_training_mode_parameters_and_settings_of_a_module_are_guards():
    net = nn.Sequential(nn.Linear(3, 3), nn.Dropout(0.5))
    f, x = compile(net), ct.ones(2, 3)
    net.eval()
    check(f, x)
    net.train()
    ct.manual_seed(0)
    first = f(x).detach().numpy()
    ct.manual_seed(0)
    np.testing.assert_array_equal(f(x).detach().numpy(), first)
    net.eval()
    check(f, x)
    net[0].weight = nn.Parameter(ct.zeros(3, 3))
    check(f, x)
    net[0].weight.data = ct.ones(3, 3)
    check(f, x)
    net.double()
    check(f, x.double())
    with ct.no_grad():
        check(f, x.double())


def test_random_numbers_are_new_at_each_replay_and_follow_the_seed():
    f = compile(lambda x: x + ct.rand_like(x))
    ct.manual_seed(5)
    found = [f(ct.zeros(4)).numpy() for _ in range(4)]
    ct.manual_seed(5)
    for a in found:
        np.testing.assert_array_equal(a, f.fn(ct.zeros(4)).numpy())
    assert f.captures == 1
    assert not np.array_equal(found[2], found[3])


def test_what_was_returned_is_not_overwritten():
    f = compile(chain)
    kept = [f(ct.full((3,), float(i))) for i in range(5)]
    for i, t in enumerate(kept):
        np.testing.assert_allclose(t.numpy(), chain(ct.full((3,), float(i))).numpy(), rtol=1e-6)


def test_in_place_writes_to_arguments_and_outside():
    total = ct.zeros(3)

    @compile
    def f(x, y):
        x[1:] += y[:-1]
        total.add_(x)
        return x

    for i in range(4):
        x, y = ct.tensor(array(3, seed=i)), ct.tensor(array(3, seed=i + 9))
        wanted = x.numpy().copy()
        wanted[1:] += y.numpy()[:-1]
        before, version = total.numpy(), x._version
        assert f(x, y) is x
        np.testing.assert_allclose(x.numpy(), wanted, rtol=1e-6)
        np.testing.assert_allclose(total.numpy(), before + wanted, rtol=1e-6)
        assert x._version > version
    assert f.captures == 1


def test_arguments_that_share_memory():
    def f(x, y):
        x.mul_(2)
        return x + y

    compiled, base = compile(f), ct.arange(6.0)
    np.testing.assert_array_equal(compiled(base[:3], base[3:]).numpy(), [3, 6, 9])
    base = ct.arange(6.0)
    np.testing.assert_array_equal(compiled(base[:3], base[:3]).numpy(), [0, 4, 8])
    for _ in range(2):
        x, y = ct.arange(3.0), ct.arange(3.0)
        np.testing.assert_array_equal(compiled(x, y).numpy(), [0, 3, 6])
    base = ct.arange(6.0)
    np.testing.assert_array_equal(compiled(base[1:4], base[:3]).numpy(), [2, 6, 10])


def test_memory_is_not_free_before_a_shared_launch_has_run():
    @compile
    def f(s):
        made = []
        for i in range(3):
            x = s[i] * 1
            x[1:] += (s[i].flip(0) + s[2][1])[:-1]
            made.append(x)
        return ct.stack(made)

    for i in range(3):
        check(f, ct.tensor(array(3, 4, seed=i)))


def test_parts_of_what_a_fused_node_writes_are_told_apart():
    f = compile(lambda w: ct.stack([w.sin() + w for _ in range(3)])[0] + 0)
    for i in range(3):
        w = ct.tensor(array(4, seed=i), requires_grad=True)
        f(w).sum().backward()
        np.testing.assert_allclose(w.grad.numpy(), np.cos(w.detach().numpy()) + 1, rtol=1e-5)


def test_a_constant_that_is_written_to():
    @compile
    def f(x):
        total = ct.tensor([1.0, 2.0])
        total += x
        return total

    for _ in range(3):
        np.testing.assert_array_equal(f(ct.ones(2)).numpy(), [2, 3])
    assert f.captures == 1


def test_reading_a_value_runs_eagerly():
    @compile
    def f(x):
        return x * 2 if x.sum().item() > 0 else x - 1

    for x in (ct.ones(2), -ct.ones(2), ct.ones(2), -ct.ones(2)):
        check(f, x)
    assert not f.programs
    assert "read by the host" in next(iter(f.eager.values()))


def test_a_shape_that_depends_on_values_runs_eagerly():
    f = compile(lambda x: x[x > 0] * 2)
    for i in range(4):
        check(f, ct.tensor(array(5, seed=i)))


def test_fullgraph_names_the_line():
    @compile(fullgraph=True)
    def f(x):
        y = x * 2
        return y * y.sum().item()

    with pytest.raises(CaptureError, match=r"True: the values of a tensor .* are read by the host, at .*test_compile\.py"):
        f(ct.ones(2))


def test_an_error_leaves_the_state_as_eager_mode_does():
    total = ct.zeros(2)

    @compile
    def f(x, fails):
        total.add_(x)
        if fails:
            raise ValueError("halfway")
        return total * 2

    with pytest.raises(ValueError, match="halfway"):
        f(ct.ones(2), True)
    assert total.tolist() == [1, 1]
    for n in (2, 3, 4):
        assert f(ct.ones(2), False).tolist() == [2 * n] * 2
    with pytest.raises(ValueError, match="halfway"):
        f(ct.ones(2), True)
    assert total.tolist() == [5, 5]


def test_a_list_that_grows_is_seen():
    kept = []

    @compile
    def f(x):
        kept.append(x * 2)
        return x + len(kept)

    assert [f(ct.zeros(1)).item() for _ in range(6)] == [1, 2, 3, 4, 5, 6]
    assert len(kept) == 6


def test_more_captures_than_are_kept_warn_once():
    f = compile(lambda x: x * 2)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        for n in range(1, MOST + 4):
            f(ct.ones(n))
    assert len(seen) == 1
    assert "argument 0 changes" in str(seen[0].message)
    assert len(f.programs) == MOST


def test_threads_replay_one_program():
    f, found = compile(chain), {}
    f(ct.ones(50))

    def work(k):
        for i in range(20):
            x = ct.full((50,), float(k * 20 + i))
            found[k, i] = float(f(x).sum()), float(chain(x).sum())

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(found) == 80
    for a, b in found.values():
        np.testing.assert_allclose(a, b, rtol=1e-5)


def test_the_learning_rate_is_read_anew():
    p = nn.Parameter(ct.zeros(1))
    opt = optim.SGD([p], lr=1.0)

    @compile
    def step():
        opt.zero_grad()
        (p * 1.0).sum().backward()
        opt.step()

    found = []
    for lr in (1.0, 1.0, 0.5, 0.25, 0.25):
        opt.param_groups[0]["lr"] = lr
        step()
        found.append(p.item())
    assert found == [-1.0, -2.0, -2.5, -2.75, -3.0]
    assert step.captures == 2


def test_users_optimiser_is_captured_for_each_setting():
    class Own(optim.Optimizer):
        def __init__(self, params):
            super().__init__(params, {"lr": 1.0})

        def step(self, closure=None):
            with ct.no_grad():
                for group in self.param_groups:
                    for p in group["params"]:
                        p.add_(p.grad, alpha=-group["lr"])

    p = nn.Parameter(ct.zeros(1))
    opt = Own([p])

    @compile
    def step():
        opt.zero_grad()
        (p * 1.0).sum().backward()
        opt.step()

    found = []
    for lr in (1.0, 1.0, 0.5, 0.5):
        opt.param_groups[0]["lr"] = lr
        step()
        found.append(p.item())
    assert found == [-1.0, -2.0, -2.5, -3.0]


def test_gradients_of_what_a_compiled_function_returns():
    w = ct.tensor(array(4), requires_grad=True)
    f = compile(lambda x: ((x * w).sigmoid(), (x - w).sum()))
    for i in range(3):
        found = []
        for g in (f, f.fn):
            x = ct.tensor(array(4, seed=i), requires_grad=True)
            w.grad = None
            a, b = g(x.exp())
            (a.sum() * b).backward()
            found.append((x.grad.numpy(), w.grad.numpy()))
        for one, other in zip(*found, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-5)
    assert f.captures == 1


def test_numbers_beside_a_tensor_that_has_a_history():
    w = ct.tensor(array(3), requires_grad=True)
    f = compile(lambda x: {"name": "loss", "count": 3, "total": (x * w).sum(), "plain": x * 2})
    for i in range(3):
        x, w.grad = ct.tensor(array(3, seed=i)), None
        found = f(x)
        assert (found["name"], found["count"]) == ("loss", 3)
        found["total"].backward()
        np.testing.assert_allclose(w.grad.numpy(), x.numpy(), rtol=1e-6)
        np.testing.assert_allclose(found["plain"].numpy(), 2 * x.numpy(), rtol=1e-6)
    assert f.captures == 1


def test_errors_of_a_backward_pass_are_those_of_eager_mode():
    w = ct.ones(3, requires_grad=True)
    f = compile(lambda x: (x * w * w).sum())
    for _ in range(2):
        y = f(ct.ones(3))
        y.backward()
        with pytest.raises(ct.AutogradError, match="second time"):
            y.backward()
    y = f(ct.ones(3))
    with ct.no_grad():
        w.mul_(2)
    with pytest.raises(ct.AutogradError, match="modified by an inplace"):
        y.backward()


def test_a_gradient_that_cannot_be_computed_is_refused_when_it_is_asked_for():
    w = ct.tensor(array(3), requires_grad=True)

    @compile
    def f(x):
        y = (x * w).exp()
        z = y * 2
        y.zero_()
        return z

    for _ in range(3):
        z = f(ct.ones(3))
        np.testing.assert_allclose(z.detach().numpy(), 2 * np.exp(w.detach().numpy()), rtol=1e-6)
        with pytest.raises(ct.AutogradError, match="modified by an inplace"):
            z.sum().backward()


def test_disabled():
    assert compile(chain, disable=True) is chain


def test_a_compiled_module_is_the_module():
    net = nn.Sequential(nn.Linear(2, 3), nn.Dropout(0.5))
    compiled = compile(net)
    assert isinstance(compiled, nn.Module)
    assert compiled.append == net.append
    assert all(p is q for p, q in zip(compiled.parameters(), net.parameters(), strict=True))
    assert list(compiled.state_dict()) == ["_orig_mod.0.weight", "_orig_mod.0.bias"]
    compiled.eval()
    assert not net.training
    np.testing.assert_array_equal(compiled(ct.ones(1, 2)).detach().numpy(), net(ct.ones(1, 2)).detach().numpy())
    again = pickle.loads(pickle.dumps(compiled))
    np.testing.assert_array_equal(again(ct.ones(1, 2)).detach().numpy(), net(ct.ones(1, 2)).detach().numpy())


def test_a_module_compiles_in_place():
    net, twin = nn.Linear(2, 3), nn.Linear(2, 3)
    twin.load_state_dict(net.state_dict())
    net.compile(fullgraph=True)
    for i in range(3):
        x = ct.tensor(array(4, 2, seed=i))
        np.testing.assert_array_equal(net(x).detach().numpy(), twin(x).detach().numpy())
    assert len(net._compiled.programs) == 1
    assert copy.deepcopy(net)._compiled is None
    assert list(net.state_dict()) == ["weight", "bias"]
    net.compile(disable=True)
    assert net._compiled is None


def test_what_is_disabled_runs_eagerly_and_says_so():
    seen = []

    @ct.compiler.disable(reason="it logs")
    def log(x):
        seen.append(x.shape)
        return x + 1

    f = compile(lambda x: log(x) * 2)
    for n in range(4):
        assert f(ct.ones(1)).item() == 4
        assert len(seen) == n + 1
    assert "log is not to be captured: it logs" in str(f.explain())
    with pytest.raises(CaptureError, match="it logs"):
        compile(lambda x: log(x), fullgraph=True)(ct.ones(1))


def test_a_module_that_is_captured_again_and_again_warns_with_its_class():
    net = compile(nn.ReLU())
    for n in range(1, MOST + 1):
        net(ct.ones(n))
    with pytest.warns(UserWarning, match="ReLU was captured 8 times and again"):
        net(ct.ones(MOST + 1))


def test_reset_and_explain():
    f = compile(chain)
    f(ct.ones(3))
    assert "1 program kept" in str(f.explain())
    assert "fused_mul_add_relu_exp_sub" in str(f.explain())
    ct.compiler.reset()
    assert not f.programs


def test_is_compiling():
    seen = []
    f = compile(lambda x: seen.append(ct.compiler.is_compiling()) or x * 2)
    f(ct.ones(1))
    assert seen == [True]
    assert not ct.compiler.is_compiling()


def test_bad_arguments():
    with pytest.raises(ct.ArgumentTypeError, match="expected a function or a Module"):
        compile(3)
    with pytest.raises(ct.ArgumentError, match="Unrecognized mode=fast"):
        compile(chain, mode="fast")


class Counter:
    def __init__(self):
        self.calls, self.scale = 0, 2.0


def test_variables_of_python_that_change_are_seen():
    counter = Counter()

    @compile
    def f(x):
        counter.calls += 1
        return x * counter.calls

    assert [f(ct.ones(1)).item() for _ in range(5)] == [1, 2, 3, 4, 5]
    assert counter.calls == 5
    assert not f.programs


def test_objects_among_the_arguments_are_guards():
    f, settings = compile(lambda x, c: x * c.scale), Counter()
    assert f(ct.ones(1), settings).item() == 2
    settings.scale = 3.0
    assert [f(ct.ones(1), settings).item() for _ in range(2)] == [3, 3]


def test_objects_that_are_returned_are_made_anew():
    @dataclasses.dataclass
    class Output:
        loss: ct.Tensor

    f = compile(lambda x: Output(x * 2))
    assert [f(ct.full((1,), float(i))).loss.item() for i in range(4)] == [0, 2, 4, 6]
    assert "object of type Output" in next(iter(f.eager.values()))


def test_random_numbers_of_the_host_are_drawn_anew():
    f = compile(lambda x: x + ct.randperm(50))
    found = {tuple(f(ct.zeros(50)).tolist()) for _ in range(4)}
    assert len(found) == 4


def test_modes_that_change_what_ops_do_run_eagerly():
    f, x = compile(chain), ct.tensor(array(3, 4))
    f(x)
    np.testing.assert_allclose(ct.vmap(f)(x).numpy(), chain(x).numpy(), rtol=1e-6)
    with ct.autocast("cpu"):
        assert compile(lambda a: a @ a.mT)(x).dtype is ct.bfloat16
    packed = []
    with ct.autograd.graph.saved_tensors_hooks(lambda t: packed.append(1) or t, lambda t: t):
        for _ in range(3):
            f(x.clone().requires_grad_())
    assert len(packed) % 3 == 0
    assert packed
    assert compile(lambda a: a * 2)(ct.ones(2, device="meta")).device.type == "meta"


def test_light_launches_run_where_those_of_eager_calls_do():
    f = compile(lambda x: x.flip(0).cumsum(0))
    for _ in range(6):
        f(ct.ones(20))
        f.fn(ct.ones(20))
    [program] = f.programs
    steps = [launch.step for launch in program.captured.replay.launches]
    assert len(steps) == 2
    assert all(step.inline is not False for step in steps)


def test_equal_layers_share_their_patterns():
    layers = [nn.Linear(4, 4) for _ in range(5)]

    def f(x):
        for layer in layers:
            x = layer(x).tanh() * 2
        return x

    compiled = compile(f)
    with ct.no_grad():
        for _ in range(3):
            np.testing.assert_allclose(compiled(ct.ones(2, 4)).numpy(), f(ct.ones(2, 4)).numpy(), rtol=1e-5)
    [program] = compiled.programs
    ops = {node.op for node in program.captured.graph.nodes}
    kernels = [launch.step.kernel for launch in program.captured.replay.launches]
    assert len(ops) < len(layers)
    assert len(set(map(id, kernels))) == len(kernels) == len(layers)


def test_an_argument_that_the_function_also_sees_otherwise():
    p, q = ct.ones(3), ct.full((3,), 5.0)
    f = compile(lambda x: x * 2 + p)
    for x in (p, p, q, q, p, q):
        check(f, x)
    g = compile(lambda x: x * 2 + p)
    for x in (q, q, p, p):
        check(g, x)


def test_writes_to_an_argument_that_the_function_also_sees_otherwise():
    for order in ("pqpq", "qpqp"):
        tensors = {"p": ct.ones(3), "q": ct.full((3,), 5.0)}
        p = tensors["p"]

        def fn(x, p=p):
            x.add_(1)
            return x * 2 + p

        f = compile(fn)
        values = {"p": 1.0, "q": 5.0}
        for name in order:
            values[name] += 1
            assert f(tensors[name]).tolist() == [values[name] * 2 + values["p"]] * 3


@pytest.mark.parametrize("dynamic", [False, True])
def test_gradients_of_arguments_that_are_leaves(dynamic):
    """As in adversarial examples: each call has a leaf of its own."""
    def fn(x, scale):
        loss = (x * x * scale).sum()
        loss.backward()
        return loss.detach()

    f = compile(fn, dynamic=dynamic)
    for i in range(6):
        x = ct.full((3 + i if dynamic else 3,), float(i + 1)).requires_grad_()
        before = x.grad = ct.ones_like(x) if i % 2 else None
        f(x, ct.tensor(2.0))
        assert x.grad.tolist() == [4.0 * (i + 1) + (i % 2)] * len(x)
        assert before is None or x.grad is before or x.grad.tolist() != before.tolist()
    assert f.captures == (4 if dynamic else 2)


def test_a_leaf_among_the_arguments_that_is_also_a_parameter():
    w, z = ct.ones(3, requires_grad=True), ct.full((3,), 5.0, requires_grad=True)

    def fn(x):
        loss = (x * w).sum()
        loss.backward()
        return loss.detach()

    f = compile(fn)
    for x, own, other in ((w, 2.0, None), (w, 2.0, None), (z, 5.0, 1.0), (z, 5.0, 1.0), (w, 2.0, None)):
        w.grad = z.grad = None
        f(x)
        assert w.grad.tolist() == [own] * 3
        assert (z.grad if other is None else z.grad.tolist()) == (other if other is None else [other] * 3)


@pytest.mark.parametrize("make", [lambda p: optim.SGD([p], 1.0), lambda p: optim.SGD([p], 1.0, momentum=0.5),
                                  lambda p: optim.AdamW([p], 0.1)])
def test_gradients_from_before_the_call_are_looked_for_anew(make):
    found, held = [], []
    for wrap in (lambda f: f, compile):
        p = nn.Parameter(ct.zeros(3))
        opt = make(p)

        @wrap
        def step(opt=opt):
            opt.step()

        for i in range(1, 6):
            p.grad = ct.full((3,), float(i))
            held.append(p.grad)
            step()
        found.append(p.tolist())
    assert found[0] == pytest.approx(found[1], rel=1e-6)


def test_a_gradient_that_is_only_read():
    p = nn.Parameter(ct.zeros(3))
    f = compile(lambda: p.grad.norm() + p.grad.sum())
    for i in range(1, 5):
        p.grad = ct.full((3,), float(i))
        assert f().item() == pytest.approx(i * 3**0.5 + 3 * i)
    assert f.captures == 1
    p.grad = ct.ones(6)[::2]
    assert f().item() == pytest.approx(3**0.5 + 3)


def test_a_gradient_that_is_also_an_argument():
    p = nn.Parameter(ct.zeros(3))
    f = compile(lambda g: p.grad * 2 + g)
    for i in range(1, 5):
        g = p.grad = ct.full((3,), float(i))
        assert f(g).tolist() == [3.0 * i] * 3
        assert f(ct.ones(3)).tolist() == [2.0 * i + 1] * 3


def test_a_list_among_the_arguments_that_grows_is_changed_at_each_call():
    f = compile(lambda x, kept: kept.append(x * 2) or x + 1)
    for _ in range(4):
        kept = []
        f(ct.ones(1), kept)
        assert [t.item() for t in kept] == [2.0]
    assert "changes a list or dict among its arguments" in next(iter(f.eager.values()))


def test_a_tensor_without_elements_has_memory():
    f = compile(lambda x: (ct.full((2, 0), 1.0), x[:0] * 2, x * 2))
    for _ in range(3):
        a, b, _ = f(ct.ones(2))
        assert (a * 2).shape == (2, 0)
        assert ct.cat([b, b]).tolist() == []


def test_a_tensor_that_is_returned_twice_is_one():
    f = compile(lambda x: [x * 2] * 2)
    for _ in range(3):
        a, b = f(ct.ones(2))
        assert a is b


def test_a_history_that_is_written_to_is_that_of_eager_mode():
    f = compile(lambda y: y.mul_(3).sum())
    total, w = ct.zeros(2), ct.ones(2, requires_grad=True)
    g = compile(lambda x: total.add_(x * w) * 1)
    for _ in range(4):
        x = ct.ones(2, requires_grad=True)
        y = x * 2
        (f(y) + y.sum()).backward()
        assert x.grad.tolist() == [12, 12]
        total.detach_().zero_()
        w.grad = None
        g(ct.ones(2))
        total.sum().backward()
        assert w.grad.tolist() == [1, 1]
    assert "gradients flow through" in next(iter(f.eager.values()))


def test_a_backward_pass_through_what_came_before_is_that_of_eager_mode():
    f = compile(lambda loss: loss.backward())
    for i in range(4):
        x = ct.full((1,), float(i), requires_grad=True)
        f((x * x).sum())
        assert x.grad.item() == 2 * i
    assert "goes back through" in next(iter(f.eager.values()))


def test_a_leaf_that_it_makes_has_its_gradient():
    def f(x):
        w = ct.tensor([1.0, 2.0], requires_grad=True)
        (w * x).sum().backward()
        return w

    compiled = compile(f)
    kept = [compiled(ct.full((2,), float(i))) for i in range(4)]
    assert [w.grad.tolist() for w in kept] == [[i, i] for i in range(4)]
    assert compiled.captures == 1


def test_gradients_are_those_that_leaves_have_at_the_call():
    p = ct.zeros(2, requires_grad=True)
    f, g = compile(lambda: p.grad * 2), compile(lambda x: (x * x).sum().backward() or x.grad * 1)

    @compile
    @ct.no_grad()
    def h(x):
        x.grad.mul_(2)
        return x.grad.sum()

    for i in range(4):
        p.grad = ct.full((2,), float(i))
        assert f().tolist() == [2 * i] * 2
        x = ct.full((2,), float(i), requires_grad=True)
        assert g(x).tolist() == x.grad.tolist() == [2 * i] * 2
        assert h(x).item() == 8 * i
        assert x.grad.tolist() == [4 * i] * 2
    assert f.captures == g.captures == h.captures == 1


def test_leaves_that_it_makes_or_changes_are_leaves():
    f, g = compile(lambda: ct.zeros(2, requires_grad=True)), compile(lambda x: x.requires_grad_() * 2)
    for _ in range(4):
        assert f().requires_grad
        x = ct.ones(2)
        assert g(x).requires_grad
        assert x.requires_grad


def test_commands_of_ones_own_run_eagerly():
    import pyopencl as cl

    def filled(x):
        made = ct.empty(x.shape)
        queue = ct.opencl.current_stream(made.device).queue
        buffer = cl.Buffer.from_int_ptr(made.untyped_storage().data_ptr())
        cl.enqueue_fill_buffer(queue, buffer, np.float32(7), 0, made.nbytes)
        return made + x

    with ct.opencl.stream(ct.opencl.Stream()):  # a queue that is lent has no timestamps any more
        f = compile(filled)
        for i in range(4):
            np.testing.assert_array_equal(f(ct.full((3,), float(i))).numpy(), [7.0 + i] * 3)
        assert not f.programs
        assert "asks for a stream's queue" in f.explain().reasons[0]
        with pytest.raises(CaptureError, match="fullgraph=True: it asks for a stream's queue"):
            compile(filled, fullgraph=True)(ct.zeros(3))
        with pytest.raises(CaptureError, match="asks for a stream's queue"):
            compile(lambda x: x + (x.device.queue is None), fullgraph=True)(ct.zeros(3))


def test_second_derivatives_are_refused():
    """Rather than left out of a sum."""
    net = nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 1))
    compiled, x = compile(net), ct.ones(2, 4, requires_grad=True)
    for _ in range(4):
        y = compiled(x).sum()
        (g,) = ct.autograd.grad(y, x, create_graph=True)
        assert g.requires_grad
    np.testing.assert_allclose(g.detach().numpy(), ct.autograd.grad(net(x).sum(), x)[0].numpy(), rtol=1e-5)
    with pytest.raises(AutogradError, match="has no second derivatives"):
        (g.square().sum() + y).backward()


@compile
def doubled(x):
    return x * 2


def test_copies_of_compiled_functions():
    for _ in range(3):
        doubled(ct.ones(3))
    assert copy.copy(doubled) is copy.deepcopy(doubled) is pickle.loads(pickle.dumps(doubled)) is doubled
    f = compile(lambda x: x * 3, dynamic=True)
    f(ct.ones(3))
    other = copy.deepcopy(f)
    assert other is not f
    assert other(ct.ones(3)).tolist() == [3, 3, 3]
    assert (f.captures, other.captures, other.dynamic.setting) == (1, 1, True)
