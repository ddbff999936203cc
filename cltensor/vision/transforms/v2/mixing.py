"""MixUp and CutMix: batches whose pictures and labels are mixed with each other."""

from __future__ import annotations

import math
from typing import Any

from ....base.errors import ArgumentError
from ....nn.functional import one_hot
from ....tensor import Tensor
from ... import pillow
from ...tv_tensors import BoundingBoxes, Image, KeyPoints, Mask, TVTensor, Video
from ...tv_tensors.base import plain
from .. import draws
from .boxes import labels_of
from .functional import is_pure_tensor
from .samples import check_type, flatten, has_any, query_size
from .transform import Transform


class _Mixing(Transform):
    """A batch mixed with itself, moved on by one."""

    def __init__(self, *, alpha: float = 1.0, num_classes: int | None = None, labels_getter: Any = "default") -> None:
        super().__init__()
        if not alpha > 0:
            raise ArgumentError(f"{type(self).__name__}: alpha must be positive, got {alpha}; it is the concentration of a "
                                "Dirichlet distribution")
        self.alpha, self.num_classes = float(alpha), num_classes
        self._labels = labels_of(labels_getter)

    def forward(self, *inputs: Any) -> Any:
        """The batch, mixed."""
        sample = inputs if len(inputs) > 1 else inputs[0]
        leaves, rebuilt = flatten(sample)
        needed = self._needs_transform_list(leaves)
        if has_any(leaves, pillow.is_pillow, BoundingBoxes, Mask, KeyPoints):
            raise ArgumentError(f"{type(self).__name__}() does not support PIL images, bounding boxes, keypoints and masks.")
        labels = self._labels(sample)
        self._check_labels(labels)
        chosen = [x for x, wanted in zip(leaves, needed, strict=True) if wanted]
        params = {"labels": labels, "batch_size": labels.shape[0], **self.make_params(chosen)}
        needed = [wanted or x is labels for x, wanted in zip(leaves, needed, strict=True)]
        return rebuilt([self.transform(x, params) if wanted else x for x, wanted in zip(leaves, needed, strict=True)])

    def _check_labels(self, labels):
        if not isinstance(labels, Tensor):
            raise ArgumentError(f"The labels must be a tensor, but got {type(labels)} instead.")
        if labels.ndim not in (1, 2):
            raise ArgumentError("labels should be index based with shape (batch_size,) or probability based with shape "
                                f"(batch_size, num_classes), but got a tensor of shape {tuple(labels.shape)} instead.")
        if labels.ndim == 2 and self.num_classes is not None and labels.shape[-1] != self.num_classes:
            raise ArgumentError("When passing 2D labels, the number of elements in last dimension must match num_classes: "
                                f"{labels.shape[-1]} != {self.num_classes}. You can Leave num_classes to None.")
        if labels.ndim == 1 and self.num_classes is None:
            raise ArgumentError("num_classes must be passed if the labels are index-based (1D)")

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One leaf, mixed: pictures and labels."""
        if inpt is params["labels"]:
            return self._mixed_labels(plain(inpt), params["lam"])
        if not (check_type(inpt, (Image, Video)) or is_pure_tensor(inpt)):
            return inpt
        self._check_batch(inpt, params["batch_size"])
        done = self._mixed(plain(inpt), params)
        return type(inpt)._wrapped(done, inpt) if isinstance(inpt, TVTensor) else done

    def _check_batch(self, inpt, batch_size):
        dimensions = 5 if isinstance(inpt, Video) else 4
        if inpt.ndim != dimensions:
            raise ArgumentError(f"Expected a batched input with {dimensions} dims, but got {inpt.ndim} dimensions instead.")
        if inpt.shape[0] != batch_size:
            raise ArgumentError(f"The batch size of the image or video does not match the batch size of the labels: "
                                f"{inpt.shape[0]} != {batch_size}.")

    def _mixed_labels(self, labels, lam):
        chances = one_hot(labels, self.num_classes) if labels.ndim == 1 else labels
        chances = chances if chances.is_floating_point() else chances.float()
        return chances.roll(1, 0) * (1.0 - lam) + chances * lam

    def _mixed(self, pictures, params):
        raise NotImplementedError

    def _share(self):
        return draws.dirichlet([self.alpha] * 2)[0]


class MixUp(_Mixing):
    """Mix each picture (B, C, H, W) of a batch, and its labels, with the one before: in shares drawn from Beta(alpha, alpha).

    Labels are indices (B,), of num_classes, or probabilities (B, K); they become float32 ones.  labels_getter: "default" (a key
    "labels" in the sample, or its second item) or a function from the sample.

    Raises ArgumentError for labels and batches that do not fit, and for boxes, masks, keypoints and Pillow images.
    Source: Zhang et al. 2018; torchvision 0.29's transforms.v2.MixUp.

        images, labels = v2.MixUp(num_classes=10)(cltensor.rand(8, 3, 32, 32), cltensor.randint(0, 10, (8,)))
    """

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The share of each picture."""
        return {"lam": self._share()}

    def _mixed(self, pictures, params):
        return pictures.roll(1, 0) * (1.0 - params["lam"]) + pictures * params["lam"]


class CutMix(_Mixing):
    """Put a random rectangle of the picture before into each picture (B, C, H, W) of a batch; labels are mixed by the areas.

    Of any dtype; the area is drawn from Beta(alpha, alpha).  Labels and labels_getter: as for MixUp.

    Raises what MixUp raises.  Source: Yun et al. 2019; torchvision 0.29's transforms.v2.CutMix.

        images, labels = v2.CutMix(num_classes=10)(cltensor.rand(8, 3, 32, 32), cltensor.randint(0, 10, (8,)))
    """

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The rectangle, and the share of each picture that stays."""
        share = self._share()
        height, width = query_size(flat_inputs)
        x, y = draws.integer(0, width), draws.integer(0, height)
        reach = 0.5 * math.sqrt(1.0 - share)
        half_width, half_height = int(reach * width), int(reach * height)
        left, top = max(x - half_width, 0), max(y - half_height, 0)
        right, bottom = min(x + half_width, width), min(y + half_height, height)
        return {"box": (left, top, right, bottom), "lam": 1.0 - (right - left) * (bottom - top) / (width * height)}

    def _mixed(self, pictures, params):
        left, top, right, bottom = params["box"]
        mixed = pictures.clone()
        mixed[..., top:bottom, left:right] = pictures.roll(1, 0)[..., top:bottom, left:right]
        return mixed
