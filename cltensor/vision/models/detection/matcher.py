"""Which ground-truth box each predicted box is held against."""

from __future__ import annotations

from ....base.errors import ArgumentError
from ....tensor.api.creation import arange
from ....tensor.core.tensor import Tensor


class Matcher:
    """The ground-truth box that overlaps each box most, from a matrix (ground truth, boxes) of overlaps: int64 (boxes,).

    Overlaps below low_threshold give -1, those below high_threshold -2.  allow_low_quality_matches: boxes that are the best, or
    among the best, for some ground truth keep their match whatever their overlap.  Floating dtypes.  Raises ArgumentError for
    thresholds in the wrong order and an empty matrix.  Source: Ren et al., Faster R-CNN, 2015.

        >>> from cltensor.vision.models.detection.matcher import Matcher
        >>> Matcher(0.7, 0.3)(ct.tensor([[0.9, 0.1, 0.5], [0.0, 0.2, 0.4]]))
        tensor([ 0, -1, -2])
    """

    BELOW_LOW_THRESHOLD = -1
    BETWEEN_THRESHOLDS = -2

    def __init__(self, high_threshold: float, low_threshold: float, allow_low_quality_matches: bool = False) -> None:
        if low_threshold > high_threshold:
            raise ArgumentError(f"{type(self).__name__}: low_threshold={low_threshold} should be <= "
                                f"high_threshold={high_threshold}")
        self.high_threshold, self.low_threshold = high_threshold, low_threshold
        self.allow_low_quality_matches = allow_low_quality_matches

    def __call__(self, match_quality_matrix: Tensor) -> Tensor:
        if match_quality_matrix.numel() == 0:
            what = "ground-truth" if match_quality_matrix.shape[0] == 0 else "proposal"
            raise ArgumentError(f"{type(self).__name__}: No {what} boxes available for one of the images during training; the "
                                "matrix is "
                                f"{tuple(match_quality_matrix.shape)}")
        quality, best = match_quality_matrix.max(dim=0)
        found = best.where(quality >= self.high_threshold, self.BETWEEN_THRESHOLDS)
        found = found.where(quality >= self.low_threshold, self.BELOW_LOW_THRESHOLD)
        return self._kept(found, best, match_quality_matrix) if self.allow_low_quality_matches else found

    def _kept(self, found, best, matrix):
        """found, with the matches of boxes that are the best for some ground truth put back."""
        top = matrix.amax(1, keepdim=True)
        return best.where((matrix == top).any(0), found)


class SSDMatcher(Matcher):
    """A Matcher of one threshold in which every ground truth also takes the box that overlaps it most.

    A box that is the best for several goes to the last.  Overlaps (ground truth, boxes) of a floating dtype.  Raises
    ArgumentError for an empty matrix.
    Source: Liu et al., SSD: Single Shot MultiBox Detector, 2016.

        >>> from cltensor.vision.models.detection.matcher import SSDMatcher
        >>> SSDMatcher(0.5)(ct.tensor([[0.9, 0.1], [0.0, 0.2]]))
        tensor([0, 1])
    """

    def __init__(self, threshold: float) -> None:
        super().__init__(threshold, threshold)

    def __call__(self, match_quality_matrix: Tensor) -> Tensor:
        found = super().__call__(match_quality_matrix)
        best = match_quality_matrix.argmax(1)
        return found.index_copy(0, best, arange(len(best), device=best.device))
