"""Batches from samples: nesting, dtypes, and what cannot be stacked."""

import collections

import numpy as np
import pytest

import cltensor
from cltensor.utils.data import default_collate, default_convert
from cltensor.utils.data.collate import stack_on_host

Pair = collections.namedtuple("Pair", "a b")


@pytest.mark.parametrize(("batch", "expected"), [
    ([1, 2], np.int64([1, 2])), ([True, False], np.array([True, False])), ([1.5, 2], np.float64([1.5, 2])),
    ([1, 2.5], np.float32([1, 2.5])),
    ([np.float32(1), np.float32(2)], np.float32([1, 2])), ([np.ones((2, 3), np.uint8)] * 4, np.ones((4, 2, 3), np.uint8)),
])
def test_leaves(batch, expected):
    stacked = stack_on_host(batch)
    np.testing.assert_array_equal(stacked, expected)
    assert stacked.dtype == expected.dtype


def test_nesting():
    sample = (1, {"k": 2.0, "s": "x"}, [3, 4], Pair(5, b"y"))
    number, mapping, pair_of_lists, pair = stack_on_host([sample, sample])
    assert number.tolist() == [1, 1]
    assert (mapping["k"].tolist(), mapping["s"]) == ([2, 2], ["x", "x"])
    assert [field.tolist() for field in pair_of_lists] == [[3, 3], [4, 4]]
    assert isinstance(pair, Pair)
    assert pair.b == [b"y", b"y"]
    ordered = stack_on_host([collections.OrderedDict(a=1)])
    assert isinstance(ordered, collections.OrderedDict)


class Rows(list):
    pass


def test_classes_of_collections_are_kept():
    found = stack_on_host([collections.defaultdict(list, a=Rows([1])), collections.defaultdict(list, a=Rows([2]))])
    assert isinstance(found, collections.defaultdict)
    assert found["missing"] == []
    assert isinstance(found["a"], Rows)
    assert found["a"][0].tolist() == [1, 2]


@pytest.mark.parametrize(("batch", "error", "words"), [
    ([None], TypeError, "found <class 'NoneType'>"), ([np.array(["a"])], TypeError, "dtype <U1"),
    ([[1], [1, 2]], RuntimeError, r"equal size; lengths are \[1, 2\]"),
    ([np.ones(2), np.ones(3)], RuntimeError, r"\(2,\) at entry 0 and \(3,\) at entry 1"),
])
def test_what_cannot_be_stacked(batch, error, words):
    with pytest.raises(error, match=words):
        stack_on_host(batch)


@pytest.mark.device
def test_upload():
    x, names = default_collate([(np.float32([1, 2]), "a"), (np.float32([3, 4]), "b")])
    assert isinstance(x, cltensor.Tensor)
    assert (x.tolist(), x.dtype, names) == ([[1, 2], [3, 4]], cltensor.float32, ["a", "b"])
    assert default_collate([cltensor.ones(2), cltensor.zeros(2)]).tolist() == [[1, 1], [0, 0]]
    kept = default_convert({"a": np.ones(2, np.int32), "b": 3, "c": "text"})
    assert (kept["a"].tolist(), kept["b"], kept["c"]) == ([1, 1], 3, "text")
