"""What ci/fuzz's child processes say comes back whole."""

import json

from fuzzing import files, processes


def test_the_last_line_of_a_script_comes_back_whole():
    said, wrong = processes.script("print('before'); print('x' * 1000)", "cpu", 60)
    assert (said, wrong) == ("x" * 1000, None)
    assert processes.script("raise SystemExit(3)", "cpu", 60) == (None, "status 3: ")


def test_counts_of_damaged_files_of_any_length(monkeypatch):
    counts = {f"files damaged in the {n}th way": n for n in range(50)}
    monkeypatch.setattr(files, "script", lambda text, style, seconds: (json.dumps(counts), None))
    assert files.check(1, "1", "cpu") == (counts, None)
