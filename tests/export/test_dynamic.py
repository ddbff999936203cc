"""Programs for a range of sizes: the same numbers as eager calls for every size, with expressions in place of sizes."""

import numpy as np
import pytest

import cltensor as ct
from cltensor import nn, optim
from cltensor.base.errors import ArgumentError, CaptureError, ShapeError
from cltensor.export.fitting import Fitting, Unlike

pytestmark = pytest.mark.device


def close(found, wanted, tolerance=2e-5):
    np.testing.assert_allclose(found.detach().numpy(), wanted.detach().numpy(), rtol=tolerance, atol=tolerance)


def exported(tmp_path, fn, args, dynamic):
    path = tmp_path / "program.ctp"
    ct.export.save(fn, path, args, dynamic=dynamic, device_classes=("cpu", "gpu"))
    return [ct.export.load(path, device_class=c) for c in ("cpu", "gpu")]


def test_a_module_for_a_range_of_batches(tmp_path):
    model = nn.Sequential(nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.LayerNorm(64), nn.Linear(64, 3)).eval()
    for program in exported(tmp_path, model, (ct.randn(4, 2, 6, 6),), {"input": {0: ("batch", 1, 40)}}):
        assert program.inputs[0]["shape"] == ["batch", 2, 6, 6]
        assert program.outputs[0]["shape"] == ["batch", 3]
        for n in (1, 2, 3, 5, 8, 17, 33, 40, 5):
            x = ct.randn(n, 2, 6, 6)
            close(program(x), model(x))
        with pytest.raises(ShapeError, match="the size batch must be one, from 1 to 40, got"):
            program(ct.randn(41, 2, 6, 6))
        with pytest.raises(ShapeError, match=r"input must have shape \[batch, 2, 6, 6\], got"):
            program(ct.randn(4, 2, 6, 5))


def test_a_training_step_for_a_range_of_batches(tmp_path, rng):
    ct.manual_seed(3)
    model = nn.Sequential(nn.Linear(6, 8, bias=False), nn.BatchNorm1d(8), nn.GELU(), nn.Dropout(0.25), nn.Linear(8, 3))
    optimizer = optim.Adam(model.parameters(), lr=0.01)

    def batch(n):
        return ct.from_numpy(rng.standard_normal((n, 6), np.float32)), ct.from_numpy(rng.integers(0, 3, n))

    def step(x, target):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), target)
        loss.backward()
        optimizer.step()
        return loss, x[0] * 2

    programs = exported(tmp_path, step, batch(8), {"x": {0: ("n", 2, 24)}, "target": {0: ("n", 2, 24)}})
    batches = [batch(n) for n in (8, 3, 24, 2, 11, 16)]
    wanted = [step(*b)[0].item() for b in batches]
    for program in programs:
        np.testing.assert_allclose([program(*b)[0].item() for b in batches], wanted, rtol=1e-4)
        assert program.numbers["random.offset"] == ct.default_generator._offset
        assert program.numbers["optimizer.step"] == optimizer.state[model[0].weight]["step"]
        close(program.state_dict("model")["4.weight"], model[4].weight, 1e-3)
        with pytest.raises(ShapeError, match="the size n must be one"):
            program(batches[0][0], batches[1][1])


def test_captures_of_other_sizes_leave_no_trace(tmp_path):
    ct.manual_seed(4)
    model = nn.Sequential(nn.BatchNorm1d(3), nn.Dropout(0.5))
    x = ct.randn(6, 3)
    model(x)
    before = {name: t.clone() for name, t in model.state_dict().items()}
    offset = ct.default_generator._offset
    ct.export.save(model, tmp_path / "p.ctp", (x,), dynamic={"input": {0: ("n", 2, 9)}})
    after, one = model.state_dict(), ct.default_generator._offset - offset
    assert int(after["0.num_batches_tracked"]) - int(before["0.num_batches_tracked"]) == 1
    assert one == 18  # of one call


def test_what_cannot_be_dynamic(tmp_path):
    path, x = tmp_path / "p.ctp", ct.randn(4, 3)

    def double(x, y=None):
        return x * 2

    for dynamic, told in (({"z": {0: "n"}}, "dynamic names the input 'z'; there are: x"),
                          ({"x": {2: "n"}}, "dimension 2 of x, which has 2"),
                          ({"x": {0: "n", 1: "m"}}, "one size may be dynamic"), ({"x": {0: "no name"}}, "a dynamic size is a name"),
                          ({"x": {0: ("n", 5, 3)}}, "1 <= lowest < highest"),
                          ({"x": [0, 1]}, r"batch is \[3, 4\] in the arguments")):
        with pytest.raises(ArgumentError, match=told):
            ct.export.save(double, path, (x,), dynamic=dynamic)
    with pytest.raises(CaptureError, match="goes another way for too many sizes of batch"):
        ct.export.save(lambda x: x * int(str(x.shape[0])[::-1]), path, (x,), dynamic=True)
    assert not path.exists()
    ct.export.save(double, path, (x,), dynamic=True)
    close(ct.export.load(path)(ct.ones(1000, 3)), ct.ones(1000, 3) * 2, 0)


def test_numbers_become_expressions():
    sizes = (2, 3, 4, 7, 9, 16, 31, 40)
    fitting = Fitting("n", sizes)
    rules = {"n": lambda n: n, "640 * n": lambda n: 640 * n, "3 * n + 5": lambda n: 3 * n + 5, "ceil(n, 4)": lambda n: -(-n // 4),
             "64 * ceil(n, 8)": lambda n: -(-n // 8) * 64, "16 * (n + 1)": lambda n: 16 * n + 16, "-1 * n + 50": lambda n: 50 - n}
    for text, rule in rules.items():
        assert fitting.whole([rule(n) for n in sizes]) == text
    with pytest.raises(Unlike):
        fitting.whole([n * n for n in sizes])
    assert fitting.text([f"(offset + {5 * n})" for n in sizes]) == "(offset + (5 * n))"
    assert fitting.float([float(np.float32(1 / (3 * n))) for n in sizes], "f32") == "1 / (3 * n)"
    assert fitting.float([n / (n - 1) for n in sizes], "f64") == "(n) / ((n) - 1)"
    with pytest.raises(Unlike):
        fitting.float([n**0.3 for n in sizes], "f64")
    same = [{"source": 1, "arguments": [["tensor", 3, n, 4, 8 * n], ["i64", 7]]} for n in sizes]
    assert fitting.merged(same) == {"source": 1, "arguments": [["tensor", 3, "n", 4, "8 * n"], ["i64", 7]]}
    with pytest.raises(Unlike):
        fitting.merged([{"source": n} for n in sizes])
    assert fitting.merged([{"work_group": n, "fp64": n > 9} for n in sizes]) == {"work_group": 40, "fp64": True}
