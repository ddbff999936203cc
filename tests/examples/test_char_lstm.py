"""examples/char_lstm.py: a short run, its baseline, and the pieces that it reads."""

from collections import Counter

import numpy as np
import pytest


@pytest.fixture
def char_lstm(example):
    """The example as a module."""
    return example("char_lstm")


@pytest.fixture
def text(example):
    """A few thousand characters."""
    characters = example("characters")
    return characters.Text("\n".join(list(characters.topics.values())[:4])[:12_000])


@pytest.mark.device
@pytest.mark.parametrize("more", [[], ["--compile"]])
def test_short_run(char_lstm, text, monkeypatch, tmp_path, capsys, more):
    monkeypatch.setattr(char_lstm, "Text", lambda: text)
    monkeypatch.setattr(char_lstm, "BATCH", 8)
    monkeypatch.setattr(char_lstm, "STEPS", 16)
    bits = char_lstm.main(["--epochs", "2", "--length", "20", "--output", str(tmp_path), *more])
    assert bits < 4.5  # guessing evenly takes more than 6
    assert "written at temperature 0.3" in capsys.readouterr().out
    assert (tmp_path / "char_lstm.png").read_bytes().startswith(b"\x89PNG")


def test_bits_of_pairs_by_hand(example):
    text = example("characters").Text("ab" * 9 + "aa")
    pairs = Counter(zip(text.training[:-1], text.training[1:], strict=True))
    ones = {first: 2 + sum(count for (one, _), count in pairs.items() if one == first) for first in (0, 1)}
    expected = -np.log2((pairs[0, 0] + 1) / ones[0])
    assert text.bigram_bits() == pytest.approx(expected)
    assert text.decode(text.encode("abba")) == "abba"


@pytest.mark.device
def test_pieces_go_on_where_the_one_before_ended(char_lstm, monkeypatch):
    monkeypatch.setattr(char_lstm, "BATCH", 2)
    monkeypatch.setattr(char_lstm, "STEPS", 3)
    found = list(char_lstm.pieces(np.arange(15)))
    assert [piece.tolist() for piece, _ in found] == [[[0, 1, 2], [7, 8, 9]], [[3, 4, 5], [10, 11, 12]]]
    assert all(((after - letters) == 1).all() for letters, after in found)
