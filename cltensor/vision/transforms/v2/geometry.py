"""Flips, rotations and other warps: pictures, videos, masks, boxes and keypoints together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ....base.errors import ArgumentError
from .. import draws, geometry, parameters
from ..interpolation import InterpolationMode, as_mode
from ..kernels.warps import perspective_coefficients
from ..setup_arguments import angles, check_affine, pair_of_floats, sequence
from . import functional as F
from .samples import query_size
from .transform import Fill, RandomApplyTransform, Transform

Mode = InterpolationMode | str | int


class RandomHorizontalFlip(RandomApplyTransform):
    """Mirror left and right with probability p; samples of any shape and dtype.

    Raises ArgumentError for a p that is no probability.  Source: torchvision 0.29's transforms.v2.RandomHorizontalFlip.

        image, boxes = v2.RandomHorizontalFlip()(image, boxes)
    """

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One leaf, mirrored."""
        return self._call_kernel(F.horizontal_flip, inpt)


class RandomVerticalFlip(RandomApplyTransform):
    """Mirror top and bottom with probability p; samples of any shape and dtype.

    Raises ArgumentError for a p that is no probability.  Source: torchvision 0.29's transforms.v2.RandomVerticalFlip.

        image, boxes = v2.RandomVerticalFlip()(image, boxes)
    """

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One leaf, mirrored."""
        return self._call_kernel(F.vertical_flip, inpt)


class RandomRotation(Transform):
    """Turn by a random angle: within degrees, a number or (low, high), counter-clockwise; samples of any shape and dtype.

    expand: grow the canvas to hold all of it; center: (x, y), by default the middle; fill: a colour, or a dict of one for each
    class.

    Raises ArgumentError, ArgumentTypeError for arguments that make no sense.
    Source: torchvision 0.29's transforms.v2.RandomRotation.

        image, boxes = v2.RandomRotation(30)(image, boxes)
    """

    def __init__(self, degrees: float | Sequence[float], interpolation: Mode = "nearest", expand: bool = False,
                 center: list[float] | None = None, fill: Any = 0) -> None:
        super().__init__()
        self.degrees, self.interpolation, self.expand = angles("degrees", degrees), as_mode(interpolation), expand
        self.fill, self._fill = fill, Fill(fill)
        self.center = None if center is None else sequence("center", center, 2)

    get_params = staticmethod(geometry.RandomRotation.get_params)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The angle."""
        return {"angle": draws.uniform(self.degrees[0], self.degrees[1])}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One leaf, turned."""
        return self._call_kernel(F.rotate, inpt, **params, interpolation=self.interpolation, expand=self.expand,
                                 center=self.center, fill=self._fill[type(inpt)])


class RandomAffine(Transform):
    """Turn (degrees), move (by up to translate, shares of the size), scale and shear at random; samples of any shape and dtype.

    center: (x, y), by default the middle; fill: a colour, or a dict of one for each class.

    Raises ArgumentError, ArgumentTypeError for arguments that make no sense.
    Source: torchvision 0.29's transforms.v2.RandomAffine.

        image, boxes = v2.RandomAffine(10, translate=(0.1, 0.1))(image, boxes)
    """

    def __init__(self, degrees: float | Sequence[float], translate: Sequence[float] | None = None,
                 scale: Sequence[float] | None = None, shear: float | Sequence[float] | None = None,
                 interpolation: Mode = "nearest", fill: Any = 0, center: list[float] | None = None) -> None:
        super().__init__()
        self.degrees, self.translate, self.scale, self.shear = check_affine(degrees, translate, scale, shear)
        self.interpolation, self.fill, self._fill = as_mode(interpolation), fill, Fill(fill)
        self.center = None if center is None else sequence("center", center, 2)

    get_params = staticmethod(geometry.RandomAffine.get_params)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The map."""
        height, width = query_size(flat_inputs)
        found = parameters.affine(self.degrees, self.translate, self.scale, self.shear, [width, height])
        return dict(zip(("angle", "translate", "scale", "shear"), found, strict=True))

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One leaf, moved."""
        return self._call_kernel(F.affine, inpt, **params, interpolation=self.interpolation, fill=self._fill[type(inpt)],
                                 center=self.center)


class RandomPerspective(RandomApplyTransform):
    """With probability p, move each corner inwards by up to distortion_scale of half a side; samples of any shape and dtype.

    fill: a colour, or a dict of one for each class.

    Raises ArgumentError for a distortion_scale outside [0, 1].  Source: torchvision 0.29's transforms.v2.RandomPerspective.

        image, boxes = v2.RandomPerspective(p=1)(image, boxes)
    """

    def __init__(self, distortion_scale: float = 0.5, p: float = 0.5, interpolation: Mode = "bilinear", fill: Any = 0) -> None:
        super().__init__(p=p)
        if not 0 <= distortion_scale <= 1:
            raise ArgumentError(f"Argument distortion_scale value should be between 0 and 1, got {distortion_scale}")
        self.distortion_scale, self.interpolation = distortion_scale, as_mode(interpolation)
        self.fill, self._fill = fill, Fill(fill)

    get_params = staticmethod(geometry.RandomPerspective.get_params)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The map."""
        height, width = query_size(flat_inputs)
        ends = parameters.perspective(width, height, self.distortion_scale)
        return {"coefficients": perspective_coefficients(*ends)}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One leaf, seen from elsewhere."""
        return self._call_kernel(F.perspective, inpt, startpoints=None, endpoints=None, fill=self._fill[type(inpt)],
                                 interpolation=self.interpolation, **params)


class ElasticTransform(Transform):
    """Displace pixels by smoothed noise: alpha is its strength, sigma its smoothness, a number or (x, y); samples of any dtype.

    fill: a colour, or a dict of one for each class.

    Raises ArgumentError, ArgumentTypeError for arguments that make no sense.
    Source: Simard et al. 2003; torchvision 0.29's transforms.v2.ElasticTransform.

        image, mask = v2.ElasticTransform(alpha=20.0, sigma=2.0)(image, mask)
    """

    def __init__(self, alpha: float | Sequence[float] = 50.0, sigma: float | Sequence[float] = 5.0,
                 interpolation: Mode = "bilinear", fill: Any = 0) -> None:
        super().__init__()
        self.alpha, self.sigma = pair_of_floats("alpha", alpha), pair_of_floats("sigma", sigma)
        self.interpolation, self.fill, self._fill = as_mode(interpolation), fill, Fill(fill)

    get_params = staticmethod(geometry.ElasticTransform.get_params)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The displacement."""
        return {"displacement": parameters.displacement(self.alpha, self.sigma, query_size(flat_inputs))}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One leaf, its pixels displaced."""
        return self._call_kernel(F.elastic, inpt, **params, fill=self._fill[type(inpt)], interpolation=self.interpolation)
