"""The C++ front end: built by CMake against the wheel's OpenCL, and run in both launch styles.

Few elementwise ops are tried always, all of them with CLTENSOR_GENERATOR=all (ci/test --generator).
"""

import os
import re

import numpy as np
import pytest

import cltensor as ct
from cltensor.cli import main
from cpp import references
from cpp.building import ROOT, built, done, needs_compiler, once, ran, sanitizing

WHOLE = os.environ.get("CLTENSOR_GENERATOR") == "all"
pytestmark = [needs_compiler, pytest.mark.device, pytest.mark.any_style, pytest.mark.limit(3600 if WHOLE else 600)]


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    with once(tmp_path_factory, "build") as (folder, new):
        return built(folder, "frontend_test", "digits", "sine") if new else folder


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    with once(tmp_path_factory, "pack") as (folder, new):
        if new:
            assert main(["kernels", "pack", str(folder / "kernels.json"), "--dtypes", "float32", "float64", "int64", "bool"]) == 0
        return folder / "kernels.json"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    with once(tmp_path_factory, "references") as (folder, new):
        if new:
            references.write(folder, references.all_ops() if WHOLE else references.FEW)
        return folder


@pytest.mark.parametrize("style", ["cpu", "gpu"])
def test_frontend(build, pack, written, style):
    status, output = ran(build / "tests/frontend_test.so", CLTENSOR_PACK=str(pack), CT_REFERENCES=str(written),
                         CLTENSOR_PROFILE=style, timeout=3000 if WHOLE else 280)
    assert status == 0, output
    assert re.search(r"test cases:\s+\d+ \|\s+\d+ passed \|\s+0 failed", output), output
    for model, make in references.MODELS.items():
        for rule in references.OPTIMIZERS:
            own, after = (ct.load(written / f"{model}.{rule}.{kind}.safetensors") for kind in (f"own.{style}", "after"))
            make().load_state_dict(own)
            assert own.keys() == after.keys()
            for name in own:
                np.testing.assert_allclose(own[name].numpy(), after[name].numpy(), rtol=1e-3, atol=2e-4, err_msg=name)


@pytest.mark.skipif(not WHOLE, reason="run all with CLTENSOR_GENERATOR=all")
def test_nothing_leaks_or_is_read_out_of_bounds(pack, tmp_path):
    folder = built(tmp_path / "build", "frontend_test", CLTENSOR_SANITIZE="ON")
    status, output = ran(folder / "tests/frontend_test.so", CLTENSOR_PACK=str(pack), timeout=1500, **sanitizing(tmp_path))
    assert status == 0, output
    assert "Sanitizer" not in output, output


def test_digits(build, pack, tmp_path):
    pytest.importorskip("sklearn", reason="the digits come with scikit-learn")
    import runpy

    data, model = tmp_path / "digits.safetensors", tmp_path / "model.safetensors"
    runpy.run_path(str(ROOT / "cpp/examples/digits_data.py"))["main"](data)
    status, output = ran(build / "examples/digits.so", data, 2, model, CLTENSOR_PACK=str(pack))
    assert status == 0, output
    assert float(re.findall(r"test accuracy ([\d.]+)%", output)[-1]) > 95, output
    assert ct.load(model)["13.weight"].shape == (10, 128)


def test_the_short_program_of_the_docs(build, pack, tmp_path):
    code = (ROOT / "cpp/examples/sine.cpp").read_text()
    assert len(code.splitlines()) <= 32
    status, output = ran(build / "examples/sine.so", CLTENSOR_PACK=str(pack), cwd=tmp_path)
    assert status == 0, output
    assert float(re.search(r"mean squared error ([\d.e-]+)", output)[1]) < 2e-3, output
    assert list(ct.load(tmp_path / "sine.safetensors")) == ["hidden.weight", "hidden.bias", "last.weight", "last.bias"]


def test_installed_package_is_found(tmp_path):
    folder = built(tmp_path / "build", "help", CLTENSOR_APPS="OFF", CLTENSOR_TESTS="OFF", CLTENSOR_EXAMPLES="OFF")
    done("cmake", "--install", str(folder), "--prefix", str(tmp_path / "installed"))
    (tmp_path / "user").mkdir()
    (tmp_path / "user/CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.18)\nproject(user CXX)\nfind_package(cltensor 0.1 REQUIRED)\n"
        "add_library(user OBJECT user.cpp)\ntarget_link_libraries(user PRIVATE cltensor::cltensor)\n")
    (tmp_path / "user/user.cpp").write_text("#include <cltensor/sizes.hpp>\nct::Expression one(\"1\");\n")
    cached = re.findall(r"^OpenCL_(\w+):\w+=(.*)$", (folder / "CMakeCache.txt").read_text(), re.MULTILINE)
    done("cmake", "-S", str(tmp_path / "user"), "-B", str(tmp_path / "user/build"), f"-DCMAKE_PREFIX_PATH={tmp_path / 'installed'}",
         *(f"-DOpenCL_{name}={value}" for name, value in cached if name in ("LIBRARY", "INCLUDE_DIR")))
    done("cmake", "--build", str(tmp_path / "user/build"))
