"""A random choice of boxes to learn from."""

from __future__ import annotations

from ....base import dtypes
from ....tensor.core.tensor import Tensor
from ....tensor.random.sampling import randperm


class BalancedPositiveNegativeSampler:
    """A random choice of batch_size_per_image boxes of each image, at most positive_fraction of them positive.

    Called with a list of labels (boxes,), of which those >= 1 are positive and 0 negative, gives two lists of masks, uint8, of the
    positive and negative ones chosen; what positives do not fill, negatives do.  Any dtype.  Never raises.
    Source: Ren et al., Faster R-CNN, 2015.

        >>> from cltensor.vision.models.detection.sampler import BalancedPositiveNegativeSampler
        >>> BalancedPositiveNegativeSampler(8, 0.5)([ct.tensor([1, 0, -1])])
        ([tensor([1, 0, 0], dtype=cltensor.uint8)], [tensor([0, 1, 0], dtype=cltensor.uint8)])
    """

    def __init__(self, batch_size_per_image: int, positive_fraction: float) -> None:
        self.batch_size_per_image, self.positive_fraction = batch_size_per_image, positive_fraction

    def __call__(self, matched_idxs: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        chosen = [self._one(labels) for labels in matched_idxs]
        return [p for p, _ in chosen], [n for _, n in chosen]

    def _one(self, labels):
        positive, negative = (mask.nonzero().squeeze(1) for mask in (labels >= 1, labels == 0))
        most = min(len(positive), int(self.batch_size_per_image * self.positive_fraction))
        rest = min(len(negative), self.batch_size_per_image - most)
        return _marked(labels, positive, most), _marked(labels, negative, rest)


def _marked(labels, places, count):
    """A mask of `count` of the places, at random."""
    if count < len(places):
        places = places[randperm(len(places), device=labels.device)[:count]]
    return labels.new_zeros(labels.shape, dtype=dtypes.uint8).index_fill(0, places, 1)
