"""The generator: the same program for the same seed, every template filled, views that are text."""

import ast
import random

import pytest

from fuzzing import catalogue, generator, leaves, views
from fuzzing.facts import Facts
from fuzzing.fill import Fill, Unfit
from fuzzing.program import Leaf


class StandIn:
    """An oracle that knows leaves, and takes everything else for a float32 matrix."""

    def __init__(self):
        self.leaves = {}

    def run(self, statement):
        if isinstance(statement, Leaf):
            numbers = statement.values or (0,)
            self.leaves[statement.name] = Facts(statement.shape, statement.dtype, low=min(numbers), high=max(numbers))
        return sorted(statement.defines)

    def facts(self, expression):
        return self.leaves.get(expression, Facts((4, 4), "float32"))

    def overlap(self, one, other):
        return "none"

    def defined(self, statement):
        return True


def test_a_program_follows_from_its_seed():
    one, again, other = (generator.program("s", n, StandIn()).text for n in (3, 3, 4))
    assert one == again
    assert one != other


def test_programs_are_python_and_define_what_they_use():
    for number in range(30):
        known = {"ct", "sum", "gs", "g"}
        for s in generator.program("names", number, StandIn()).statements:
            ast.parse(s.text)
            assert s.uses <= known | s.defines, s.text
            known |= s.defines


@pytest.mark.parametrize("family", catalogue.FAMILIES)
def test_every_word_of_the_catalogue_can_be_filled(family):
    pool = generator.Pool("words", 0)
    for template in catalogue.FAMILIES[family]:
        for attempt in range(60):
            writer = generator.Writer(random.Random(attempt), StandIn(), pool)
            try:
                text = Fill(writer)(template.removeprefix("= "))
            except Unfit:
                continue
            ast.parse(text)
            assert "{" not in text
            break
        else:
            pytest.fail(f"{template} is never filled")


def test_every_family_has_a_weight():
    assert set(catalogue.WEIGHTS) == set(catalogue.FAMILIES) | {"interleaved"}


@pytest.mark.parametrize("shape", [(), (3,), (0,), (2, 3), (2, 0, 3), (1, 2, 1, 3, 1)])
def test_views_and_indices_are_text(shape):
    rng = random.Random(str(shape))
    for _ in range(200):
        for suffix in (views.view(rng, shape), views.basic(rng, shape), views.advanced(rng, shape)):
            ast.parse(f"x{suffix}")


@pytest.mark.parametrize(("leaf", "text"), [
    (Leaf("x", (), "float32", (1.5,)), "x = ct.tensor(1.5, dtype=ct.float32)"),
    (Leaf("x", (2, 0), "int64", ()), "x = ct.full((2, 0), 0, dtype=ct.int64)"),
    (Leaf("x", (2, 1), "float16", (1.0, float("nan")), True),
     'x = ct.tensor([1.0, float("nan")], dtype=ct.float16).reshape(2, 1).requires_grad_()'),
    (Leaf("x", (5,), "int8", (1, 2)), "x = ct.tensor([1, 2], dtype=ct.int8).repeat(3)[:5]"),
    (Leaf("x", (3,), "bool", (True,) * 3), "x = ct.full((3,), True, dtype=ct.bool)"),
])
def test_text_of_a_leaf(leaf, text):
    assert leaf.text == text


def test_leaves_fit_their_dtypes():
    rng = random.Random(5)
    for _ in range(100):
        made = leaves.leaf(rng, "x", "uint8")
        assert all(0 <= v < 256 for v in made.values)
        assert len(made.shape) <= 5
