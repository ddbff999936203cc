"""cltensor kernels recipe: the folder it writes, that its program is right about right and wrong kernels, and its mistakes."""

import re

import numpy as np
import pytest

from cltensor.base import bfloat16, dtypes
from cltensor.cli import main
from cltensor.cli.kernels import calls, random_numbers
from generator.compiled_c import compiled, needs_gcc, ran


def written(folder, capsys, *arguments, status=0):
    assert main(["kernels", "recipe", *map(str, arguments), "-o", str(folder)]) == status
    return capsys.readouterr()


def complaint(tmp_path, capsys, *arguments):
    out, err = written(tmp_path / "folder", capsys, *arguments, status=2)
    assert out == ""
    assert not (tmp_path / "folder").exists()
    return err


def test_folder_has_kernels_and_program(tmp_path, capsys):
    out = written(tmp_path / "r", capsys, "conv2d", "--n", 2, "--c", 3, "--k", 4, "--size", 6, "--attr", "padding=1").out
    assert "conv2d.c runs 3 kernels in 3 launches" in out
    assert sorted(p.name for p in (tmp_path / "r").iterdir()) == [
        "1_conv_pad.cl", "2_conv_panel.cl", "3_conv_product.cl", "conv2d.c", "expected_0.bin"]
    text = (tmp_path / "r" / "conv2d.c").read_text()
    assert "padding = (1, 1)" in text
    assert text.count("clEnqueueNDRangeKernel(queue, kernel") == 3
    assert (tmp_path / "r" / "expected_0.bin").stat().st_size == 2 * 4 * 6 * 6 * 4


def test_convolutions_launch_the_kernels_that_suit_them(tmp_path, capsys):
    written(tmp_path / "a", capsys, "conv2d", *CALLS["conv2d", "gpu"])
    written(tmp_path / "b", capsys, "convolution", *CALLS["convolution", "cpu"], "--style", "cpu")
    assert {p.name for p in (tmp_path / "a").glob("*.cl")} == {"1_conv_direct.cl"}
    assert {p.name for p in (tmp_path / "b").glob("*.cl")} == {
        "1_winograd.cl", "2_winograd.cl", "3_conv_product.cl", "4_winograd.cl"}


# several kernels with scratch, tables, indices, 16-bit and complex numbers, conditions, numbers as arguments
CALLS = {
    ("conv2d", "cpu"): ["--n", 2, "--c", 3, "--k", 4, "--size", 6, "--attr", "padding=1"],
    ("conv2d", "gpu"): ["--input", "2x4x9x7", "--input", "8x1x3x3", "--attr", "groups=4", "--attr", "stride=2"],
    ("convolution", "cpu"): ["--input", "1x96x9x10", "--input", "96x96x3x3", "--input", "96", "--attr", "padding=1"],
    ("convolution_input_gradient", "gpu"): ["--input", "2x6x4:float16", "--input", "6x3x4:float16", "--attr", "size=(9,)", "--attr",
                                            "stride=2", "--attr", "padding=1"],
    ("convolution_weight_gradient", "cpu"): ["--input", "2x6x4:float64", "--input", "2x3x9:float64", "--attr", "size=(4,)",
                                             "--attr", "stride=2", "--attr", "padding=1"],
    ("matmul", "gpu"): ["--m", 20, "--n", 9, "--k", 17, "--dtype", "bfloat16"],
    ("sum", "cpu"): ["--input", "4x30:complex64", "--attr", "dim=1"],
    ("gather", "gpu"): ["--input", "9x4", "--input", "5x4:int64:0..8", "--attr", "dim=0"],
    ("where_select", "gpu"): ["--input", "7:bool", "--input", "7:float64", "--input", "7:float64"],
}


@needs_gcc
@pytest.mark.device
@pytest.mark.parametrize(("name", "style"), CALLS)
def test_program_finds_its_kernels_right(name, style, tmp_path, capsys):
    written(tmp_path, capsys, name, *CALLS[name, style], "--style", style)
    status, output = ran(compiled(tmp_path / f"{name}.c"))
    assert status == 0, output
    assert "all is right\n" in output
    assert "largest error" in output


@needs_gcc
@pytest.mark.device
def test_program_finds_wrong_kernels_wrong(tmp_path, capsys):
    written(tmp_path, capsys, "softmax", "--n", 5, "--size", 70)
    library, file = compiled(tmp_path / "softmax.c"), tmp_path / "1_softmax.cl"
    text = file.read_text()
    file.write_text(text.replace("const float scale = 1 / total;", "const float scale = 1.001f / total;"))
    assert file.read_text() != text
    status, output = ran(library)
    assert status == 1
    assert "\nWRONG\n" in output
    file.write_text(text.replace("    x_p += x_o;", "    if (get_group_id(0) == 0) out_p[350] = 1;\n    x_p += x_o;"))
    status, output = ran(library)
    assert status == 1
    assert "1 buffers were written past their end" in output


@needs_gcc
@pytest.mark.device
def test_numbers_from_a_file(tmp_path, capsys):
    numbers = np.random.default_rng(0).standard_normal((3, 40)).astype(np.float32)
    np.save(tmp_path / "x.npy", numbers)
    written(tmp_path, capsys, "exp", "--input", f"@{tmp_path / 'x.npy'}")
    np.testing.assert_allclose(np.fromfile(tmp_path / "expected_0.bin", np.float32), np.exp(numbers).ravel(), rtol=1e-6)
    np.testing.assert_array_equal(np.fromfile(tmp_path / "input_0.bin", np.float32), numbers.ravel())
    status, output = ran(compiled(tmp_path / "exp.c"))
    assert status == 0, output


def test_drawn_numbers_are_exact_in_their_dtype():
    for dtype in (*dtypes.ALL, *dtypes.UNSIGNED):
        for low, high in ((None, None), (0, 1), *([(0, 10)] if dtype is not dtypes.bool_ else [])):
            found = random_numbers.drawn(dtype, 200, 7, low, high).numbers()
            stored = random_numbers.stored(found, dtype)
            back = bfloat16.decode(stored) if dtype is dtypes.bfloat16 else stored
            np.testing.assert_array_equal(np.asarray(back, np.float64), found)
            assert len(set(found)) > 1
            assert found.size == (400 if dtype.is_complex else 200)


@pytest.mark.parametrize(("arguments", "expected"), [
    (["nonsense"], "there is no op with a kernel 'nonsense'"),
    (["exp"], "kernels recipe exp: give --input SHAPE for each input; short forms are for conv2d, matmul, softmax"),
    (["matmul", "--m", 3], "kernels recipe matmul: give --m, --n, --k, or --input SHAPE for each input"),
    (["softmax", "--size", 3, "--kernel", 3], "kernels recipe softmax: give --n, --size, or"),
    (["exp", "--input", "3y4"], "--input 3y4: write sizes with x between"),
    (["exp", "--input", "3:float31"], "there is no dtype 'float31'; did you mean float32"),
    (["exp", "--input", "3:0..0"], "a range from 0.0 to 0.0 holds nothing"),
    (["exp", "--input", "3", "--attr", "base=2"], "op 'exp' has no attribute base; it has: none"),
    (["exp", "--input", "3", "--attr", "base"], "--attr base: write NAME=VALUE"),
    (["add", "--input", "3", "--input", "4"], "add: shapes (3,), (4,) do not broadcast"),
    (["logical_not", "--input", "3:bool:0..7"], "bool holds no number up to 7; write"),
    (["relu", "--input", "3:int8:0..300"], "int8 holds no number up to 300; write"),
    (["exp", "--input", "0x3"], "op 'exp' launches nothing for such inputs"),
    (["exp", "--input", "3", "--input", "3"], "op 'exp' takes 1 inputs, input, not 2"),
    (["matmul", "--input", "3x4", "--input", "5x6"], "matmul"),
])
def test_mistakes(arguments, expected, tmp_path, capsys):
    assert re.search(re.escape(expected), complaint(tmp_path, capsys, *arguments))


def test_op_without_a_numpy_form_prints_its_numbers(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(calls.Call, "expected", lambda *_: None)
    out = written(tmp_path, capsys, "exp", "--input", "40").out
    assert "NumPy has no form of exp: the program prints its first results" in out
    assert "differ(" not in (tmp_path / "exp.c").read_text().split("int main")[1]


def test_random_numbers_are_checked_too(tmp_path, capsys):
    written(tmp_path, capsys, "rand", "--input", "40", "--attr", "distribution=uniform", "--attr", "seed=3", "--attr", "offset=0",
            "--attr", "a=0.0", "--attr", "b=1.0")
    found = np.fromfile(tmp_path / "expected_0.bin", np.float32)
    assert found.size == 40
    assert ((found >= 0) & (found < 1)).all()
    assert len(set(found)) == 40
