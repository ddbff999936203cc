"""cltensor kernels: what is listed, rendered, built, and how mistakes are answered."""

import json
import re

import pytest

from cltensor.base import dtypes
from cltensor.cli import main
from cltensor.cli.kernels import build, catalog, explained, paper, rendering, settings
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
    chosen = ("render", "softmax", "--dtype", "half", "--style", "gpu", "--set", "WGS=128")
    text = output(capsys, *chosen)
    assert text.startswith("// ct_softmax_float16_gpu: an OpenCL C 1.2 kernel, made by cltensor ")
    assert "__kernel void ct_softmax_float16_gpu(" in text
    assert "reqd_work_group_size(128, 1, 1)" in text
    file = tmp_path / "softmax.cl"
    assert output(capsys, *chosen, "-o", str(file)) == ""
    assert file.read_text() == text
    assert output(capsys, *chosen, "-o", "-") == text


def test_rendered_text_explains_itself(capsys):
    text = output(capsys, "render", "softmax", "--style", "gpu", "--name", "mine")
    head = text.split("\n\n")[0]
    assert all(line.startswith("//") for line in head.splitlines())
    for part in ("// Licence: MIT", "// PARAMETERS", "//   WGS = 64 ", "a power of 2 from 16 to 256", "// ARGUMENTS, in order",
                 "//    0 x_p    __global float *, read: x; shape (outer, n, inner), row-major", "// LAUNCH",
                 "//   local size   (WGS) = (64)", "//   global size  (outer * WGS)", "// NEEDS", "256 bytes of local memory",
                 "// IN C", 'clCreateKernel(program, "mine", &error)', "size_t global_size[] = {(outer * 64)};"):
        assert part in head, part


def test_json_has_all_about_a_kernel(capsys):
    facts = json.loads(output(capsys, "render", "softmax", "--style", "cpu", "--set", "what=log_softmax", "--json"))
    assert facts["kernel"] == "ct_softmax_log_softmax_float32_cpu"
    assert [a["name"] for a in facts["arguments"]] == ["x_p", "x_o", "out_p", "out_o", "outer", "n", "inner"]
    assert [a["index"] for a in facts["arguments"]] == list(range(7))
    assert facts["arguments"][0]["shape"] == ["outer", "n", "inner"]
    assert facts["launch"]["global"] == ["groups"]
    assert facts["launch"]["choices"]["groups"]["default"] == "max(1, min(8, outer * inner))"
    assert facts["launch"]["larger_global_size"] == "the same result"
    assert {"name", "value", "meaning", "allowed"} <= set(facts["parameters"][2])
    assert facts["device"] == {"opencl_c": "1.2", "double": False, "local_memory": 0, "work_group": 1}
    assert f"__kernel void {facts['kernel']}(" in facts["text"]


@pytest.mark.parametrize(("name", "nbytes"), [
    ("transpose", 32 * 33 * 4), ("matmul_tiled", 2 * 16 * (64 + 4) * 4), ("nms_scan", 8), ("norm", 64 * 4),
    ("fft_lines", 2 * 2048 * 4)])
def test_local_memory_counts_every_dimension_macro_and_variable(name, nbytes):
    facts = explained.facts(rendering.of_template(catalog.entry(name), None, "gpu"))
    assert facts["device"]["local_memory"] == nbytes


def test_offsets_tell_what_they_count(capsys):
    facts = json.loads(output(capsys, "render", "fft_points", "--json"))
    steps = {a["name"]: a["step"] for a in facts["arguments"] if a["kind"] == "offset"}
    assert steps == {"x_o": "x_u", "y_o": "y_u", "factors_o": "1"}
    text = output(capsys, "render", "fft_points")
    assert "x_o        long: position of the first element of x_p, counted in x_u elements; 0 for the first" in text
    assert "OpenCL C 1.2; no double precision" in output(capsys, "render", "fft_lines", "--style", "cpu")


def test_header_lies_beside_the_text(tmp_path, capsys):
    output(capsys, "render", "softmax", "--style", "gpu", "--header", "--name", "mine", "-o", str(tmp_path / "a.cl"))
    text = (tmp_path / "a.h").read_text()
    assert "static inline cl_int mine_enqueue(cl_command_queue queue, cl_kernel kernel," in text
    assert "global_size[] = {(size_t)((outer * 64))}" in text


@pytest.mark.parametrize("name", templates.names())
def test_every_launch_size_depends_on_what_the_text_names(name):
    entry = catalog.entry(name)
    for style in entry.styles:
        facts = explained.facts(rendering.of_template(entry, None, style))
        assert explained.launch_in_c(facts)["given"] == []
        assert explained.explained(facts).count("__kernel") == 1
        assert facts["kernel"] in facts["text"]


def test_double_precision_is_asked_for_where_it_is_computed_with():
    for dtype, wanted in ((dtypes.float32, False), (dtypes.float64, True)):
        source = rendering.of_template(catalog.entry("conv_product"), dtype, "cpu")
        assert explained.facts(source)["device"]["double"] is wanted


@pytest.mark.parametrize("text", ["None", "none"])
def test_a_dtype_may_be_left_to_another(text):
    assert settings.parse([f"out_dtype={text}"], catalog.entry("conv_product")) == {"out_dtype": None}


def test_kernels_of_a_program_have_names_of_their_own():
    names = [explained.default_name(rendering.of_template(catalog.entry("softmax"), d, s, {"what": w}))
             for d in dtypes.FLOATS for s in catalog.STYLES for w in ("softmax", "log_softmax", "softmax_grad")]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(("name", "template"), [
    ("sum", "reduction"), ("softmax", "softmax"), ("log_softmax", "softmax"), ("exp", "elementwise"), ("cumsum", "scan"),
    ("matmul", "matmul_blocked"), ("mm", "matmul_blocked"), ("search_rows", "search"), ("searchsorted", "search")])
def test_ops_are_found_by_their_public_names(name, template, capsys):
    assert json.loads(output(capsys, "render", "--op", name, "--json"))["template"] == template


def test_op_of_several_kernels_says_which(capsys):
    line = complaint(capsys, "render", "--op", "sort")
    assert "op 'sort_rows' runs 2 kernels, of the templates sort_blocks, sort_merge; `cltensor kernels recipe sort_rows" in line
    assert "depends on its inputs" in complaint(capsys, "render", "--op", "rand")


def test_layouts_of_an_op(capsys):
    texts = {layout: output(capsys, "render", "--op", "add", "--layout", layout) for layout in paper.LAYOUTS}
    assert len(set(texts.values())) == 3


def test_masked_attention_renders(capsys):
    assert "m_p" in output(capsys, "render", "attention", "--set", "mask=bool")
    assert "m_p" in output(capsys, "render", "attention", "--set", "mask=float32")


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
    (["render", "reduction", "--set", "inputs=3"], "inputs is None, a name or a Python tuple"),
    (["render", "conv_product", "--set", "out_dtype=flot16"], "there is no dtype 'flot16'; did you mean float16"),
    (["render", "conv_pad", "--dtype", "int8"], "template 'conv_pad' is not for int8; it is for float16"),
    (["render", "matmul_tiled", "--style", "cpu"], "template 'matmul_tiled' has no cpu style, only gpu"),
    (["render", "--op", "expp"], "there is no op with a kernel 'expp'; did you mean exp"),
    (["render", "softmax", "--set", "WGS=48"], "WGS does not render right with it; it is a power of 2 from 16 to 256"),
    (["render", "softmax", "--set", "what=tanh"], "it is 'softmax', 'log_softmax', 'softmax_grad', 'log_softmax_grad' or"),
    (["render", "softmax", "--header"], "--header writes a file beside that of -o FILE"),
    (["render", "softmax", "--layout", "strided"], "--layout goes with --op"),
    (["render", "--op", "softmax", "--layout", "strided"], "op 'softmax_dim' has kernels of its own"),
    (["render", "softmax", "--name", "3x"], "'3x' is no name for a function in C"),
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


@pytest.mark.parametrize(("text", "default"), [("1.5", 8), ("maybe", True), ("x", 1.0), ("3", ()), ("f(", None), ("1.5", ())])
def test_values_of_another_kind(text, default):
    with pytest.raises(UsageError, match=f"NAME is .*, by default {re.escape(repr(default))}"):
        settings.convert("NAME", text, default)


def test_parameters_that_do_not_fit_name_the_condition(capsys):
    line = complaint(capsys, "render", "matmul_tiled", "--set", "MWG=48", status=1)
    assert "does not render with MWG=48: it needs " in line


def test_unwritable_output(tmp_path, capsys):
    assert "there is no folder" in complaint(capsys, "render", "reduction", "-o", str(tmp_path / "no" / "x.cl"), status=2)


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
