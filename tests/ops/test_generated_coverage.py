"""Every op of the registry has what the generated tests need, or stands in a list with a reason."""

import pytest

from cltensor.dispatch.registry import REGISTRY
from ops import samples


@pytest.mark.parametrize("name", sorted(set(REGISTRY) - set(samples.EXEMPT) - set(samples.REFERENCED_ELSEWHERE)))
def test_has_reference(name):
    assert REGISTRY[name].ref is not None, f"declare {name} with ref=, an independent NumPy function"


@pytest.mark.parametrize("name", sorted(set(REGISTRY) - set(samples.EXEMPT)))
def test_has_samples(name):
    op = REGISTRY[name]
    assert samples.samples(op, samples.allowed(op)[-1])


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_has_doc(name):
    assert REGISTRY[name].doc, f"declare {name} with doc=, one sentence"


@pytest.mark.parametrize("table", ["EXEMPT", "REFERENCED_ELSEWHERE", "DENSE_ONLY", "NOT_SPECIAL", "DOMAINS", "INTEGER_DOMAINS"])
def test_lists_name_ops_that_exist(table):
    unknown = set(getattr(samples, table)) - set(REGISTRY)
    assert not unknown, f"samples.{table} names ops that do not exist: {sorted(unknown)}"
