"""utils.progress: what is shown, in each style, and that values are read only when they are."""

import io
import sys

import pytest

import cltensor as ct
from cltensor.base.errors import ArgumentError, MissingPackageError
from cltensor.utils import progress

pytestmark = [pytest.mark.device, pytest.mark.any_style]


class Terminal(io.StringIO):
    """A file that says it is a terminal."""

    def isatty(self):
        return True


def run(file, **words):
    bar = progress(range(4), description="epoch 1", file=file, unit="batch", **words)
    for i in bar:
        bar.show(loss=ct.tensor(1.0 / (i + 1)), lr=0.1, n=i)
    return file.getvalue()


def test_lines_where_there_is_no_terminal():
    text = run(io.StringIO())
    assert text.startswith("epoch 1: 4/4 batch, ")
    assert text.endswith(" batch/s, loss 0.25, lr 0.1, n 3\n")
    assert text.count("\n") == 1


def test_lines_in_between():
    assert run(io.StringIO(), interval=0.0).count("\n") == 5


@pytest.mark.parametrize("style", ["tqdm", "rich", None])
def test_bars(style):
    pytest.importorskip(style or "tqdm")
    text = run(Terminal(), style=style, interval=0.0)
    assert "epoch 1" in text
    assert "loss 0.25, lr 0.1, n 3" in text
    assert "4/4" in text


def test_none_shows_nothing():
    assert run(io.StringIO(), style="none") == ""


def test_what_is_installed_decides(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setitem(sys.modules, "rich", None)
    assert run(Terminal()).startswith("epoch 1: 4/4 batch")
    with pytest.raises(MissingPackageError, match=r"progress: needs the package tqdm.*cltensor\[see\]"):
        progress(range(3), style="tqdm")


def test_values_are_read_when_they_are_drawn():
    class Read(ct.Tensor):
        count = 0

        def item(self):
            Read.count += 1
            return 0.5

    bar = progress(range(100), file=io.StringIO(), interval=1000.0)
    value = ct.ones(()).as_subclass(Read)
    for _ in bar:
        bar.show(loss=value)
    assert Read.count == 1


def test_by_hand():
    with progress(total=10, file=io.StringIO(), initial=4) as bar:
        bar.advance(2)
        assert bar.count == 6
        assert bar.rate > 0
        items = iter(bar)
        with pytest.raises(ArgumentError, match="nothing to iterate over"):
            next(items)
    file = io.StringIO()
    with progress(file=file) as bar:
        bar.advance()
        bar.close()
    assert file.getvalue().startswith("1 it, ")
    assert len(progress([1, 2], style="none")) == 2


def test_it_is_closed_where_the_loop_breaks():
    file = io.StringIO()

    def loop():
        for i in progress(range(5), file=file):
            if i == 2:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        loop()
    assert file.getvalue().startswith("2/5 it")


def test_errors():
    with pytest.raises(ArgumentError, match="style must be one of"):
        progress(range(3), style="dots")
