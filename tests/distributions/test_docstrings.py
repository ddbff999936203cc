"""The example of every docstring runs, and shows what it says it shows."""

import inspect
import re

import pytest

import cltensor
from cltensor import distributions
from cltensor.distributions import constraint_registry, relaxed_bernoulli, relaxed_categorical

pytestmark = [pytest.mark.device, pytest.mark.any_style]
HERE = {**{n: getattr(distributions, n) for n in distributions.__all__},
        "ConstraintRegistry": constraint_registry.ConstraintRegistry,
        "LogitRelaxedBernoulli": relaxed_bernoulli.LogitRelaxedBernoulli,
        "ExpRelaxedCategorical": relaxed_categorical.ExpRelaxedCategorical}
#: examples that are definitions of a user's own
FORMS = {"Distribution", "Transform", "register_kl", "identity_transform"}


def example(value):
    text = inspect.getdoc(value) or ""
    return "\n".join(line[4:] for line in text.splitlines() if line.startswith("    "))


@pytest.mark.parametrize("name", sorted(set(HERE) - FORMS - {"biject_to", "transform_to"}))
def test_example(name):
    code = example(HERE[name])
    assert code
    names = {**HERE, "cltensor": cltensor, "constraints": distributions.constraints, "transforms": distributions.transforms}
    *first, last = code.splitlines()
    exec("\n".join(first), names)
    shown = re.search(r"#\s*(tensor\(.*|\(.*\)|True)$", last)
    found = eval(last, names)
    if shown:
        plain = tuple(found) if isinstance(found, cltensor.Size) else getattr(found, "detach", lambda: found)()
        text = repr(plain)
        assert text.replace("-0.", "0.") == shown[1].replace("-0.", "0.") or text == shown[1]
