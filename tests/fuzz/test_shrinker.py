"""The shrinker keeps what a mismatch needs and drops the rest."""

from fuzzing.comparison import Mismatch
from fuzzing.program import Leaf, Program, Statement
from fuzzing.shrinking import Shrinker, simpler


def statement(text, family="f"):
    return Statement(text, family)


def wrong_where(word):
    """A check that reports a mismatch at the first statement that contains a word."""

    def check(program):
        at = next((k for k, s in enumerate(program.statements) if word in s.text), None)
        return None if at is None else Mismatch(at, "values", "apart")

    return check


def shrink(program, check, **options):
    return Shrinker(check, **options)(program, check(program))


def test_only_the_wrong_statement_and_what_it_needs_are_left():
    program = Program((Leaf("a", (2, 3), "float32", (1.0,) * 6), statement("b = a + 1"), statement("c = b.exp()"),
                       statement("d = c.bad()"), statement("e = d * 2")))

    def check(p):
        found = wrong_where("bad")(p)
        defined = {n for s in p.statements for n in s.defines}
        return found if found and "c" in defined else None

    small, found = shrink(program, check)
    assert small.statements[found.position].text == "d = c.bad()"
    assert "e = " not in small.text


def test_a_removed_statement_takes_along_what_used_it():
    program = Program(tuple(map(statement, ("a = ct.ones(2)", "b = a + 1", "c = b + 1", "a = ct.zeros(3)", "d = a + 1"))))
    assert [s.text for s in program.without(0).statements] == ["a = ct.zeros(3)", "d = a + 1"]


def test_a_statement_becomes_a_literal():
    program = Program((statement("a = ct.ones(2).exp()"), statement("b = a.bad()")))

    def literal(p, position):
        return Leaf("a", (2,), "float32", (1.0, 2.0)) if position == 0 else None

    def check(p):
        return wrong_where("a.bad")(p) if "a" in p.statements[0].defines else None

    small, _ = shrink(program, check, literal=literal)
    assert small.statements[0].text.startswith("a = ct.")
    assert isinstance(small.statements[0], Leaf)


def test_leaves_get_smaller_until_they_are_right():
    program = Program((Leaf("a", (8, 4), "float16", tuple(map(float, range(32))), True), statement("b = a.bad()")))

    def check(p):
        leaf = p.statements[0]
        return wrong_where("bad")(p) if isinstance(leaf, Leaf) and leaf.size >= 3 else None

    small, _ = shrink(program, check)
    leaf = small.statements[0]
    assert (leaf.size, leaf.dtype, leaf.grad) == (3, "float32", False)


def test_views_within_a_statement_are_left_out():
    small, _ = shrink(Program((statement("b = bad(a.t()[1:].exp())"),)), wrong_where("bad"))
    assert small.text == "b = bad(a)"


def test_another_kind_of_mismatch_is_not_followed():
    program = Program((statement("a = one"), statement("b = two")))

    def check(p):
        both = len(p.statements) == 2
        return Mismatch(len(p.statements) - 1, "values" if both else "refused", "apart") if p.statements else None

    small, found = shrink(program, check)
    assert (len(small.statements), found.kind) == (2, "values")


def test_the_budget_is_kept():
    calls = []

    def check(p):
        calls.append(p)
        return wrong_where("bad")(p)

    program = Program(tuple(statement(f"x{k} = bad{k}") for k in range(40)))
    Shrinker(check, budget=7)(program, check(program))
    assert len(calls) <= 8


def test_an_empty_leaf_can_be_made_simpler():
    found = list(simpler(Leaf("a", (2, 0), "float32", (), True)))
    assert found
    for leaf in found:
        compile(leaf.text, "", "exec")
