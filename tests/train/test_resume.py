"""Trainings that end early, by an error, by Ctrl-C or by a kill, and go on from their checkpoint: the bits are those of one that
never ended."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import cltensor as ct
from cltensor import nn, optim, train
from cltensor.base.errors import ArgumentError, SerializationError

from .runs import Tells, bits, start

pytestmark = [pytest.mark.device, pytest.mark.any_style]


class Ends(train.Callback):
    """Raises at a step, once."""

    def __init__(self, step, error=ZeroDivisionError):
        self.step, self.error = step, error

    def on_step_end(self, run):
        if run.step == self.step:
            raise self.error("the end")


@pytest.fixture(scope="module")
def whole():
    """The bits of a training that never ended, by its settings."""
    found = {}

    def of(**words):
        key = tuple(sorted(words.items()))
        if key not in found:
            found[key] = bits(*start(callbacks=[Ends(-1)], **words))
        return found[key]

    return of


@pytest.mark.parametrize("step", [3, 5, 8, 14])
def test_the_bits_are_the_same(tmp_path, whole, step):
    """Five steps an epoch: within the first epoch, at its end, within others."""
    path = tmp_path / "run.ct"
    with pytest.raises(ZeroDivisionError):
        start(path, callbacks=[Ends(step)], checkpoint_every=1)
    ct.manual_seed(99)
    assert bits(*start(path, seed=5, callbacks=[Ends(-1)], checkpoint_every=1)) == whole()


@pytest.mark.parametrize("words", [
    {"own_seed": True}, {"accumulate": 2}, {"amp": "float16", "clip_norm": 0.5}, {"workers":
    2}], ids=lambda w: next(iter(w)))
def test_with_other_settings(tmp_path, whole, words):
    path = tmp_path / "run.ct"
    with pytest.raises(ZeroDivisionError):
        start(path, callbacks=[Ends(4)], checkpoint_every=1, **words)
    assert bits(*start(path, seed=5, callbacks=[Ends(-1)], checkpoint_every=1, **words)) == whole(**words)


def test_a_training_that_is_over_stays_so_and_goes_on_with_more_epochs(tmp_path, whole):
    path = tmp_path / "run.ct"
    start(path, epochs=2, callbacks=[Ends(-1)])
    _, _, history = start(path, epochs=2, seed=3, callbacks=[Ends(-1)])
    assert history.epochs == 2
    assert bits(*start(path, epochs=3, seed=3, callbacks=[Ends(-1)])) == whole()
    assert start(path, epochs=1, resume=False, callbacks=[Ends(-1)])[2].epochs == 1


def test_compiled_steps_go_on_to_rounding(tmp_path):
    """The first step after a resumption is captured, and so computed by other kernels than a replay's."""
    path, words = tmp_path / "run.ct", {"compile": True, "clip_value": 0.1}
    expected = start(callbacks=[Ends(-1)], **words)[2]
    with pytest.raises(ZeroDivisionError):
        start(path, callbacks=[Ends(4)], checkpoint_every=1, **words)
    found = start(path, seed=5, callbacks=[Ends(-1)], checkpoint_every=1, **words)[2]
    np.testing.assert_allclose(found["loss"], expected["loss"], rtol=1e-4)
    assert found["lr"] == expected["lr"]


class PressesKeys(train.Callback):
    """Sends SIGINT to this process within a batch."""

    def __init__(self, batch, times=1):
        self.batch, self.times = batch, times

    def on_batch_end(self, run):
        if run.step + 1 == self.batch:
            for _ in range(self.times):
                os.kill(os.getpid(), signal.SIGINT)


@pytest.fixture(autouse=True)
def ctrl_c():
    """Python's own answer to Ctrl-C, also where the tests were started with the signal ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_ends_after_the_step_and_writes_the_checkpoint(tmp_path, capsys, whole):
    path = tmp_path / "run.ct"
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        start(path, callbacks=[PressesKeys(7), Ends(-1)])
    assert signal.getsignal(signal.SIGINT) is before
    assert "this step is finished first" in capsys.readouterr().err
    state = ct.load(path)
    assert (state["epoch"], state["batch"], state["step"]) == (1, 2, 7)
    assert bits(*start(path, seed=5, callbacks=[PressesKeys(-1), Ends(-1)])) == whole()


def test_ctrl_c_twice_ends_at_once(tmp_path):
    path = tmp_path / "run.ct"
    with pytest.raises(KeyboardInterrupt):
        start(path, callbacks=[PressesKeys(3, times=2)])
    assert not path.exists()


def test_handlers_of_others_are_left_alone():
    seen = []
    before = signal.signal(signal.SIGINT, lambda *_: seen.append(1))
    try:
        start(epochs=1, callbacks=[PressesKeys(2)])
    finally:
        signal.signal(signal.SIGINT, before)
    assert seen == [1]


PROGRAM = "import sys; from tests.train.runs import Tells, start; start(sys.argv[1], callbacks=[Tells(0.15)], checkpoint_every=1)"


def test_a_killed_process_goes_on(tmp_path, whole):
    root = Path(__file__).resolve().parent.parent.parent
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(root), *sys.path])}
    path = tmp_path / "run.ct"
    with subprocess.Popen([sys.executable, "-c", PROGRAM, str(path)], stdout=subprocess.PIPE, text=True, cwd=root,
                          env=environment) as process:
        for line in process.stdout:
            if int(line) == 7:
                time.sleep(0.1)
                process.kill()
                break
    assert ct.load(path)["step"] in (6, 7, 8)  # a step is told before it is written
    assert bits(*start(path, seed=4, callbacks=[Tells()], checkpoint_every=1)) == whole()
    assert [p.name for p in tmp_path.iterdir()] == ["run.ct"]


def small(tmp_path, **words):
    net = nn.Linear(2, 1)
    optimizer = optim.SGD(net.parameters(), 0.1)
    data = [(ct.ones(4, 2), ct.zeros(4, 1))]
    return train.fit(net, nn.MSELoss(), optimizer, data, 1, checkpoint=tmp_path / "c.ct", progress=False, **words)


def test_errors_of_checkpoints(tmp_path):
    small(tmp_path)
    with pytest.raises(ArgumentError, match="with the callbacks Checkpoint, now there are EarlyStopping, Checkpoint"):
        small(tmp_path, callbacks=[train.EarlyStopping("loss")])
    with pytest.raises(ArgumentError, match="written without a scaler"):
        small(tmp_path, amp="float16")
    with pytest.raises(ArgumentError, match="has the metrics loss, now there are loss, mae"):
        small(tmp_path, metrics="mae")
    ct.save({"a": ct.ones(1)}, tmp_path / "c.ct")
    with pytest.raises(SerializationError, match="no checkpoint of a training"):
        small(tmp_path)


def test_by_hand(tmp_path):
    """save_checkpoint and load_checkpoint without fit."""
    def made():
        net = nn.Linear(2, 1)
        return train.Run(net, optim.Adam(net.parameters()), [], 3)

    run, other = made(), made()
    run.model(ct.ones(1, 2)).sum().backward()
    run.optimizer.step()
    run.epoch, run.step, run.started = 1, 1, ""
    run.history.add({"loss": 1.0})
    train.save_checkpoint(run, tmp_path / "run.ct")
    drawn = ct.rand(3).tolist()
    train.load_checkpoint(other, tmp_path / "run.ct")
    assert ct.rand(3).tolist() == drawn
    assert (other.epoch, other.step, other.history["loss"]) == (1, 1, [1.0])
    assert ct.equal(other.model.weight, run.model.weight)
    with pytest.raises(FileNotFoundError):
        train.load_checkpoint(other, tmp_path / "nowhere.ct")
