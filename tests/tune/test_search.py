"""The search on made-up costs: it finds the faster values, and tries none twice, none denied and none after its time limit."""

from cltensor.tune.search import Search, combined

SPACE = {"MR": (4, 6, 8), "KC": (128, 256, 512), "COPY": (None, False, True)}
DEFAULTS = {"MR": 6, "KC": 256, "COPY": None}


def searched(cost, denied=lambda values: False, calls=1000):
    """(Outcome, the values measured in order) for a function values -> seconds, or a dict as the result."""
    seen = []

    def measure(candidates, careful):
        for values in candidates:
            seen.append(values)
            result = cost(values)
            yield values, result if isinstance(result, dict) else {"seconds": result, "default_seconds": cost(DEFAULTS)}

    return Search(SPACE, DEFAULTS, measure, denied, lambda: len(seen) >= calls).run(), seen


def test_finds_what_helps_together():
    found, seen = searched(lambda v: 1.0 - 0.2 * (v["MR"] == 8) - 0.1 * (v["KC"] == 512))
    assert found.values == {"MR": 8, "KC": 512, "COPY": None}
    assert (found.default_seconds, found.finished) == (1.0, True)
    assert abs(found.seconds - 0.7) < 1e-9
    tried = [tuple(v.items()) for v in seen]
    assert len(tried) == len(set(tried)) + 1  # the winner is measured twice
    assert found.tried == len(set(tried))


def test_climbs_over_several_rounds():
    def cost(v):  # KC=128 helps only once MR is 4
        return 1.0 - 0.2 * (v["MR"] == 4) - 0.3 * (v["MR"] == 4 and v["KC"] == 128) + 0.1 * (v["KC"] == 128)

    assert searched(cost)[0].values == {"MR": 4, "KC": 128, "COPY": None}


def test_noise_leaves_the_defaults():
    found, _ = searched(lambda v: 1.0 - 0.02 * (v["MR"] == 4))
    assert found.values == DEFAULTS
    assert found.finished


def test_luck_does_not_win():
    """A candidate that is fast once and slow when measured again loses."""
    times = iter([0.5, 1.0])
    found, _ = searched(lambda v: next(times) if v["MR"] == 8 and v["KC"] == 256 and v["COPY"] is None else 1.0)
    assert found.values == DEFAULTS


def test_failures_are_noted_and_not_tried_again():
    found, seen = searched(lambda v: {"error": "was ended by SIGABRT"} if v["MR"] == 8 else 1.0 - 0.1 * (v["KC"] == 512))
    assert found.values == {"MR": 6, "KC": 512, "COPY": None}
    assert ({"MR": 8, "KC": 256, "COPY": None}, "was ended by SIGABRT") in found.denied
    assert len([v for v in seen if v == {"MR": 8, "KC": 256, "COPY": None}]) == 1


def test_unfit_values_are_passed_over():
    found, _ = searched(lambda v: {"unfit": "too large"} if v["MR"] == 8 else 1.0)
    assert (found.values, found.denied) == (DEFAULTS, [])


def test_denied_values_are_not_tried():
    _, seen = searched(lambda v: 1.0, denied=lambda v: v["KC"] == 512)
    assert seen
    assert not [v for v in seen if v["KC"] == 512]


def test_defaults_that_fail_end_it():
    found, seen = searched(lambda v: {"error": "wrong"})
    assert (found.values, found.error, found.denied, len(seen)) == ({}, "wrong", [], 1)


def test_stops_when_the_time_is_over():
    found, seen = searched(lambda v: 1.0 - 0.2 * (v["MR"] == 4), calls=3)
    assert not found.finished
    assert len(seen) == 4  # three, and the winner once more
    assert found.values == {"MR": 4, "KC": 256, "COPY": None}
    assert searched(lambda v: 1.0, calls=0)[0].error == "no time was left to measure the defaults"


def test_combined_takes_the_better_of_two_changes():
    changes = [("MR", 8), ("MR", 4), ("KC", 512), ("COPY", True)]
    assert list(combined(DEFAULTS, changes)) == [{"MR": 8, "KC": 512, "COPY": None}, {"MR": 8, "KC": 512, "COPY": True}]
