"""cltensor kernels pack: the document, against the kernels that `render` writes, and the C++ declarations made beside it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from cltensor.base import dtypes
from cltensor.cli import main
from cltensor.cli.kernels import explained, pack, pack_ops, rendering
from cltensor.codegen.sizes import expression
from cltensor.dispatch.registry import REGISTRY

INCLUDE = Path(__file__).resolve().parents[2] / "cpp/include/cltensor"


@pytest.fixture(scope="module")
def document(tmp_path_factory):
    file = tmp_path_factory.mktemp("pack") / "kernels.json"
    ops = ["exp", "mul", "where_select", "sum", "argmax", "lstm_step"]
    assert main(["kernels", "pack", str(file), "--ops", *ops, "--dtypes", "float32", "int64", "bool"]) == 0
    return json.loads(file.read_text())


def text_of(document, key):
    return "\n\n".join(document["blocks"][i] for i in document["kernels"][document["find"][key]]["text"])


def test_it_says_what_it_is(document):
    assert (document["format"], document["version"]) == (pack.FORMAT, pack.VERSION)
    assert document["styles"] == ["cpu", "gpu"]
    assert document["dtypes"] == ["float32", "int64", "bool"]
    assert set(document["ops"]) == {"copy", "full", "exp", "mul", "where_select", "sum_reduce", "argmax_reduce", "lstm_step"}


@pytest.mark.parametrize("style", ["cpu", "gpu"])
def test_kernels_are_those_that_render_writes(document, style):
    op = REGISTRY["exp"]
    assert text_of(document, f"{style}/exp/float32/dense") == explained.facts(rendering.of_op(op, dtypes.float32, style))["text"]
    name = explained.facts(pack_ops.whole("matmul", dtypes.float32, style))["kernel"]
    assert f"void {name}(" in text_of(document, f"{style}/matmul/float32")


def test_each_kernel_has_its_interface(document):
    for key, at in document["find"].items():
        kernel = document["kernels"][at]
        interface, text = document["interfaces"][kernel["interface"]], text_of(document, key)
        head = text[text.index(f"void {kernel['function']}("):]
        assert head[: head.index(")\n{")].count(",") + 1 == len(interface["arguments"]), key
        known = {name for kind, _, name in interface["arguments"] if kind == "number"} | set(kernel["values"])
        known |= {name for name, _ in interface["choices"]}
        sizes = [*interface["local"], *interface["global"], *(best for _, best in interface["choices"])]
        assert all(set(expression(size).names) <= known for size in sizes), key


def test_gradients_name_ops_and_what_they_read(document):
    for name, op in document["ops"].items():
        for mask, gradient in op.get("gradients", {}).items():
            assert len(mask) == len(op["inputs"]) == len(gradient["results"])
            assert all("1" in mask[i : i + 1] for i, result in enumerate(gradient["results"]) if result is not None)
            known = {*op["inputs"], *(f"{x}{i}" for x in "gy" for i in range(op["results"]))}
            assert set(gradient["sources"]) <= known
            assert set(gradient["attributes"]) <= {a for a, _ in op["attributes"]}
            if gradient["op"] is not None:
                for style in document["styles"]:
                    assert f"{style}/{gradient['op']}/float32/any" in document["find"], (name, mask)
    assert set(document["ops"]["mul"]["gradients"]) == {"10", "01", "11"}
    assert set(document["ops"]["where_select"]["gradients"]) == {"010", "001", "011"}


def test_only_some_styles_and_dtypes(tmp_path):
    file = tmp_path / "kernels.json"
    assert main(["kernels", "pack", str(file), "--ops", "exp", "--dtypes", "float64", "--styles", "cpu"]) == 0
    found = json.loads(file.read_text())["find"]
    assert "cpu/exp/float64/dense" in found
    assert {key.split("/")[0] for key in found} == {"cpu"}
    assert not [key for key in found if "float32" in key]


def test_an_op_without_such_kernels_is_refused(tmp_path, capsys):
    assert main(["kernels", "pack", str(tmp_path / "x"), "--ops", "exp", "matmul"]) == 2
    assert "matmul: --ops takes elementwise ops of real numbers, and reductions" in capsys.readouterr().err
    assert main(["kernels", "pack", str(tmp_path / "x"), "--ops", "expp"]) == 2
    assert "exp" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_the_declarations_in_cpp_are_up_to_date():
    # in a process of its own: tests declare ops too
    code = ("import json; from cltensor.cli.kernels import catalog, cpp_header, pack_ops; "
            "ops = {n: op for n, op in catalog.ops().items() if pack_ops.packed(op)}; "
            "print(json.dumps([cpp_header.header(ops), cpp_header.methods(ops)]))")
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    header, methods = json.loads(made.stdout)
    wrong = "run `cltensor kernels pack FILE --header cpp/include/cltensor`"
    assert (INCLUDE / "elementwise_ops.hpp").read_text() == header, wrong
    assert (INCLUDE / "elementwise_methods.inc").read_text() == methods, wrong
