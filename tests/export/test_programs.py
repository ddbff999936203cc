"""Exported programs: what was saved gives the same numbers without its code, call after call, in each device class."""

import copy

import numpy as np
import pytest

import cltensor as ct
from cltensor import nn, optim
from cltensor.base.errors import (
    ArgumentError,
    ArgumentTypeError,
    CaptureError,
    DeviceError,
    DimensionError,
    DTypeError,
    OutOfMemoryError,
    ShapeError,
)

pytestmark = pytest.mark.device
BOTH = ("cpu", "gpu")


def close(found, wanted, tolerance=2e-5):
    np.testing.assert_allclose(found.detach().numpy(), wanted.detach().numpy(), rtol=tolerance, atol=tolerance)


def exported(tmp_path, fn, args, kwargs=None, classes=BOTH):
    path = tmp_path / "program.ctp"
    ct.export.save(fn, path, args, kwargs=kwargs, device_classes=classes)
    return [ct.export.load(path, device_class=c) for c in classes]


class Block(nn.Module):
    """A layer of a transformer."""

    def __init__(self):
        super().__init__()
        self.norm, self.mix = nn.LayerNorm(16), nn.MultiheadAttention(16, 2, batch_first=True)
        self.after = nn.Sequential(nn.LayerNorm(16), nn.Linear(16, 32), nn.GELU(), nn.Linear(32, 16))

    def forward(self, x):
        h = self.norm(x)
        x = x + self.mix(h, h, h, need_weights=False)[0]
        return x + self.after(x)


MODULES = {
    "mlp": (lambda: nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3)), (5, 6)),
    "convolutions": (lambda: nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
                                           nn.Conv2d(8, 4, 3, stride=2), nn.Flatten(), nn.Linear(36, 5)), (2, 3, 16, 16)),
    "transformer": (Block, (2, 7, 16)),
}


@pytest.mark.parametrize("name", MODULES)
def test_a_module(tmp_path, name):
    make, shape = MODULES[name]
    ct.manual_seed(1)
    model, x = make().eval(), ct.randn(*shape)
    wanted = model(x)
    for program in exported(tmp_path, model, (x,)):
        close(program(x), wanted)
        close(program(x + 1), model(x + 1))
        close(program(x), wanted)  # earlier results stay as they are
        assert {k: tuple(t.shape) for k, t in program.state_dict().items()} == {
            k: tuple(t.shape) for k, t in model.state_dict().items()}


def test_new_weights_take_effect(tmp_path):
    model, x = MODULES["convolutions"][0]().eval(), ct.randn(2, 3, 16, 16)
    for program in exported(tmp_path, model, (x,)):
        program(x)
        other = MODULES["convolutions"][0]().eval()
        program.load_state_dict(other.state_dict())
        close(program(x), other(x))
        program.state_dict()["6.bias"].add_(1)
        close(program(x), other(x) + 1)


@pytest.mark.parametrize("name", ["SGD", "Adam", "RAdam", "NAdam"])
def test_a_training_step(tmp_path, name):
    ct.manual_seed(2)
    model = nn.Sequential(nn.Linear(6, 8, bias=False), nn.BatchNorm1d(8), nn.GELU(), nn.Dropout(0.3), nn.Linear(8, 3))
    settings = {"momentum": 0.9} if name == "SGD" else {}
    optimizer = getattr(optim, name)(model.parameters(), lr=0.01, **settings)
    x, target = ct.randn(16, 6), ct.randint(0, 3, (16,))

    def step(x, target):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), target)
        loss.backward()
        optimizer.step()
        return {"loss": loss, "logits": [model[4].bias, x]}

    programs = exported(tmp_path, step, (x, target))
    wanted = [step(x, target)["loss"].item() for _ in range(8)]
    for program in programs:
        found = [program(x, target) for _ in range(8)]
        np.testing.assert_allclose([r["loss"].item() for r in found], wanted, rtol=1e-4, atol=1e-5)
        assert found[0]["logits"][1].shape == x.shape
        close(program.state_dict("model")["4.weight"], model[4].weight, 1e-3)
        close(program.state_dict("model")["1.running_mean"], model[1].running_mean, 1e-3)
        assert int(program.state_dict("model")["1.num_batches_tracked"]) == int(model[1].num_batches_tracked)
        assert program.numbers["random.offset"] == ct.default_generator._offset
        if name != "SGD":
            assert program.numbers["optimizer.step"] == optimizer.state[model[0].weight]["step"]


def test_numbers_of_a_step_may_be_set(tmp_path):
    w, other = ct.zeros(3).requires_grad_(), ct.zeros(3)
    descent = optim.SGD([w], lr=0.5)

    def step(g):
        descent.zero_grad()
        (w * g).sum().backward()
        descent.step()
        return w.detach() * 1

    program, _ = exported(tmp_path, step, (other + 1,))
    assert list(program.numbers) == ["descent.param_groups.0.lr"]
    before = program(other)
    program.numbers["descent.param_groups.0.lr"] = 0.25
    close(program(other + 4), before - 1)
    with pytest.raises(KeyError):
        program.numbers["lr"] = 1
    with pytest.raises(ArgumentTypeError, match=r"lr is a float, got 'x'"):
        program.numbers["descent.param_groups.0.lr"] = "x"
    with pytest.raises(ArgumentTypeError, match="cannot be removed"):
        del program.numbers["descent.param_groups.0.lr"]


def test_state_goes_from_one_program_to_another(tmp_path):
    model = nn.Linear(4, 2)
    optimizer = optim.Adam(model.parameters(), lr=0.1)

    def step(x):
        optimizer.zero_grad()
        loss = model(x).square().mean()
        loss.backward()
        optimizer.step()
        return loss

    x = ct.randn(3, 4)
    one, other = exported(tmp_path, step, (x,))
    for _ in range(3):
        one(x)
    other.load_state_dict(one.state_dict())
    assert other.numbers["optimizer.step"] == one.numbers["optimizer.step"]
    close(other(x), one(x), 1e-4)
    model.load_state_dict(one.state_dict("model"))
    close(model.weight, one.state_dict()["model.weight"], 0)


def test_random_numbers_go_on(tmp_path):
    generator = ct.Generator().manual_seed(2**64 - 5)

    def noise(x):
        return x + ct.rand(5, generator=generator), ct.bernoulli(x * 0 + 0.5)

    x = ct.zeros(5)
    programs = exported(tmp_path, noise, (x,))
    wanted = [noise(x) for _ in range(3)]
    for program in programs:
        for a, b in wanted:
            found = program(x)
            close(found[0], a, 0)
            close(found[1], b, 0)
        assert program.numbers["generator.seed"] == -5
        program.numbers["generator.offset"] = programs[0].numbers["generator.offset"] - 5
        close(program(x)[0], wanted[-1][0], 0)


def test_control_flow(tmp_path):
    def turns(x, n):
        steps, total = ct.while_loop(lambda i, s: i < n, lambda i, s: (i + 1, s + x * i), (n * 0, x))
        return ct.cond(total.sum() > 10, lambda: total * 2, lambda: -total), steps

    x = ct.tensor([1.0, 2.0])
    for program in exported(tmp_path, turns, (x, ct.tensor(3))):
        for n in (0, 1, 5):
            found, wanted = program(x, ct.tensor(n)), turns(x, ct.tensor(n))
            close(found[0], wanted[0])
            assert int(found[1]) == int(wanted[1]) == n


def test_arguments_and_results_of_every_form(tmp_path):
    bias = ct.tensor([1.0, 2.0])

    def fn(pair, options, scale=2, *, last=None):
        a, b = pair
        b.mul_(scale)
        return (a + bias, b), {"last": last, "flag": a > 0, "many": [a, bias, a.sum(), a[:, 1], None, "text"]}

    a, b, last = ct.randn(3, 2), ct.ones(3, 2), ct.tensor([True, False])
    for program in exported(tmp_path, fn, ([a, b], {"k": 1}), {"last": last}):
        assert [x["name"] for x in program.inputs] == ["pair.0", "pair.1", "last"]
        mine = b.clone()
        (total, same), found = program([a, mine], {"k": 1}, last=last)
        close(total, a + bias)
        assert same.shape == mine.shape
        close(mine, b * 2, 0)
        close(same, mine, 0)
        assert found["flag"].dtype is ct.bool
        assert found["many"][4:] == [None, "text"]
        close(found["many"][3], a[:, 1], 0)
        assert found["many"][1].tolist() == [1, 2]
        with pytest.raises(ArgumentError, match=r"argument 1\['k'\] was 1 when the program was exported.* got 2"):
            program([a, mine], {"k": 2}, last=last)
        with pytest.raises(ArgumentError, match="must be a list of 2, got a list of 1"):
            program([a], {"k": 1}, last=last)
        with pytest.raises(ArgumentError, match=r"the keywords must be a dict with the keys \['last'\], got {}"):
            program([a, mine], {"k": 1})


def test_arrays_views_and_small_shapes(tmp_path):
    def fn(x, empty, number):
        return x.t() @ x, empty + 1, number * 2, x[1:].sum(0, keepdim=True)

    x, empty, number = ct.randn(4, 3), ct.zeros(0, 3), ct.tensor(5)
    for program in exported(tmp_path, fn, (x, empty, number)):
        for given in (x, ct.randn(3, 4).t(), ct.randn(5, 3)[1:], ct.randn(8, 3)[::2]):
            for found, wanted in zip(program(given, empty, number), fn(given, empty, number), strict=True):
                close(found, wanted)
        found = program(x.numpy(), empty.numpy(), number.numpy())
        close(found[0], x.t() @ x)
        assert found[1].shape == (0, 3)


def test_double_precision_and_integers(tmp_path):
    if not ct.get_default_device().profile.fp64:
        pytest.skip("the device has no double precision")

    def fn(x, n):
        return x.to(ct.float64).cumsum(0) / 3, n // 3, n.to(ct.uint8).bitwise_not(), n.float().mean()

    x, n = ct.randn(9), ct.arange(-4, 5)
    for program in exported(tmp_path, fn, (x, n)):
        for found, wanted in zip(program(x, n), fn(x, n), strict=True):
            assert found.dtype is wanted.dtype
            close(found, wanted)


def test_an_index_out_of_range_is_told(tmp_path):
    table = nn.Embedding(4, 2)
    for program in exported(tmp_path, table, (ct.tensor([1, 3]),)):
        close(program(ct.tensor([0, 2])), table.weight[ct.tensor([0, 2])], 0)
        with pytest.raises(DimensionError, match="7 is out of bounds for dimension with size 4"):
            program(ct.tensor([0, 7])).numpy()
        close(program(ct.tensor([0, 2])), table.weight[ct.tensor([0, 2])], 0)


def test_a_program_inside_of_a_compiled_function(tmp_path):
    x = ct.randn(3)
    program, _ = exported(tmp_path, lambda x: x * 2, (x,))
    outer = ct.compile(lambda x: program(x + 1) - 1)
    for _ in range(4):
        close(outer(x), x * 2 + 1)
    assert "an exported program runs" in str(outer.explain())


def test_what_compile_made_exports_too(tmp_path):
    model, x = nn.Linear(3, 2), ct.randn(2, 3)
    for fn in (ct.compile(model), ct.compile(lambda x: model(x) * 2)):
        wanted = fn(x)
        for program in exported(tmp_path, fn, (x,)):
            close(program(x), wanted)


def test_arguments_that_do_not_fit(tmp_path):
    program, _ = exported(tmp_path, nn.Linear(3, 2), (ct.randn(2, 3),))
    with pytest.raises(ShapeError, match=r"Linear: input must have shape \[2, 3\], got \[3, 3\]"):
        program(ct.randn(3, 3))
    with pytest.raises(ShapeError, match=r"must have shape \[2, 3\], got \[2, 3, 1\]"):
        program(ct.randn(2, 3, 1))
    with pytest.raises(DTypeError, match="must have dtype float32, got int64"):
        program(ct.ones(2, 3, dtype=ct.int64))
    with pytest.raises(ArgumentTypeError, match="must be a tensor or an array, got float"):
        program(1.0)
    with pytest.raises(ArgumentError, match="it takes 1 inputs, got 0"):
        program.run([])
    with pytest.raises(ArgumentError, match=r"missing are .*weight"):
        program.load_state_dict({})
    with pytest.raises(ArgumentError, match=r"unknown are .*more"):
        program.load_state_dict({**program.state_dict(), "more": ct.ones(1)})
    before = program.state_dict()["bias"].clone()
    with pytest.raises(ShapeError, match="weight has shape"):
        program.load_state_dict({"weight": ct.ones(1), "bias": ct.ones(2)})
    close(program.state_dict()["bias"], before, 0)
    program.load_state_dict({"bias": ct.ones(2)}, strict=False)
    assert program.state_dict()["bias"].tolist() == [1, 1]
    assert "Linear(input: float32[2, 3]) -> float32[2, 2]" in repr(program)


def test_what_cannot_be_exported(tmp_path):
    path, x, w = tmp_path / "p.ctp", ct.randn(3), ct.ones(3).requires_grad_()
    descent = optim.SGD([w], lr=0.1)
    schedule = optim.lr_scheduler.StepLR(descent, 2)

    def reads(x):
        return x * x.sum().item()

    def adds(x):
        (w * x).sum().backward()
        return w.grad * 1

    def scheduled(x):
        descent.zero_grad()
        (w * x).sum().backward()
        descent.step()
        schedule.step()

    with pytest.raises(CaptureError, match=r"read by the host.*move that out of it"):
        ct.export.save(reads, path, (x,))
    with pytest.raises(CaptureError, match="begin it with zero_grad"):
        ct.export.save(adds, path, (x,))
    with pytest.raises(CaptureError, match="Leave schedulers and GradScaler out of the function"):
        ct.export.save(scheduled, path, (x,))
    with pytest.raises(CaptureError, match="a file cannot hold the argument"):
        ct.export.save(lambda x, how: x * 1, path, (x, object()))
    with pytest.raises(ArgumentTypeError, match=r"args must be a tuple of arguments, such as \(x,\)"):
        ct.export.save(reads, path, x)
    with pytest.raises(ArgumentTypeError, match="expected a function or a Module"):
        ct.export.save(3, path, (x,))
    with pytest.raises(ArgumentError, match="the function runs to be exported, which meta cannot"):
        ct.export.save(lambda x: x * 2, path, (ct.empty(3, device="meta"),))
    for classes in ("cpu", ("tpu",), ()):
        with pytest.raises(ArgumentError, match="device_classes must be some of"):
            ct.export.save(lambda x: x * 2, path, (x,), device_classes=classes)
    assert not path.exists()


def test_classes_and_memory(tmp_path, device):
    x = ct.randn(64, 64)
    path, model = tmp_path / "p.ctp", nn.Linear(64, 64)
    other = ({"cpu", "gpu"} - {device.profile.style}).pop()
    ct.export.save(model, path, (x,), device_classes=(other,))
    program = ct.export.load(path)
    assert program.device_class == other
    close(program(x), model(x))
    with pytest.raises(DeviceError, match=f"the file has kernels for {other}, none for"):
        ct.export.load(path, device_class=device.profile.style)
    with pytest.raises(OutOfMemoryError, match=r"the program's tensors take 16.25 KiB of memory, allowed are 1000 bytes"):
        ct.export.load(path, max_bytes=1000)
    with pytest.raises(OutOfMemoryError, match=r"the program takes .* allowed are"):
        ct.export.load(path, max_bytes=20000)


def test_a_file_object_and_a_broken_write(tmp_path):
    model, x = nn.Linear(3, 2), ct.randn(2, 3)
    path = tmp_path / "p.ctp"
    ct.export.save(model, path, (x,))
    before = path.read_bytes()
    with pytest.raises(CaptureError):
        ct.export.save(lambda x: x * x.sum().item(), path, (x,))
    assert path.read_bytes() == before
    with open(path, "rb") as f:
        close(ct.export.load(f)(x), model(x))
    ct.export.save(model, path, (x,))
    assert path.read_bytes() == before
    assert copy.deepcopy(ct.export.info(path)) == ct.export.info(path)
