"""Spaces: classes of sizes, which values are taken from a database, and questions and trials."""

from types import SimpleNamespace

import pytest

from cltensor.base import dtypes
from cltensor.ops.conv import implicit_gemm
from cltensor.ops.gemm import gemm
from cltensor.ops.kinds import reduction
from cltensor.tune import lookup, starter
from cltensor.tune.key import Key, rounded, shape_class
from cltensor.tune.space import Space, Unfit, asking, trying

DEVICE = SimpleNamespace(profile=SimpleNamespace(style="cpu"))
SIZES = {"M": 500, "layout": "kn"}
KEY = Key("product cpu float32", "M512 layout=kn")
_SHIPPED = lookup.shipped
SPACE = Space("product", MR=(4, 6, 8), KC=(128, 256), fits=lambda profile, dtype, MR, KC: MR * KC <= 1024)


@pytest.fixture(autouse=True)
def known(monkeypatch):
    """What was tuned, and what ships; the test adds to it."""
    tuned, shipped = {}, {}
    monkeypatch.setattr(lookup, "tuned", lambda profile, key: tuned.get(key))
    monkeypatch.setattr(lookup, "shipped", lambda profile, key: shipped.get(key))
    return SimpleNamespace(tuned=tuned, shipped=shipped)


def choose():
    c = SPACE.choose(DEVICE, dtypes.float32, SIZES, MR=6, KC=96)
    return c.MR, c.KC


@pytest.mark.parametrize(("n", "power"), [(0, 0), (1, 1), (2, 2), (3, 4), (5, 4), (6, 8), (362, 256), (363, 512), (724, 512),
                                          (725, 1024), (784, 1024), (3072, 4096)])
def test_sizes_are_rounded_by_ratio(n, power):
    assert rounded(n) == power


def test_class_of_sizes():
    assert shape_class({"M": 500, "N": 3, "batch": 1, "layout": "kn"}) == "M512 N4 batch1 layout=kn"


def test_defaults_without_a_result():
    assert choose() == (6, 96)


def test_result_replaces_the_defaults(known):
    known.tuned[KEY] = {"MR": 4, "KC": 256}
    assert choose() == (4, 256)
    assert SPACE.choose(DEVICE, dtypes.float64, SIZES, MR=6, KC=96).MR == 6
    assert SPACE.choose(DEVICE, dtypes.float32, {"M": 2000, "layout": "kn"}, MR=6, KC=96).MR == 6


@pytest.mark.parametrize("values", [{"MR": 5}, {"MR": [4]}, {"WPT": 4}, {"MR": 8, "KC": 256}])
def test_result_of_another_version_is_not_used(known, values):
    known.tuned[KEY] = values
    assert choose() == (6, 96)


def test_trial_comes_before_what_is_known(known):
    known.tuned[KEY] = {"MR": 4}
    with trying(KEY, {"MR": 8, "KC": 128}):
        assert choose() == (8, 128)
        assert SPACE.choose(DEVICE, dtypes.float64, SIZES, MR=6, KC=96).MR == 6
    assert choose() == (4, 96)


def test_trial_that_does_not_fit():
    with trying(KEY, {"MR": 8, "KC": 256}), pytest.raises(Unfit, match=r"product: MR=8 KC=256 do not fit M512"):
        choose()


def test_questions_are_noted():
    with asking() as asked:
        choose()
    choose()
    [question] = asked
    assert (question.space, question.key, question.defaults) == (SPACE, KEY, {"MR": 6, "KC": 96})


def test_what_ships_replaces_the_defaults_until_it_is_tuned(known):
    known.shipped[KEY] = {"KC": 128}
    assert choose() == (6, 128)
    with asking() as asked:
        choose()
    assert asked[0].defaults == {"MR": 6, "KC": 128}
    known.tuned[KEY] = {"MR": 4, "KC": 256}
    assert choose() == (4, 256)
    known.shipped[KEY] = {"KC": 100}
    assert choose() == (4, 256)


# --- the starter database --------------------------------------------------------------------------------------------

POCL = SimpleNamespace(kind="cpu", platform="Portable Computing Language", vector_width=8, name="", driver="")


def test_starter_holds_values_of_the_spaces():
    spaces = [s for module in (gemm, implicit_gemm, reduction) for s in vars(module).values() if isinstance(s, Space)]
    for family in starter.families():
        for kernel, patterns in family["results"].items():
            fitting = [s for s in spaces if s.name == kernel.split()[0]]
            for pattern, values in patterns.items():
                assert any(all(v in s.values.get(n, ()) for n, v in values.items()) for s in fitting), (kernel, pattern)


def test_starter_is_chosen_by_device_and_class():
    rules = starter.rules(POCL)
    rows = Key("reduction cpu float32", "op=sum_reduce kept1024 reduced512 along=row")
    assert [r.values for r in rules if r.matches(rows)] == [{"LANES": 8}]
    assert not [r for r in rules if r.matches(rows._replace(shape=rows.shape.replace("row", "col")))]
    assert not starter.rules(SimpleNamespace(**{**vars(POCL), "platform": "another"}))


def test_setting_ignores_the_starter(monkeypatch):
    rows = Key("reduction cpu float32", "op=sum_reduce kept1024 reduced512 along=row")
    monkeypatch.delenv("CLTENSOR_TUNE", raising=False)
    assert _SHIPPED(POCL, rows) == {"LANES": 8}
    monkeypatch.setenv("CLTENSOR_TUNE", "0")
    assert _SHIPPED(POCL, rows) is None
