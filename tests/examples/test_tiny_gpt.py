"""examples/tiny_gpt.py: a short run, and what the cache of keys and values gives."""

import pytest

import cltensor as ct


@pytest.fixture
def tiny_gpt(example, monkeypatch):
    """The example as a module, with a short context."""
    module, characters = example("tiny_gpt"), example("characters")
    text = characters.Text("\n".join(list(characters.topics.values())[:4])[:12_000])
    monkeypatch.setattr(module, "Text", lambda: text)
    monkeypatch.setattr(module, "CONTEXT", 32)
    return module


@pytest.mark.device
@pytest.mark.parametrize("more", [[], ["--compile"]])
def test_short_run(tiny_gpt, tmp_path, capsys, more):
    bits = tiny_gpt.main(["--epochs", "3", "--output", str(tmp_path), *more])
    assert bits < 5  # guessing evenly takes more than 6
    assert "without a cache of keys and values" in capsys.readouterr().out
    assert (tmp_path / "tiny_gpt.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.device
def test_scores_with_the_cache_are_those_of_the_whole_text(tiny_gpt):
    ct.manual_seed(0)
    model = tiny_gpt.GPT(11, width=16, heads=2, blocks=2).eval()
    letters = ct.randint(11, (3, 9))
    cache, rows = tiny_gpt.Cache(model, 3), []
    with ct.no_grad():
        for at in range(9):
            rows.append(model(letters[:, at:at + 1], cache))
            cache.at += 1
        ct.testing.assert_close(ct.cat(rows, dim=1), model(letters), rtol=1e-4, atol=1e-5)


@pytest.mark.device
def test_temperature_without_sense(tiny_gpt, tmp_path):
    with pytest.raises(SystemExit, match="--temperature must be above 0"):
        tiny_gpt.main(["--temperature", "0", "--output", str(tmp_path)])
