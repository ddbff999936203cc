"""utils.draw: boxes and edges of known models, and a picture that is well-formed and has no box on another."""

import xml.etree.ElementTree as ET

import pytest

import cltensor as ct
from cltensor import nn
from cltensor.base.errors import ArgumentError, ArgumentTypeError
from cltensor.graph.placement import HEIGHT, WIDTH
from cltensor.utils import draw

pytestmark = [pytest.mark.device, pytest.mark.any_style]
SVG = "{http://www.w3.org/2000/svg}"


class Block(nn.Module):
    """A residual block, which adds in place."""

    def __init__(self):
        super().__init__()
        self.conv1, self.conv2, self.relu = nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1), nn.ReLU(inplace=True)

    def forward(self, x):
        y = self.conv2(self.relu(self.conv1(x)))
        y += x
        return self.relu(y)


def named(picture):
    """{(title of the source, title of the target)} and all titles with their shapes."""
    titles = {b.key: b.name or b.title for b in picture.boxes}
    return {(titles[s], titles[t]) for s, t in picture.edges}, [(b.name or b.title, b.shapes[0]) for b in picture.boxes]


def test_a_chain():
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Identity(), nn.Linear(8, 2))
    edges, boxes = named(draw(model, ct.zeros(3, 4)))
    assert boxes == [("input", (3, 4)), ("0", (3, 8)), ("1", (3, 8)), ("3", (3, 2)), ("output", (3, 2))]
    assert edges == {("input", "0"), ("0", "1"), ("1", "3"), ("3", "output")}


def test_a_residual_block():
    edges, _ = named(draw(Block(), input_size=(1, 4, 6, 6)))
    assert {("input", "conv1"), ("conv1", "relu"), ("relu", "conv2"), ("conv2", "add"), ("input", "add"), ("add", "relu"),
            ("relu", "output")} == edges


def test_views_are_passed_through():
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(8, 2))
    edges, boxes = named(draw(model, ct.zeros(1, 1, 4, 4)))
    assert ("1", (1, 8)) in boxes
    assert {("0", "1"), ("1", "2")} <= edges


def test_depth_and_frames():
    model = nn.Sequential(nn.Sequential(nn.Linear(2, 3), nn.ReLU()), nn.Linear(3, 1))
    deep, flat = draw(model, ct.zeros(1, 2)), draw(model, ct.zeros(1, 2), depth=1)
    assert [b.title for b in deep.boxes] == ["input", "Linear", "ReLU", "Linear", "output"]
    assert [b.title for b in flat.boxes] == ["input", "Sequential", "Linear", "output"]
    assert "0: Sequential" in deep.svg
    assert flat.boxes[1].parameters == 9


def test_ops_between_modules_are_drawn_together():
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(2, 2)

        def forward(self, x, y):
            return (self.linear(x).exp() * 2).sum(), self.linear(y)

    picture = draw(Scaled(), (ct.zeros(1, 2), ct.ones(1, 2)))
    edges, boxes = named(picture)
    assert boxes[0][0] == "input 0"
    assert ("exp, mul, sum", ()) in boxes
    assert ("input 1", "linear") in edges
    assert any(b.title == "Linear (again)" for b in picture.boxes)
    assert "scalar" in picture.svg


@pytest.mark.parametrize("make", [
    lambda: (nn.Sequential(Block(), Block()), {"input_size": (1, 4, 6, 6)}),
    lambda: (nn.LSTM(3, 4, 2, bidirectional=True), {"input_data": ct.zeros(5, 1, 3)}),
    lambda: (nn.Transformer(8, 2, 1, 1, 16, batch_first=True), {"input_data": (ct.zeros(1, 3, 8), ct.zeros(1, 2, 8)), "depth": 3}),
], ids=["residual", "lstm", "transformer"])
def test_the_picture(make, tmp_path):
    model, words = make()
    picture = draw(model, **words)
    picture.save(tmp_path / "model.svg")
    root = ET.parse(tmp_path / "model.svg").getroot()
    assert picture._repr_svg_() == picture.svg
    boxes = [r for r in root.iter(f"{SVG}rect") if r.get("class") == "b"]
    assert len(boxes) == len(picture.boxes)
    assert len([p for p in root.iter(f"{SVG}path") if p.get("class") == "e"]) == len(picture.edges)
    left, top, width, height = map(float, root.get("viewBox").split())
    places = [(float(r.get("x")), float(r.get("y"))) for r in boxes]
    for i, (x, y) in enumerate(places):
        assert left <= x
        assert x + WIDTH <= left + width
        assert top <= y <= top + height - HEIGHT
        assert not any(abs(x - u) < WIDTH and abs(y - v) < HEIGHT for u, v in places[:i])
    order = {b.key: i for i, b in enumerate(picture.boxes)}
    assert all(order[s] < order[t] for s, t in picture.edges)


def test_text_is_escaped():
    class Odd(nn.Module):
        def forward(self, x):
            return x + 1

    Odd.__name__ = "A<b>&c"
    picture = draw(nn.Sequential(Odd()), ct.zeros(1))
    assert "A&lt;b&gt;&amp;c" in picture.svg
    assert "boxes" in repr(picture)


def test_errors():
    with pytest.raises(ArgumentError, match="depth must be at least 1"):
        draw(nn.ReLU(), ct.zeros(1), depth=0)
    with pytest.raises(ArgumentError, match="got neither"):
        draw(nn.ReLU())
    with pytest.raises(ArgumentTypeError, match="expected a Module"):
        draw(3, ct.zeros(1))
