"""Files of programs: damaged, foreign, newer and hostile ones give one clear error, before anything of them runs."""

import contextlib
import json
import tracemalloc

import numpy as np
import pytest

import cltensor as ct
from cltensor import nn, optim
from cltensor.base.errors import BuildError, CLTensorError, OutOfMemoryError, SerializationError
from cltensor.cli import main
from cltensor.export.expressions import Expression, expression
from cltensor.export.traced import Path, Traced, Untraceable
from export.mutations import mutated, parts_of, written

pytestmark = [pytest.mark.device, pytest.mark.any_style]


@pytest.fixture(scope="module")
def step_file(tmp_path_factory):
    """A training step with a choice, and its state."""
    ct.manual_seed(5)
    model = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.5), nn.Linear(4, 2))
    optimizer = optim.Adam(model.parameters())

    def step(x, target):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), target)
        loss.backward()
        optimizer.step()
        loss = loss.detach()
        return {"loss": ct.cond(loss > 1, lambda: loss * 2, lambda: -loss)}

    path = tmp_path_factory.mktemp("files") / "step.ctp"
    ct.export.save(step, path, (ct.randn(6, 3), ct.randint(0, 2, (6,))))
    return path


def test_a_file_that_is_not_whole(step_file, tmp_path):
    data, path = step_file.read_bytes(), tmp_path / "p.ctp"
    head = data.index(b"}", data.index(b'plans'))
    cases = {
        "empty": (b"", "has 0 bytes.*truncated"), "cut": (data[:-3], "truncated"), "short": (data[:300], "truncated"),
        "longer": (data + b"\0", "after the last tensor"), "data changed": (data[:-1] + bytes([data[-1] ^ 1]), "its checksum is"),
        "program changed": (data[:head] + b" " + data[head + 1:], "its checksum is|not valid JSON"),
        "newer": (data.replace(b'"version":"1"', b'"version":"9"', 1), "in version 9 of the format, this cltensor reads up to 1"),
        "no version": (data.replace(b'"version":"1"', b'"version":"x"', 1), "its version is 'x', which is no number"),
        "another format": (data.replace(b'"cltensor.program"', b'"cltensor.pr0gram"', 1), "no exported program|not valid"),
        "text": (b"hello, this is a text", "no file that can be loaded"),
    }
    for changed, told in cases.values():
        path.write_bytes(changed)
        for read in (ct.export.load, ct.export.info, ct.export.check):
            with pytest.raises(SerializationError, match=told) as raised:
                read(path)
            assert str(path) in str(raised.value)
    ct.save({"a": ct.ones(2)}, path)
    with pytest.raises(SerializationError, match=r"a safetensors file, but no exported program; write one with"):
        ct.export.load(path)
    with pytest.raises(FileNotFoundError):
        ct.export.load(tmp_path / "nothing.ctp")


def test_parts_that_do_not_fit(step_file, tmp_path):
    program, tensors = parts_of(step_file)
    plan = program["plans"][0]
    launch = next(s for s in plan["steps"] if "kernel" in s)
    operand = next(a for s in plan["steps"] if "kernel" in s for a in s["arguments"] if a[0] == "tensor" and a[4])
    kept = next(b for b in plan["buffers"] if b["kind"] == "temporary")
    cases = [
        (launch, "source", 999, "one of .* parts should be named"), (launch, "kernel", "no name", "is no name"),
        (launch, "kernel", "nothing", "no kernel 'nothing'"), (launch, "local", [7] * len(launch["local"]), "which .* cannot run"),
        (launch, "global", [], "no or too many dimensions"),
        (launch, "arguments", launch["arguments"][1:], "does not fit|parameters"),
        (launch, "arguments", [["pointer", 5]], "no kind 'pointer' of arguments"),
        (launch, "arguments", [["i64", "batch"]], "depends on 'batch', which is no number"),
        (operand, 4, 10**9, "of a buffer of"), (operand, 2, 10**9, "of a buffer of"), (operand, 1, 10**6, "parts should be named"),
        (kept, "bytes", 1 << 60, "takes .* of memory, allowed are"), (kept, "bytes", -4, "where a size should be"),
        (kept, "kind", "disk", "no kind 'disk' of buffers"), (plan, "class", "tpu", "no device class 'tpu'"),
        (plan, "steps", [{"run": "python"}], "no step with 'run'"), (program, "plans", [], "no plan"),
        (plan, "steps", [{"copy": [0, 0, 1, 0, 10**6]}], "a copy takes bytes 0 to 1000000 of a buffer"),
        (program["memories"][0], "bytes", 5, "is not as large as its tensor"),
        (program["memories"][0], "tensor", "z", "does not hold"),
        (program["state"][0], "offset", 10**6, "does not lie in its memory"),
        (program["outputs"][0], "offset", 50, "output .* of a buffer"),
        (program["numbers"][0], "value", "many", "64 bits"), (program["inputs"][0], "dtype", "float3", "has the dtype 'float3'"),
        (program, "structure", {}, "does not describe a program"),
        (program["structure"], "inputs", 3, "does not describe a program"),
        (program, "sources", [*program["sources"][:-1], "__kernel void broken("], "does not compile|no kernel"),
    ]
    for owner, key, value, told in cases:
        before, owner[key] = owner[key], value
        path = written(tmp_path / "p.ctp", program, tensors)
        owner[key] = before
        with pytest.raises((SerializationError, OutOfMemoryError, BuildError), match=told):
            ct.export.load(path)


def test_mutated_programs_end_in_a_program_or_one_error(step_file, tmp_path, rng):
    program, tensors = parts_of(step_file)
    tracemalloc.start()
    good = 0
    for _ in range(120):
        path = written(tmp_path / "p.ctp", mutated(program, rng), tensors)
        with contextlib.suppress(CLTensorError):
            ct.export.load(path, max_bytes=1 << 28)
            good += 1
    assert tracemalloc.get_traced_memory()[1] < 1 << 30
    tracemalloc.stop()
    assert good > 5


def test_deep_descriptions(step_file, tmp_path):
    program, tensors = parts_of(step_file)
    path = tmp_path / "p.ctp"
    steps = []
    for _ in range(80):
        steps = [{"if": [0, 0], "then": steps, "else": []}]
    for changed, told in (({"structure": {"inputs": program["structure"]["inputs"], "outputs": _nested(90)}}, "nested too deep"),
                          ({"plans": [{**program["plans"][0], "steps": steps}]}, "nested more than")):
        with pytest.raises(SerializationError, match=told):
            ct.export.load(written(path, {**program, **changed}, tensors))


def _nested(depth):
    made = 0
    for _ in range(depth):
        made = {"list": [made]}
    return made


def test_expressions():
    values = {"n": 7, "lr": 0.25, "step": 3}
    for text, wanted in (("n // 2 * 4 % 5", 2), ("-n // 2", -4), ("-n % 3", 2), ("ceil(n, 4) * 16", 32),
                         ("min(n, 3, 5) + max(1, 2)", 5),
                         ("2 ** 3 ** 2", 512), ("-2 ** 2", -4), ("lr / (1 - 0.9 ** (step + 1))", 0.25 / (1 - 0.9**4)),
                         ("n / 2", 3.5),
                         ("1 if n > 3 else 0", 1), ("n == 7", 1), ("(1 - 0.99 ** step) ** 0.5", (1 - 0.99**3) ** 0.5),
                         ("2 ** 64", 0),
                         ("9223372036854775807 + 1", -(2**63)), ("sqrt(n - 3)", 2.0), ("1e-08 * 2.5", 2.5e-08), ("inf", np.inf),
                         ("0 if n else 1 / 0", 0), ("1e300 * 1e300", np.inf)):
        found = expression(text)(values)
        assert found == wanted
        assert type(found) is type(wanted)
    for text in ("(-1.0) ** 0.5", "log(-1)", "nan"):
        assert np.isnan(expression(text)(values))
    for text in ("n[0]", "n.real", "f(n)", "1 < n < 3", "n if n", "lambda: 1", "'a'", "n; n", "min(1)", "x := 3", "[1]", "1j",
                 "not n", "n and n", "n ** ", "+n", "~n", "n @ n", "(" * 200 + "1" + ")" * 200, "1" * 5000):
        with pytest.raises(SerializationError):
            Expression(text)
    with pytest.raises(SerializationError, match="cannot be computed"):
        expression("n // (n - 7)")(values)


def test_numbers_are_traced():
    lr, step = Traced(0.5, "lr"), Traced(3, "step")
    with Path() as path:
        found = lr / (1 - 0.9**step) if step + 1 > 2 else 0.0
        assert abs(-lr) >= lr
    assert found.text == "(lr / (1 - (0.9 ** step)))"
    assert found.value == 0.5 / (1 - 0.9**3)
    assert path.asked == [("(step + 1) > 2", True), ("(-lr) < 0", True), ("(-(-lr)) >= lr", True)]
    assert {step: 1}[Traced(9, "step")] == 1
    for use in (float, int, round, lambda x: range(x), bool):
        with pytest.raises(Untraceable):
            use(step)
    for _ in range(9):
        lr = lr * lr
    with pytest.raises(Untraceable, match="too long"):
        lr * lr


def test_the_command(step_file, tmp_path, capsys):
    assert main(["export", "info", str(step_file), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert [x["name"] for x in facts["inputs"]] == ["x", "target"]
    assert facts["numbers"]["optimizer.param_groups.0.lr"] == 0.001
    assert main(["export", "info", str(step_file)]) == 0
    assert "optimizer.exp_avg.model.0.weight" in capsys.readouterr().out
    assert main(["export", "check", str(step_file)]) == 0
    assert "is whole" in capsys.readouterr().out
    x, y = tmp_path / "x.npy", tmp_path / "y.npy"
    np.save(x, np.ones((6, 3), np.float32))
    assert main(["export", "run", str(step_file), "--input", f"x={x}", "--output", str(y), "--repeat", "3", "--set",
                 "optimizer.param_groups.0.lr=0.5", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["runs"] == 3
    assert told["outputs"] == {"loss": {"dtype": "float32", "shape": []}}
    assert np.load(y).shape == ()
    assert main(["export", "run", str(step_file)]) == 0
    assert "1 run" in capsys.readouterr().out
    for words, told in ((["--input", f"z={x}"], "the program has no input 'z'"), (["--set", "lr=1"], "has no number 'lr'"),
                        (["--set", "lr"], "is not NUMBER=VALUE"), (["--input", "a"], "a: No such file")):
        assert main(["export", "run", str(step_file), *words]) != 0
        assert told in capsys.readouterr().err
    x.write_bytes(b"x")
    assert main(["export", "check", str(x)]) == 1
    assert "truncated" in capsys.readouterr().err
