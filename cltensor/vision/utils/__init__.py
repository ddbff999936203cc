"""utils: grids of pictures, and boxes, masks and keypoints drawn into them."""

from ...base.calls import named_all as _named_all
from .boxes import draw_bounding_boxes
from .flow import flow_to_image
from .grid import make_grid, save_image
from .keypoints import draw_keypoints
from .masks import draw_segmentation_masks

__all__ = ["draw_bounding_boxes", "draw_keypoints", "draw_segmentation_masks", "flow_to_image", "make_grid", "save_image"]

_named_all(globals())


def __dir__():
    return sorted(__all__)
