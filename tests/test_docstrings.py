"""ci/docstrings.py finds the parts that a docstring has and lacks."""

import json

import docstrings


def test_what_a_docstring_lacks():
    def bare(x):
        """Something."""

    def whole(x):
        """x squared.

        For a tensor of any shape and floating dtype.  Raises DTypeError for ints.  Source: Euclid, 300 BC.

            y = whole(x)
        """

    assert docstrings.lacking(bare) == list(docstrings.PARTS)
    assert docstrings.lacking(whole) == []
    assert docstrings.lacking(lambda: None) == list(docstrings.PARTS)


def test_the_count_may_only_fall(tmp_path, monkeypatch, capsys):
    assert docstrings.main([]) == 0, capsys.readouterr().out
    lower = tmp_path / "docstrings.json"
    lower.write_text(docstrings.KEPT.read_text())
    monkeypatch.setattr(docstrings, "KEPT", lower)
    assert docstrings.main(["--lower"]) == 0
    now = json.loads(lower.read_text())
    lower.write_text(json.dumps({**now, "raises": 0}))
    assert docstrings.main([]) == 1
    assert "lack raises, 0 did" in capsys.readouterr().out
    lower.write_text(json.dumps({part: n + 5 for part, n in now.items()}))
    assert docstrings.main(["--lower"]) == 0
    assert json.loads(lower.read_text()) == now


def test_names_without_tensors_need_no_shapes_and_dtypes():
    assert docstrings.lacking(lambda: None, "cltensor.opencl.device_count") == ["raises", "source", "example"]
    assert docstrings.lacking(lambda: None, "cltensor.autograd.no_grad") == ["raises", "source", "example"]
    assert docstrings.lacking(lambda: None, "cltensor.autograd.grad") == list(docstrings.PARTS)
