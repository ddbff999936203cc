"""cltensor kernels: what is listed, rendered, built, and how mistakes are answered."""

import json
import re

import pytest

from cltensor.base import dtypes
from cltensor.cli import main
from cltensor.cli.kernels import build, catalog, rendering, settings
from cltensor.cli.parser import UsageError
from cltensor.codegen import templates


def output(capsys, *arguments, status=0):
    assert main(["kernels", *arguments]) == status
    return capsys.readouterr().out


def complaint(capsys, *arguments, status=2):
    assert main(["kernels", *arguments]) == status
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    return err


def test_every_template_is_listed_with_a_summary(capsys):
    found = json.loads(output(capsys, "list", "--json"))
    assert [e["name"] for e in found] == templates.names()
    assert all(len(e["summary"]) > 15 and not e["summary"].startswith(e["name"]) for e in found)
    text = output(capsys, "list")
    assert max(map(len, text.splitlines())) < 80
    assert all(f"\n{name}: " in f"\n{text}" for name in templates.names())


def test_one_template_is_listed(capsys):
    assert output(capsys, "list", "reduction").splitlines()[0].startswith("reduction: ")


def test_ops_are_listed(capsys):
    assert json.loads(output(capsys, "list", "--ops", "--json"))["exp"] == "elementwise"
    assert "exp" in output(capsys, "list", "--ops")


@pytest.mark.parametrize("name", templates.names())
def test_every_dtype_and_style_renders(name):
    entry = catalog.entry(name)
    for dtype, style in catalog.variants(entry):
        source = rendering.of_template(entry, dtype, style)
        assert f"//   style = {style}\n" in source.text
        assert f"\n// launch: {source.launch}\n" in source.text
        assert rendering.kernel_names(source.text)
        assert "#include" not in source.text
        assert dtype is None or f"//   dtype = {dtype.name}\n" in source.text


def test_render_writes_what_it_prints(tmp_path, capsys):
    text = output(capsys, "render", "reduction", "--dtype", "half", "--style", "gpu", "--set", "WGS=128")
    assert text.startswith("// cltensor kernel: reduction\n//   style = gpu\n//   dtype = float16\n")
    assert "reqd_work_group_size(128, 1, 1)" in text
    file = tmp_path / "reduction.cl"
    output(capsys, "render", "reduction", "--dtype", "half", "--style", "gpu", "--set", "WGS=128", "-o", str(file))
    assert file.read_text() == text
    facts = json.loads(output(capsys, "render", "reduction", "--json"))
    assert facts["kernels"] == ["reduction"]
    assert f"\n// launch: {facts['launch']}\n" in facts["text"]


@pytest.mark.parametrize("name", catalog.ops())
def test_every_op_renders(name):
    op = catalog.ops()[name]
    for style in catalog.STYLES:
        for dtype in op.allowed:
            assert rendering.kernel_names(rendering.of_op(op, dtype, style).text) == [op.kind]


def test_op_renders_its_own_expression(capsys):
    assert "x0 * x1" in output(capsys, "render", "--op", "mul", "--dtype", "float64")


@pytest.mark.parametrize(("arguments", "expected"), [
    (["render", "softmx"], "there is no kernel template 'softmx'; did you mean softmax?"),
    (["render", "reduction", "--set", "WSG=64"], "template 'reduction' has no parameter 'WSG'; did you mean WGS?"),
    (["render", "reduction", "--set", "WGS=many"], "--set WGS=many: WGS is a whole number, by default 64"),
    (["render", "reduction", "--set", "WGS"], "--set WGS: write NAME=VALUE"),
    (["render", "reduction", "--set", "WGS=1", "--set", "WGS=2"], "--set WGS is given twice"),
    (["render", "reduction", "--set", "dtype=half"], "use --dtype"),
    (["render", "reduction", "--set", "inputs=3"], "inputs is a Python tuple"),
    (["render", "conv_product", "--set", "out_dtype=flot16"], "there is no dtype 'flot16'; did you mean float16"),
    (["render", "conv_pad", "--dtype", "int8"], "template 'conv_pad' is not for int8; it is for float16"),
    (["render", "matmul_tiled", "--style", "cpu"], "template 'matmul_tiled' has no cpu style, only gpu"),
    (["render", "--op", "expp"], "there is no elementwise op or reduction 'expp'; did you mean exp"),
    (["render", "--op", "exp", "--dtype", "int8"], "op 'exp' is not for int8"),
    (["render", "--op", "exp", "--set", "rank=2"], "--set goes with a TEMPLATE"),
    (["render", "reduction", "--op", "exp"], "name a TEMPLATE, or an op"),
    (["render", "reduction", "--dtype", "complex64"], "template 'reduction' is not for complex64"),
    (["render", "--op", "floor", "--dtype", "complex64"], "op 'floor' is not for complex64"),
    (["build"], "name templates, or --all"),
    (["build", "conv_pad", "--dtype", "int8"], "none of these templates"),
])
def test_mistakes(arguments, expected, capsys):
    assert expected in complaint(capsys, *arguments)


@pytest.mark.parametrize(("text", "default", "value"), [
    ("0x40", 8, 64), ("no", True, False), ("1", False, True), ("0.5", 1.0, 0.5), ("a0 * 2", "a0", "a0 * 2"),
    ("('x',)", (), ("x",)), ("[('x0', 'c')]", None, (("x0", "c"),)), ("half", "float32", dtypes.float16),
])
def test_values_take_the_kind_of_the_default(text, default, value):
    assert settings.convert("dtype" if value is dtypes.float16 else "NAME", text, default) == value


@pytest.mark.parametrize(("text", "default"), [("1.5", 8), ("maybe", True), ("x", 1.0), ("3", ()), ("f(", None)])
def test_values_of_another_kind(text, default):
    with pytest.raises(UsageError, match=f"NAME is .*, by default {re.escape(repr(default))}"):
        settings.convert("NAME", text, default)


def test_parameters_that_do_not_fit_name_the_condition(capsys):
    line = complaint(capsys, "render", "matmul_tiled", "--set", "MWG=48", status=1)
    assert "does not render with MWG=48: it needs " in line


def test_unwritable_output(tmp_path, capsys):
    assert "No such file" in complaint(capsys, "render", "reduction", "-o", str(tmp_path / "no" / "x.cl"), status=1)


def test_build_without_check_only_renders(tmp_path, capsys):
    chosen = ("conv_pad", "reduction", "--dtype", "float32", "--dtype", "int8")
    text = output(capsys, "build", *chosen, "-o", str(tmp_path))
    assert text.endswith("6 kernels rendered, 0 failed.\n")
    assert len(list(tmp_path.glob("*.cl"))) == 6
    assert (tmp_path / "reduction.gpu.int8.cl").read_text().startswith("// cltensor kernel: reduction")


@pytest.mark.device
def test_build_checks_on_every_device(capsys):
    facts = json.loads(output(capsys, "build", "reduction", "--dtype", "float32", "--check", "--json"))
    assert facts["ok"]
    assert {(k["style"], k["error"]) for k in facts["kernels"]} == {("cpu", None), ("gpu", None)}
    assert all(k["seconds"] > 0 and k["device"].startswith("opencl:") for k in facts["kernels"])


@pytest.mark.device
def test_kernel_that_does_not_build_fails_the_check(capsys, monkeypatch):
    job = build.Job("broken", "float32", "cpu", "__kernel void broken(__global float *x) { x[0] = nothing; }")
    monkeypatch.setattr(build, "jobs", lambda *_: [job])
    text = output(capsys, "build", "reduction", "--check", status=1)
    assert "0/1" in text
    assert "FAILED  broken cpu float32 on opencl:0: " in text
    assert "nothing" in text
    assert "0 kernels built, " in text


def test_device_without_float64_is_skipped(monkeypatch):
    class Profile:
        fp64 = False

    class Device:
        profile = Profile

    monkeypatch.setattr(build.devices, "default_device", lambda: Device)
    monkeypatch.setattr(build.devices, "count", lambda: 1)
    monkeypatch.setattr(build.devices, "get", lambda _: Device)
    jobs = build.jobs([catalog.entry("elementwise")], [dtypes.float64])
    results = build.check(jobs, 60)
    assert [bool(r.skipped) for r in results] == [True, True]
    assert build.verdict(results, True) == "0 kernels built, 0 failed, 2 skipped."
    assert all("no float64" in row[-1] for row in build.rows(results))
