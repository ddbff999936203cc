"""The C++ player: it is compiled, and gives the numbers that Python gives, for modules, training steps, control flow and errors."""

import contextlib
import ctypes
import os

import numpy as np
import pytest

import cltensor as ct
from cltensor import nn, optim
from export.mutations import mutated, parts_of, written
from export.player import Player, PlayerError, built, needs_compiler

pytestmark = [pytest.mark.device, needs_compiler, pytest.mark.limit(600)]


@pytest.fixture(scope="module")
def library(request):
    return built(request.config.cache.mkdir("player"))


@pytest.fixture
def played(library, tmp_path, device, monkeypatch):
    """A function that exports for the launch style under test, and gives (the Program, the Player)."""
    monkeypatch.setenv("CL_BUILD_OPTIONS", os.environ.get("PYOPENCL_BUILD_OPTIONS", ""))

    def make(fn, args, **more):
        ct.export.save(fn, tmp_path / "p.ctp", args, **more)
        return [(ct.export.load(tmp_path / "p.ctp"), Player(library, tmp_path / "p.ctp", device.name))]
    return make


def close(found, wanted, tolerance=0):
    np.testing.assert_allclose(found, wanted.numpy() if isinstance(wanted, ct.Tensor) else wanted, rtol=tolerance, atol=tolerance)


def test_a_module_and_new_weights(played):
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(64, 3)).eval()
    x = ct.randn(2, 3, 6, 6)
    for program, player in played(model, (x,)):
        assert player.signatures() == [("input", "float32", [2, 3, 6, 6]), ("output", "float32", [2, 3])]
        for _ in range(2):
            close(player(x.numpy())[0], program(x))
        assert {n: a.shape for n, a in player.state().items()} == {n: tuple(t.shape) for n, t in program.state_dict().items()}
        other = ct.randn(3, 64)
        program.load_state_dict({"4.weight": other, "1.running_var": ct.full((4,), 2.0)}, strict=False)
        player.set_state("4.weight", other.numpy())
        player.set_state("1.running_var", np.full(4, 2, np.float32))
        close(player(x.numpy())[0], program(x))
        player.close()


def test_a_training_step(played, tmp_path):
    model = nn.Sequential(nn.Linear(6, 8, bias=False), nn.BatchNorm1d(8), nn.GELU(), nn.Dropout(0.3), nn.Linear(8, 3))
    optimizer = optim.RAdam(model.parameters(), lr=0.01)
    x, target = ct.randn(16, 6), ct.randint(0, 3, (16,))

    def step(x, target):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), target)
        loss.backward()
        optimizer.step()
        return loss

    for program, player in played(step, (x, target)):
        for n in range(9):
            if n == 4:
                program.numbers["optimizer.param_groups.0.lr"] = 0.003
                player.set_number("optimizer.param_groups.0.lr", 0.003)
            close(player(x.numpy(), target.numpy())[0], program(x, target))
        for path, value in program.numbers.items():
            assert player.number(path) == value
        player.save_state(tmp_path / "state.safetensors")
        saved, mine = ct.load(tmp_path / "state.safetensors"), player.state()
        for name, t in program.state_dict().items():
            if isinstance(t, ct.Tensor):
                close(mine[name], t)
                close(saved[name].numpy(), t)


def test_a_range_of_sizes(played):
    model = nn.Sequential(nn.Linear(6, 8), nn.Softmax(1))
    for program, player in played(model, (ct.randn(4, 6),), dynamic={"input": {0: ("n", 1, 12)}}):
        assert player.signatures()[0] == ("input", "float32", [-1, 6])
        for n in (*range(1, 13), 4):
            x = ct.randn(n, 6)
            close(player(x.numpy())[0], program(x))
        with pytest.raises(PlayerError, match="the size n must be from 1 to 12, got 13"):
            player(np.zeros((13, 6), np.float32))


def test_control_flow_views_and_dtypes(played):
    def turns(x, n, flags):
        steps, total = ct.while_loop(lambda i, s: i < n, lambda i, s: (i + 1, s + x * i), (n * 0, x))
        return ct.cond(total.sum() > 10, lambda: total * 2, lambda: -total).t(), steps, ~flags, x.half()[:, 1]

    x, flags = ct.tensor([[1.0, 2.0], [3.0, 0.5]]), ct.tensor([True, False])
    for program, player in played(turns, (x, ct.tensor(3), flags)):
        for n in (0, 1, 5):
            found, wanted = player(x.numpy(), np.array(n), flags.numpy()), program(x, ct.tensor(n), flags)
            for a, b in zip(found, wanted, strict=True):
                assert a.shape == tuple(b.shape)
                close(a, b)


def test_errors(played, library, tmp_path, device):
    table = nn.Embedding(4, 2)
    for _, player in played(table, (ct.tensor([1, 3]),)):
        close(player(np.array([0, 2]))[0], table.weight.detach()[ct.tensor([0, 2])])
        with pytest.raises(PlayerError, match="Embedding: index 7 is out of bounds for dimension with size 4"):
            player(np.array([0, 7]))
        close(player(np.array([3, 2]))[0], table.weight.detach()[ct.tensor([3, 2])])
        for inputs, told in (([], "it takes 1 inputs, got 0"),
                             ([np.zeros(2, np.float32)], "input must have dtype int64, got float32"),
                             ([np.zeros(3, np.int64)], r"input must have shape \[2\], got \[3\]")):
            with pytest.raises(PlayerError, match=told):
                player(*inputs)
        with pytest.raises(PlayerError, match="there is no number 'lr'"):
            player.number("lr")
        with pytest.raises(PlayerError, match="it holds no tensor 'bias'"):
            player.set_state("bias", np.zeros(2))
        with pytest.raises(PlayerError, match=r"weight is float32\[4, 2\], got float32\[2\]"):
            player.set_state("weight", np.zeros(2, np.float32))
    path = tmp_path / "p.ctp"
    with pytest.raises(PlayerError, match=r"no/such.ctp: there is no such file"):
        Player(library, "no/such.ctp", device.name)
    with pytest.raises(PlayerError, match=r"there is no OpenCL device 'abacus'; there are: .*"):
        Player(library, path, "abacus")
    with pytest.raises(PlayerError, match="its tensors take more than the 10 bytes"):
        Player(library, path, device.name, max_bytes=10)
    data = path.read_bytes()
    for changed, told in ((data[:-1], "the file is damaged"), (data[: len(data) // 2], "cut short"),
                          (data[:-1] + b"x", "its checksum is"),
                          (data.replace(b'"version":"1"', b'"version":"2"', 1), "written in version 2 of the format, this player"),
                          (b"", "no exported program, or cut short"), (b"x" * 100, "no exported program, or cut short")):
        path.write_bytes(changed)
        with pytest.raises(PlayerError, match=told):
            Player(library, path, device.name)


def test_changed_programs_end_in_a_program_or_one_error(library, tmp_path, device, rng, monkeypatch):
    monkeypatch.setenv("CL_BUILD_OPTIONS", os.environ.get("PYOPENCL_BUILD_OPTIONS", ""))
    w = ct.randn(4, 3)
    path = tmp_path / "p.ctp"
    ct.export.save(lambda x: ct.cond(x.sum() > 0, lambda: x @ w, lambda: -x @ w) + ct.rand(3), path, (ct.randn(2, 4),))
    program, tensors = parts_of(path)
    good = 0
    for _ in range(40):
        written(path, mutated(program, rng), tensors)
        with contextlib.suppress(PlayerError):
            Player(library, path, device.name, max_bytes=1 << 28).close()
            good += 1
    assert 0 < good < 40


def test_the_program_for_files(library, tmp_path, capfd, device):
    model, x = nn.Linear(3, 2), ct.randn(4, 3)
    ct.export.save(model, tmp_path / "m.ctp", (x,))
    np.save(tmp_path / "x.npy", x.numpy())
    main = ctypes.CDLL(str(library)).main

    def run(*words):
        words = [b"cltensor-run", *(str(w).encode() for w in words), b"--device", device.name.encode()]
        status = main(len(words), (ctypes.c_char_p * (len(words) + 1))(*words, None))
        return status, *capfd.readouterr()

    status, out, _ = run(tmp_path / "m.ctp", "--input", tmp_path / "x.npy", "--output", tmp_path / "y.npy", "--repeat", 5)
    assert status == 0
    assert "5 runs: first" in out
    assert "output  float32 [4, 2]" in out
    close(np.load(tmp_path / "y.npy"), ct.export.load(tmp_path / "m.ctp")(x))
    status, out, _ = run(tmp_path / "m.ctp", "--info")
    assert "input  float32 [4, 3]" in out
    for words, told in (((tmp_path / "m.ctp", "--output", "z=y.npy"), "there is no 'z'; there are: output"),
                        (("--fast",), "'--fast' is not understood"), ((), "name one file"),
                        ((tmp_path / "m.ctp", "--input", tmp_path / "m.ctp"), "this is no .npy file")):
        status, _, err = run(*words)
        assert status == 1
        assert told in err
