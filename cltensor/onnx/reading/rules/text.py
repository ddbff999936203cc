"""Strings, which live on the host."""

import numpy as np

from ..element_types import numpy_type, tensor_of
from ..operators import operator


def text_of_number(array):
    """Numbers as text."""
    short = array.dtype.kind == "f" and array.dtype.itemsize <= 4

    def written(value):
        return f"{value:.9g}" if short else str(value)

    return np.array([written(v) for v in array.reshape(-1).tolist()], object).reshape(array.shape)


def number_of_text(array, wanted):
    """Text as numbers, in a tensor."""
    return tensor_of(np.array([float(text) for text in array.reshape(-1)]).astype(numpy_type(wanted)).reshape(array.shape))


@operator("StringConcat", since=20)
def string_concat(x, y):
    return np.asarray(x + y, object)


@operator("StringSplit", since=20)
def string_split(x, *, delimiter=None, maxsplit=None):
    parts = [text.split(delimiter or None, -1 if maxsplit is None else maxsplit) if text else [] for text in x.reshape(-1)]
    longest = max(map(len, parts), default=0)
    found = np.array([p + [""] * (longest - len(p)) for p in parts], object).reshape(*x.shape, longest)
    return found, np.array([len(p) for p in parts], np.int64).reshape(x.shape)


@operator("StringNormalizer", since=10)
def string_normalizer(x, *, case_change_action="NONE", is_case_sensitive=0, locale=None, stopwords=()):
    change = {"LOWER": str.lower, "UPPER": str.upper}.get(case_change_action, str)
    row = x.reshape(-1).tolist()
    same = str if is_case_sensitive else str.lower
    stopped = {same(word) for word in stopwords}
    kept = [change(text) for text in row if same(text) not in stopped]
    return np.array(kept or [""], object).reshape([1, -1] if x.ndim == 2 else [-1])
