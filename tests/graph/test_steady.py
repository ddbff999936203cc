"""Results of parameters alone: kept from call to call, and computed anew once a parameter is written to."""

import numpy as np
import pytest

import cltensor as ct
from cltensor import amp, nn, optim
from cltensor.compiler import compile
from cltensor.graph import steady
from cltensor.graph.captured import Captured, capture
from ops import samples

from .programs import STEPS, draws
from .test_generated_capture import as_tuple, cases

pytestmark = [pytest.mark.device, pytest.mark.any_style]
F = nn.functional


class Net(nn.Module):
    """A convolution, a batch norm and a recurrent layer: weights are packed, scaled and transposed."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm, self.recurrent = nn.Conv2d(2, 5, 3), nn.BatchNorm2d(5), nn.LSTM(20, 4)

    def forward(self, x):
        y = self.norm(self.conv(x)).relu()
        return self.recurrent(y.reshape(3, 1, 20))[0]


def asked(net, compiled, k):
    """What a net says eagerly, and compiled."""
    [x] = draws(k, (3, 2, 4, 4))
    with ct.no_grad():
        return net(x).numpy(), compiled(x).numpy()


def ready():
    """(a Net, it compiled with results kept, its Replay)."""
    ct.manual_seed(0)
    net = Net().eval()
    compiled = compile(net)
    for k in range(6):
        a, b = asked(net, compiled, k)
        np.testing.assert_array_equal(a, b)
    [program] = compiled._program.programs
    replay = program.captured.replay
    assert replay.steady.kept
    assert len(replay.launches) < len(replay.every)
    return net, compiled, replay


def trained(net):
    optimizer = optim.SGD(net.parameters(), lr=0.1)
    net(draws(9, (3, 2, 4, 4))[0]).sum().backward()
    optimizer.step()


@pytest.mark.parametrize("change", [
    lambda net: net.conv.weight.data.mul_(2),
    lambda net: net.conv.weight.detach().copy_(ct.ones(5, 2, 3, 3)),
    lambda net: net.recurrent.weight_hh_l0.data[1].fill_(0.5),
    lambda net: net.norm.running_var.add_(1),
    lambda net: net.load_state_dict({k: v + 1 for k, v in net.state_dict().items()}),
    lambda net: nn.init.ones_(net.conv.weight),
    lambda net: ct.nn.utils.vector_to_parameters(ct.ones(sum(p.numel() for p in net.parameters())), net.parameters()),
    trained,
])
def test_a_parameter_that_is_written_to(change):
    net, compiled, _ = ready()
    before = asked(net, compiled, 0)[0]
    change(net)
    for k in range(4):
        a, b = asked(net, compiled, k)
        np.testing.assert_array_equal(a, b)
        assert k or not np.array_equal(a, before)


def test_a_parameter_that_changes_at_each_call():
    net, compiled, replay = ready()
    for k in range(steady.MOVING + 4):
        net.conv.weight.data.mul_(0.9)
        a, b = asked(net, compiled, k)
        np.testing.assert_array_equal(a, b)
    assert not replay.steady.kept
    assert replay.launches is replay.every
    for k in range(4):
        np.testing.assert_array_equal(*asked(net, compiled, k))
    assert replay.steady.kept


def test_an_interrupt_while_results_are_computed_anew():
    net, compiled, replay = ready()
    launch = replay.steady.launches[-1]

    class Interrupted:
        def enqueue(self, *given):
            raise KeyboardInterrupt

    replay.steady.launches[-1] = Interrupted()
    net.conv.weight.data.mul_(2)
    with pytest.raises(KeyboardInterrupt):
        asked(net, compiled, 0)
    replay.steady.launches[-1] = launch
    np.testing.assert_array_equal(*asked(net, compiled, 0))


def test_an_argument_that_is_a_parameter():
    """The memory is written to under another name, before what reads the parameter."""
    p = nn.Parameter(ct.ones(4, 4))

    def f(x):
        x.add_(1)
        return p.t().contiguous().flip(0) * 2

    def run(f):
        with ct.no_grad():
            p.fill_(1)
            return [f(x).numpy() for x in (ct.zeros(4, 4), ct.zeros(4, 4), ct.zeros(4, 4), p.data, ct.zeros(4, 4), p.data)]

    for a, b in zip(run(f), run(compile(f)), strict=True):
        np.testing.assert_array_equal(a, b)


def test_what_a_program_returns_or_writes_is_no_kept_result():
    p = nn.Parameter(ct.ones(3, 2))

    def f(x):
        with ct.no_grad():
            made = p.t().contiguous() + 0
            other = p.exp()
            other.add_(x)
        return made, other

    compiled, kept = compile(f), []
    for k in range(5):
        kept.append(compiled(ct.full((3, 2), float(k))))
    kept[-2][0].zero_()
    made, other = compiled(ct.zeros(3, 2))
    np.testing.assert_array_equal(made.numpy(), np.ones((2, 3)))
    np.testing.assert_allclose(other.numpy(), np.full((3, 2), np.e), rtol=1e-6)
    for k, (_, other) in enumerate(kept):
        np.testing.assert_allclose(other.numpy(), np.e + k, rtol=1e-6)


def test_tensors_that_are_no_parameters_are_not_taken_for_steady():
    x = ct.ones(4, 4)
    f = compile(lambda: (x.t().contiguous() @ x).relu())
    for _ in range(5):
        f()
    assert f.programs[0].captured.replay.steady is None


def test_casts_of_parameters():
    ct.manual_seed(0)
    net = nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 4)).eval()
    compiled = compile(net)
    for k in range(8):
        [x] = draws(k, (2, 6))
        with ct.no_grad(), amp.autocast("cuda", dtype=ct.bfloat16):
            a, b = net(x), compiled(x)
        np.testing.assert_array_equal(a.float().numpy(), b.float().numpy())
        if k == 5:
            assert compiled._program.programs[0].captured.replay.steady.kept
            net[0].weight.data.add_(1)


@pytest.mark.parametrize("name", ["cnn", "lstm", "gpt"])
def test_between_steps_of_a_training(name):
    """Asked after each step: the same bits as eagerly."""
    ct.manual_seed(1)
    program = STEPS[name]()
    compiled = compile(program.net)
    for i in range(7):
        program.net.train()
        if i in (4, 6):
            program.step(*program.batch(i))
        program.net.eval()
        x = program.batch(i)[0]
        with ct.no_grad():
            for a, b in zip(as_tuple(program.net(x)), as_tuple(compiled(x)), strict=True):
                np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-5, atol=1e-6)


def test_ops_of_parameters():
    """Every fourth op of parameters alone, kept, then changed: as if nothing was kept."""
    count = 0
    for case in list(cases())[::4]:
        op, dtype = case.values
        arrays, attrs = samples.samples(op, dtype)[0]
        given = samples.tensors(arrays, dtype)
        held = [t for t in given if isinstance(t, ct.Tensor)]

        def call(op=op, given=given, attrs=attrs):
            return tuple(t + 0 if t.dtype.is_floating_point else t for t in as_tuple(op(*given, **attrs))
                         if isinstance(t, ct.Tensor))

        result, captured = capture(call, (), {}, ct.get_default_device())
        if not isinstance(captured, Captured) or not result or captured.backward:
            continue
        captured.members = {t._storage for t in held}
        captured.start()
        if captured.replay.steady is None:
            continue
        count += 1
        for _ in range(4):
            found = captured([])
        assert captured.replay.steady.kept
        for a, b in zip(found, result, strict=True):
            np.testing.assert_array_equal(samples.values(a), samples.values(b))
        floats = [t for t in held if t.dtype.is_floating_point]
        for t in floats:
            t.mul_(0.5)
        for a, b in zip(captured([]), call(), strict=True):
            np.testing.assert_allclose(samples.values(a), samples.values(b), rtol=1e-5, atol=1e-6)
    assert count > 8


def test_memory_of_kept_results_is_bounded(monkeypatch):
    p = nn.Parameter(ct.ones(3, 3))
    with ct.no_grad():
        _, captured = capture(lambda x: p.exp().flip(0).flip(1) @ x, (ct.ones(3, 3),), {}, ct.get_default_device())
    members = {p._storage}
    every = steady.steady_blocks(captured.stages[0][1], members)
    monkeypatch.setattr(steady, "MOST", 36 * 2)
    assert len(every) == 3
    assert len(steady.steady_blocks(captured.stages[0][1], members)) == 2
    assert not steady.steady_blocks(captured.stages[0][1], ())


def test_gradcheck_of_parameters():
    """It changes elements where they lie; the function looks at the parameters itself."""
    if not ct.get_default_device().profile.fp64:
        pytest.skip("no double precision")
    ct.manual_seed(0)
    net = nn.Conv2d(2, 5, 3).double()
    compiled, x = compile(net), ct.rand(1, 2, 4, 4, dtype=ct.float64)
    with ct.no_grad():
        for _ in range(5):
            compiled(x)
        assert compiled._program.programs[0].captured.replay.steady.kept
    assert ct.autograd.gradcheck(lambda *_: compiled(x), tuple(net.parameters()))


def test_weights_that_last_are_packed_also_where_pixels_are_few(device):
    """Packing costs more than the sums if it is done at each call; here it is done once."""
    if device.profile.style != "cpu":
        pytest.skip("few pixels are another matter in the gpu style")
    net, [x] = nn.Conv2d(40, 160, 3, padding=1).eval(), draws(0, (2, 40, 2, 2))
    compiled = compile(net)
    with ct.no_grad():
        for _ in range(4):
            np.testing.assert_allclose(compiled(x).numpy(), net(x).numpy(), atol=2e-6)
    replay = compiled._program.programs[0].captured.replay
    assert "conv_panel" in {launch.step.name for launch in replay.every} - {launch.step.name for launch in replay.launches}
    assert "conv_columns" not in {launch.step.name for launch in replay.every}
