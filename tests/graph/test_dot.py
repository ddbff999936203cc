"""Graphviz text of captured programs: read by Graphviz itself where it is installed, and by a strict reader of the language."""

import re
import shutil
import subprocess

import pytest

import cltensor as ct
from cltensor.compiler import compile
from cltensor.graph.dot import digraph, quoted

pytestmark = [pytest.mark.device, pytest.mark.any_style]
_STRING = r'"(?:[^"\\\n]|\\.)*"'
_ATTRIBUTES = rf"\[\w+=(?:{_STRING}|\w+)(?:, \w+=(?:{_STRING}|\w+))*\]"
_LINE = re.compile(rf"digraph cltensor \{{|subgraph cluster_\d+ \{{|\}}|label={_STRING};|(?:node|edge) {_ATTRIBUTES};"
                   rf"|(?P<vertex>\w+) {_ATTRIBUTES};|(?P<source>\w+) -> (?P<target>\w+) {_ATTRIBUTES};")


def read(text):
    """(vertices, edges) of DOT text; every line must be of the language, and every edge between vertices."""
    found = [_LINE.fullmatch(line.strip()) for line in text.splitlines()]
    assert all(found), [line for line, m in zip(text.splitlines(), found, strict=True) if not m]
    assert text.count("{") >= text.count("}")
    vertices = [m["vertex"] for m in found if m["vertex"] and m["vertex"] not in ("node", "edge")]
    edges = [(m["source"], m["target"]) for m in found if m["source"]]
    assert len(set(vertices)) == len(vertices)
    assert {v for e in edges for v in e} <= set(vertices)
    return vertices, edges


def f(x, y):
    half = x[1:, ::2]
    y.add_(half)
    y[0] = 0
    return half.exp() @ y.t(), y


@pytest.fixture(scope="module")
def compiled():
    made = compile(f)
    for _ in range(2):
        made(ct.ones(4, 6), ct.ones(3, 3))
    return made


def test_views_offsets_and_versions_are_shown(compiled):
    text = compiled.graph.to_dot()
    assert "b0.0 float32[3, 3] strides (6, 2) @6" in text
    assert "in place of b1.0" in text
    assert re.search(r"rest of b1\.1\", style=dashed", text)
    vertices, edges = read(text)
    assert any(v.startswith("p0_r") for v in vertices)
    assert edges


def test_as_captured_and_one_program(compiled):
    g = compile(lambda x: (x * 2 + 1).exp())
    g(ct.ones(2, requires_grad=True))
    assert len(read(g.graph.to_dot(captured=True))[0]) > len(read(g.graph.to_dot())[0])
    assert "cluster_1" in g.graph.to_dot()
    assert "cluster_1" not in g.graph[:1].to_dot()
    assert g.graph[0].title.startswith("program 0")
    assert str(g.graph).count("return") == 2


@pytest.mark.skipif(not shutil.which("dot"), reason="Graphviz is not installed")
def test_graphviz_reads_it(compiled):
    done = subprocess.run(["dot", "-Tplain"], input=compiled.graph.to_dot(), capture_output=True, text=True, check=True)
    assert not done.stderr
    drawn = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("node ")]
    assert sorted(drawn) == sorted(read(compiled.graph.to_dot())[0])


@pytest.mark.parametrize("text", ['a"b', "a\\", "a\\\"b", "a\nb", "{<>|}", "", "π"])
def test_quotes(text):
    assert re.fullmatch(_STRING, quoted(text))
    made = digraph([(text, compile_of_nothing(), ())])
    read(made)
    if shutil.which("dot"):
        done = subprocess.run(["dot", "-Tdot"], input=made, capture_output=True, text=True, check=True)
        assert not done.stderr


def compile_of_nothing():
    from cltensor.graph.ir import Graph

    return Graph((), (), (), ())
