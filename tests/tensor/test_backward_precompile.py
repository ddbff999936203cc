"""Kernels of the backward pass built in the background, each time by a process that starts with an empty cache."""

import os
import signal
import subprocess
import sys
import textwrap

import pytest

import cltensor as ct
from cltensor.runtime import builder as builder_module
from cltensor.runtime.builder import Builder
from cltensor.runtime.compile_only import CompileOnlyDevice, NothingThereError

STEP = """
    import cltensor as ct
    from cltensor.runtime.program import build_stats
    from cltensor.tensor.core.backward_precompile import precompiler
    x, w, b = (ct.tensor(v, requires_grad=True) for v in ([[0.5, -1.0]], [[1.0], [2.0]], [0.25]))
    y = (x @ w + b).sigmoid()
    precompiler.wait()
    before = build_stats()
    y.sum().backward()
    s = 1 / (1 + 2.718281828459045 ** 1.25)
    assert abs(x.grad[0, 1].item() - 2 * s * (1 - s)) < 1e-6
    print(build_stats().compiled - before.compiled)
"""


def run(script, folder, **settings):
    """What a script prints, in a process with an empty kernel cache."""
    environment = {**os.environ, "CLTENSOR_CACHE_DIR": str(folder), "CLTENSOR_AHEAD": "1", **settings}
    command = [sys.executable, "-c", textwrap.dedent(script)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.fixture
def device():
    return ct.get_default_device()


def test_backward_finds_its_kernels_built(device, tmp_path):
    [late] = run(STEP, tmp_path)
    [all_late] = run(STEP, tmp_path / "other", CLTENSOR_AHEAD="0")
    assert int(late) < int(all_late)


def test_a_process_ends_while_a_build_is_under_way(device, tmp_path):
    assert run(STEP.replace("precompiler.wait()", "raise SystemExit(print('early'))"), tmp_path) == ["early"]


def test_a_users_function_is_not_precompiled(device, tmp_path):
    script = """
        import cltensor as ct
        from cltensor.tensor.core.backward_precompile import precompiler
        class Twice(ct.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                return x * 2
            @staticmethod
            def backward(ctx, g):
                print("backward")
                return g * 2
        y = Twice.apply(ct.ones(3, requires_grad=True))
        precompiler.wait()
        print("forward")
        y.sum().backward()
    """
    assert run(script, tmp_path) == ["forward", "backward"]


def test_without_a_builder(device, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    builder = Builder(device.index)
    assert not builder.build("__kernel void k() {}")
    assert not builder.build("__kernel void k() {}")
    builder.close()


def test_builder_answers_whether_it_built(device, monkeypatch, tmp_path):
    monkeypatch.setenv("CLTENSOR_CACHE_DIR", str(tmp_path))
    builder = Builder(device.index)
    assert builder.build("__kernel void k(__global int *x) { x[0] = 1; }") is True
    assert builder.build("__kernel void k(__global int *x) { x[0] = ; }") is False
    builder.close()
    assert any(tmp_path.rglob("*"))


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGSTOP")
@pytest.mark.parametrize("kind", ["SIGSTOP", "SIGKILL"])
@pytest.mark.parametrize("source", ["__kernel void k() {}", "// long\n" * 50_000], ids=["short", "longer than a pipe"])
def test_builder_that_is_stopped_or_killed_is_given_up(device, monkeypatch, kind, source):
    monkeypatch.setattr(builder_module, "PATIENCE", 0.5)
    builder = Builder(device.index)
    builder._process = builder._start()
    builder._process.send_signal(getattr(signal, kind))
    assert builder.build(source) is False
    assert builder.build(source) is False  # at once
    builder.close()
    assert builder._process.returncode == -signal.SIGKILL


def test_a_compile_only_device_has_no_values(device):
    at = CompileOnlyDevice(device)
    assert str(at) == str(device)
    with pytest.raises(NothingThereError):
        at.read(None)
    with pytest.raises(NothingThereError):
        _ = at.context
