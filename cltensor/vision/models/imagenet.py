"""What all weights trained on ImageNet's 1000 classes have in common."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from ._api import Weights

_ADDRESS = "https://download.pytorch.org/models/"
CATEGORIES = Path(__file__).with_name("imagenet_classes.txt").read_text(encoding="utf-8").splitlines()


def _preparation(*, interpolation="bilinear", **settings):
    """The preset for classification; the transforms are imported when it is asked for."""
    from ..transforms import InterpolationMode
    from ..transforms._presets import ImageClassification

    return ImageClassification(interpolation=InterpolationMode(interpolation), **settings)


def imagenet(file: str, num_params: int, top1: float, top5: float, gigaops: float, megabytes: float, *, min_size: int,
             crop_size: int = 224, license: str | None = None, categories: list[str] | None = CATEGORIES,
             **settings: Any) -> Weights:
    """The Weights of a file: accuracies in percent, size in MiB; settings of the preparation where they differ from the usual."""
    meta = {"num_params": num_params, "min_size": (min_size, min_size), "categories": categories,
            "_metrics": {"ImageNet-1K": {"acc@1": top1, "acc@5": top5}}, "_ops": gigaops, "_file_size": megabytes}
    if license is not None:
        meta["license"] = license
    return Weights(_ADDRESS + file, functools.partial(_preparation, crop_size=crop_size, **settings), meta)
