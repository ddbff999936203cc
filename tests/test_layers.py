"""The layer check: cltensor passes, and every kind of forbidden import is found."""

from pathlib import Path

import pytest

import layers

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def package(tmp_path):
    """Write {relative path: text} as a package; packages get an empty __init__.py.  Returns the faults found."""

    def check(files):
        for name, text in {"__init__.py": "", **files}.items():
            path = tmp_path / name
            path.parent.mkdir(exist_ok=True, parents=True)
            for folder in path.relative_to(tmp_path).parents:
                (tmp_path / folder / "__init__.py").touch()
            path.write_text(text)
        return layers.faults(tmp_path)

    return check


def test_cltensor_passes():
    assert layers.faults(ROOT / "cltensor") == []


def test_layers_are_modules_that_exist():
    assert not set(layers.RANK) - set(layers.modules(ROOT / "cltensor"))


@pytest.mark.parametrize("text", [
    "from ..tensor import creation",
    "from ..tensor.creation import zeros",
    "from cltensor.tensor import creation",
    "import cltensor.tensor.creation",
    "from .. import tensor",
    "def late():\n    from ..tensor import creation",
    "import importlib\nimportlib.import_module('cltensor.tensor.creation')",
    "import importlib\nimportlib.import_module('..tensor', __package__)",
    "try:\n    import json\nexcept ImportError:\n    from ..tensor import creation",
])
def test_upward_import_is_reported_with_its_line(package, text):
    found = package({"ops/tables.py": text, "tensor/creation.py": ""})
    assert len(found) == 1
    assert "ops/tables.py" in found[0]
    assert text.splitlines()[-1].strip() in found[0]
    assert "cltensor.ops is below cltensor.tensor" in found[0]


@pytest.mark.parametrize("text", [
    "from ..base import dtypes",
    "from . import plan",
    "from .plan import Launch",
    "import numpy",
    "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ..tensor import creation",
    "import typing\nif typing.TYPE_CHECKING:\n    from ..tensor import creation",
    "import cltensorflow",
])
def test_permitted_import_is_not_reported(package, text):
    files = {"ops/tables.py": text, "ops/plan.py": "", "base/dtypes.py": "", "tensor/creation.py": ""}
    assert package(files) == []


def test_else_branch_of_type_checking_counts(package):
    text = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    pass\nelse:\n    from ..tensor import creation"
    assert len(package({"ops/tables.py": text, "tensor/creation.py": ""})) == 1


@pytest.mark.parametrize("source", ["codegen/types.py", "runtime/program.py"])
def test_siblings_are_kept_apart(package, source):
    other = {"codegen": "runtime", "runtime": "codegen"}[source.split("/")[0]]
    found = package({source: f"from ..{other} import thing", f"{other}/thing.py": ""})
    assert len(found) == 1
    assert "may not import each other" in found[0]


def test_only_the_command_may_import_the_public_namespace(package):
    assert len(package({"nn/linear.py": "import cltensor"})) == 1
    assert package({"nn/linear.py": "", "cli/run.py": "import cltensor\nfrom cltensor import nn"}) == []
    assert len(package({"__init__.py": "from .cli import run", "cli/run.py": ""})) == 1


def test_circle_within_a_layer_is_reported_with_every_step(package):
    found = package({"ops/a.py": "from . import b", "ops/b.py": "def late():\n    from .c import x",
                     "ops/c.py": "from cltensor.ops import a"})
    assert len(found) == 1
    assert [name in found[0] for name in ("ops/a.py:1", "ops/b.py:2", "ops/c.py:1")] == [True] * 3


def test_circle_through_a_package_is_reported(package):
    found = package({"ops/__init__.py": "from .a import f\nVERSION = 1", "ops/a.py": "from . import VERSION"})
    assert len(found) == 1
    assert "circle" in found[0]


def test_unknown_room_and_unknown_module_are_reported(package):
    assert "has no layer" in package({"gadgets/a.py": ""})[0]


def test_missing_module_is_reported(package):
    assert "there is no cltensor.nowhere" in package({"ops/a.py": "from ..nowhere import b"})[0]


def test_exit_status(tmp_path, capsys):
    (tmp_path / "base").mkdir()
    assert layers.main([str(tmp_path)]) == 0
    (tmp_path / "base" / "a.py").write_text("from ..ops import b")
    (tmp_path / "ops").mkdir()
    (tmp_path / "ops" / "b.py").touch()
    assert layers.main([str(tmp_path)]) == 1
    assert "from ..ops import b" in capsys.readouterr().out


def test_a_folder_may_be_a_floor(package):
    found = package({"tensor/core/tensor.py": "from ..math.products import matmul", "tensor/math/products.py": "matmul = 0"})
    assert len(found) == 1
    assert "cltensor.tensor.core is below cltensor.tensor.math" in found[0]
    assert package({"tensor/math/products.py": "from ..core import tensor", "tensor/core/tensor.py": ""}) == []


@pytest.mark.parametrize("text", [
    "from ..base import dtypes\ndtypes.default = 1",
    "from ..base import dtypes as d\ndef late():\n    d.default = 1",
    "import cltensor.base.dtypes as d\nd.default: int = 1",
    "from ..base.dtypes import Kind\nKind.size = property(len)",
    "from ..base.dtypes import Kind\nKind.size += 1",
    "from ..base.dtypes import Kind\nKind.size, other = 1, 2",
    "from ..base.dtypes import Kind\nsetattr(Kind, 'size', 1)",
    "from ..base.dtypes import Kind\ndel Kind.size",
    "from ..base.dtypes import widest\nwidest.cached = 1",
])
def test_setting_what_belongs_to_another_module_is_reported(package, text):
    found = package({"ops/tables.py": text, "base/dtypes.py": "class Kind:\n    size = 0\ndef widest():\n    return 8"})
    assert len(found) == 1
    assert "belongs to another module" in found[0]
    assert "ops/tables.py" in found[0]


@pytest.mark.parametrize("text", [
    "from ..base.dtypes import context\ncontext.grad = False",
    "class Own:\n    size = 0\nOwn.size = 1",
    "from ..base.dtypes import Kind\nmade = Kind()\nmade.size = 1",
    "from ..base.dtypes import Kind\nKind.table['a'] = 1",
    "import numpy\nnumpy.anything = 1",
])
def test_setting_what_is_ones_own_or_made_to_be_set_is_not_reported(package, text):
    dtypes = "class Kind:\n    size, table = 0, {}\ncontext = Kind()"
    assert package({"ops/tables.py": text, "base/dtypes.py": dtypes}) == []
