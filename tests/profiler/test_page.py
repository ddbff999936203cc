"""The page of a profile: what is in the file, and what a reader can do with it in a browser."""

import itertools
import json
import re

import pytest

import cltensor as ct
from cltensor import nn
from cltensor.profiler import Machine, profile, record_function

from ..graph import browser
from ..graph.markup import Strict

pytestmark = [pytest.mark.any_style, pytest.mark.device]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A profile of a few steps, and its page; a part has a name that has to be escaped."""
    net, path = nn.Sequential(nn.Linear(6, 5), nn.GELU(), nn.Linear(5, 4)), tmp_path_factory.mktemp("page") / "profile.html"
    optimizer = ct.optim.Adam(net.parameters())
    with profile(with_flops=True, profile_memory=True, with_modules=True) as prof:
        for _ in range(3):
            with record_function("</script><b>"):
                net(ct.ones(3, 6)).sum().backward()
            optimizer.step()
    prof.export_html(path, Machine(1e9, 1e9))
    return prof, path


def test_the_file_is_whole_and_needs_nothing_else(written):
    prof, path = written
    parser, text = Strict(), path.read_text(encoding="utf-8")
    parser.feed(text)
    parser.close()
    assert not parser.open
    assert parser.addresses == ["data:,"]
    assert not re.findall(r"https?://|@import|url\(", text)
    facts, s = json.loads(parser.facts), prof.summary()
    assert facts["totals"]["launches"] == s.launches
    assert [w[:3] for w in facts["works"]] == [[w.name, w.seconds, w.launches] for w in s.works]
    boxes = [b for track in facts["tracks"] for b in track["boxes"]]
    assert len(boxes) == len(prof.events())
    names = {facts["names"][b[0]] for b in boxes}
    assert {"</script><b>", "nn.Module: 0: Linear", "Optimizer.step#Adam.step"} <= names
    assert max(n for _, n in facts["memory"]) == max(prof.memory_peaks()[0], max(n for _, n in facts["memory"]))
    assert facts["advice"] == [{"fact": a.fact, "cure": a.cure, "weight": a.weight} for a in prof.advice(Machine(1e9, 1e9))]


def test_boxes_of_a_row_do_not_overlap(written):
    _, path = written
    parser = Strict()
    parser.feed(path.read_text(encoding="utf-8"))
    for track in json.loads(parser.facts)["tracks"]:
        for depth in {b[3] for b in track["boxes"]}:
            row = sorted([b for b in track["boxes"] if b[3] == depth], key=lambda b: b[1])
            assert all(a[1] + a[2] <= b[1] + 0.05 for a, b in itertools.pairwise(row))


def test_an_empty_profile_has_a_page(tmp_path):
    with profile() as prof:
        pass
    prof.export_html(tmp_path / "empty.html")
    assert "@FACTS@" not in (tmp_path / "empty.html").read_text(encoding="utf-8")


@pytest.mark.skipif(browser.CHROMIUM is None, reason="no Chromium is installed")
def test_in_a_browser(written, tmp_path):
    prof, path = written
    works = prof.summary().works
    with browser.browser(tmp_path) as page:
        page.open(path)
        assert page.value("document.querySelectorAll('tr.row').length") == len(works)
        assert page.value("document.querySelector('tr.row td').textContent") == works[0].name
        page.click("th:nth-child(4)")
        shown = page.value("[...document.querySelectorAll('tr.row')].map(r => +r.children[3].textContent)")
        assert shown == sorted((w.launches for w in works), reverse=True)
        page.click("#host")
        names = page.value("[...document.querySelectorAll('tr.row td:first-child')].map(d => d.textContent)")
        assert sorted(names) == sorted(a.key for a in prof.key_averages() if a.device_type == 0)
        page.click("#search")
        page.type("linear")
        assert page.value("[...document.querySelectorAll('tr.row td:first-child')].every(d => /linear/i.test(d.textContent))")
        span = "view.to - view.from"
        whole = page.value(span)
        page.value("document.getElementById('timeline').scrollIntoView()")
        page.click("#in")
        assert page.value(span) == pytest.approx(whole / 2)
        x, y = page.value("(r => [r.x + r.width / 2, r.y + 60])(document.getElementById('timeline').getBoundingClientRect())")
        page.mouse("mouseWheel", x, y, deltaX=0, deltaY=-300)
        page.call("Runtime.evaluate", expression="new Promise(done => setTimeout(done, 50))", awaitPromise=True)
        assert page.value(span) < whole / 2
        page.mouse("mousePressed", x, y)
        page.mouse("mouseMoved", x + 40, y, buttons=1)
        page.mouse("mouseReleased", x + 40, y)
        page.click("#fit")
        assert page.value(span) == whole
        drawn = page.value("(c => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data].some(Boolean))"
                           "(document.getElementById('timeline'))")
        assert drawn
        assert page.errors == []
