"""The page of a compiled function: what is in the file, and what a reader can do with it in a browser."""

import itertools
import json
import re

import pytest

import cltensor as ct
from cltensor import nn
from cltensor.base.errors import CaptureError
from cltensor.compiler import compile
from cltensor.graph.placement import HEIGHT, WIDTH, placed

from . import browser
from .markup import Strict

pytestmark = pytest.mark.any_style


def trained():
    """A compiled function with two programs and a backward pass, whose name has to be escaped."""
    net = nn.Sequential(nn.Linear(6, 5), nn.GELU(), nn.Linear(5, 4), nn.Softmax(1))

    def f(x):
        return (net(x) * 2 + 1).exp()

    f.__name__ = "<b>&\"'</script>"
    f = compile(f)
    f(ct.ones(2, 6))
    with ct.no_grad():
        f(ct.ones(2, 6))
    return f


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    f, path = trained(), tmp_path_factory.mktemp("page") / "graph.html"
    f.graph.to_html(path)
    return f, path


@pytest.mark.device
def test_the_file_is_whole_and_needs_nothing_else(written):
    f, path = written
    parser, text = Strict(("path", "rect")), path.read_text(encoding="utf-8")
    parser.feed(text)
    parser.close()
    assert not parser.open
    assert parser.addresses == ["data:,"]
    assert not re.findall(r"https?://(?!www\.w3\.org/2000/svg)|@import|url\(", text)
    facts = json.loads(parser.facts)
    assert facts["name"] == f.name
    assert [p["backward"] for p in facts["programs"]] == [False, True, False]
    for told, shown in zip(f.explain().programs, facts["programs"], strict=True):
        assert shown["title"] == told.title
        assert ["launches", told.launches_before, told.launches] in shown["totals"]
        assert sum(k["bytes"] for k in shown["kernels"]) == told.bytes_moved
        keys = {v["key"] for v in shown["vertices"]}
        assert {k for e in shown["edges"] for k in e[:2]} <= keys
        for kernel in shown["kernels"]:
            assert all("__kernel" in facts["sources"][number] for number, _ in kernel["sources"])


@pytest.mark.device
def test_nothing_captured_is_an_error(tmp_path):
    f = compile(lambda x: x)
    for call in (lambda: f.graph.to_html(tmp_path / "x.html"), lambda: f.graph.to_dot()):
        with pytest.raises(CaptureError, match="has captured no program; call it"):
            call()


def test_layers_do_not_overlap_and_edges_point_down():
    keys = [f"v{i}" for i in range(200)]
    edges = [(keys[i // 3], keys[i]) for i in range(1, 200)] + [(keys[i], keys[i + 20]) for i in range(180)]
    at = placed(keys, edges)
    assert all(at[a][1] < at[b][1] for a, b in edges)
    places = sorted(at.values(), key=lambda p: (p[1], p[0]))
    for (x, y), (next_x, next_y) in itertools.pairwise(places):
        assert next_y - y >= HEIGHT if next_y != y else next_x - x > WIDTH
    assert placed([], []) == {}


@pytest.mark.device
@pytest.mark.skipif(browser.CHROMIUM is None, reason="no Chromium is installed")
def test_in_a_browser(written, tmp_path):
    f, path = written
    program = f.explain().programs[0]
    number, fused = next((i, k) for i, k in enumerate(program.kernels) if k.fused)
    with browser.browser(tmp_path) as page:
        page.open(path)
        assert page.value("document.querySelector('h1').firstChild.textContent") == f.name
        assert page.value("document.querySelectorAll('tr.row').length") == len(program.kernels)
        page.click("#fit")
        page.click(f"g.vertex[data-key=k{number}]")
        detail = page.value("document.getElementById('detail').textContent")
        assert next(iter(fused.sources)) in detail
        assert all(name in detail for name in fused.fused)
        page.click("tr.row[data-kernel='0']")
        assert next(iter(program.kernels[0].sources)) in page.value("document.getElementById('detail').textContent")
        assert page.value("document.querySelectorAll('.edge.near').length") > 0
        page.click("#search")
        page.type("softmax")
        assert page.value("document.querySelectorAll('.vertex:not(.dim)').length") >= 1
        assert page.value("document.querySelectorAll('.vertex.dim').length") >= 1
        before = page.value("view.scale")
        page.mouse("mouseWheel", 300, 400, deltaX=0, deltaY=-300)
        page.call("Runtime.evaluate", expression="new Promise(done => setTimeout(done, 50))", awaitPromise=True)
        assert page.value("view.scale") > before
        x = page.value("view.x")
        page.mouse("mousePressed", 300, 500)
        page.mouse("mouseMoved", 350, 500, buttons=1)
        page.mouse("mouseReleased", 350, 500)
        assert page.value("view.x") == x + 50
        page.click("#programs button:nth-child(2)")
        assert page.value("document.getElementById('title').textContent") == f.explain().programs[1].title
        page.click("th:nth-child(4)")
        shown = page.value("[...document.querySelectorAll('tr.row')].map(r => program.kernels[r.dataset.kernel].bytes)")
        assert shown == sorted(shown, reverse=True)
        assert page.errors == []
