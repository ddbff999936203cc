"""Masks of COCO's annotations: polygons and run lengths, as pixels."""

import numpy as np

from ...base.errors import SerializationError

_MOST = 1 << 28  # pixels of a picture


def mask_of(segmentation, height, width):
    """The pixels (height, width) that an annotation's segmentation covers, as uint8: a list of polygons, or a dict of run lengths.

    A polygon covers the pixels whose centres it surrounds.  Raises SerializationError for anything else.
    """
    try:
        if not 0 < height * width <= _MOST:
            raise ValueError(f"a picture of {width} by {height} pixels")
        if isinstance(segmentation, dict):
            return _of_runs(segmentation, height, width)
        covered = np.zeros((height, width), bool)
        for polygon in segmentation:
            covered |= _of_polygon(np.asarray(polygon, np.float64).reshape(-1, 2), height, width)
        return covered.astype(np.uint8)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise SerializationError(f"the segmentation of an annotation is damaged: {error}; see "
                                 "cocodataset.org/#format-data") from error


def _of_runs(segmentation, height, width):
    """Pixels column by column: so many 0, then so many 1, and so on."""
    counts = segmentation["counts"]
    runs = _decoded(counts) if isinstance(counts, (str, bytes)) else [int(n) for n in counts]
    if list(segmentation["size"]) != [height, width] or min(runs, default=0) < 0 or sum(runs) != height * width:
        raise ValueError(f"run lengths of {sum(runs)} pixels, size {segmentation['size']}, in a picture of {height} by {width}")
    values = np.arange(len(runs), dtype=np.uint8) & 1
    return np.ascontiguousarray(np.repeat(values, runs).reshape(width, height).T)


def _decoded(text):
    """Run lengths in COCO's text: numbers of 5 bits a letter, the lowest first, as differences to the one before the last.

    The first three are no differences.  A letter's bit 5 says that more follow, and bit 4 of the last is the sign.
    """
    letters = [c - 48 for c in (text.encode("ascii") if isinstance(text, str) else text)]
    runs, at = [], 0
    while at < len(letters):
        value, shift, more = 0, 0, True
        while more:
            value |= (letters[at] & 31) << shift
            more, shift = bool(letters[at] & 32), shift + 5
            at += 1
        if letters[at - 1] & 16:
            value -= 1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
    return runs


def _of_polygon(corners, height, width):
    """The pixels whose centres lie in a polygon (N, 2) of x and y: those with an odd number of edges to their left."""
    if len(corners) < 3:
        raise ValueError(f"a polygon of {len(corners)} corners")
    crossings = np.zeros((height, width + 1), np.int64)
    for (x1, y1), (x2, y2) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if y1 != y2:
            (top, left), (bottom, right) = sorted(((y1, x1), (y2, x2)))
            rows = np.arange(max(int(np.ceil(top - 0.5)), 0), min(int(np.ceil(bottom - 0.5)), height))
            at = left + (rows + 0.5 - top) / (bottom - top) * (right - left)
            np.add.at(crossings, (rows, np.clip(np.ceil(at - 0.5), 0, width).astype(np.int64)), 1)
    return crossings.cumsum(axis=1)[:, :width] % 2 == 1
