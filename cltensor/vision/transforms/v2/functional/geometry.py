"""Flips, crops, borders, sizes and warps of pictures, videos, masks, boxes and keypoints."""

from __future__ import annotations

from ...kernels import pillow_geometry, pillow_pixels
from ...kernels.box_geometry import (
    affine_bounding_boxes,
    center_crop_bounding_boxes,
    crop_bounding_boxes,
    elastic_bounding_boxes,
    horizontal_flip_bounding_boxes,
    pad_bounding_boxes,
    perspective_bounding_boxes,
    resize_bounding_boxes,
    resized_crop_bounding_boxes,
    rotate_bounding_boxes,
    vertical_flip_bounding_boxes,
)
from ...kernels.image_geometry import (
    center_crop_image,
    crop_image,
    five_crop_image,
    horizontal_flip_image,
    pad_image,
    resize_image,
    resized_crop_image,
    ten_crop_image,
    vertical_flip_image,
)
from ...kernels.keypoint_geometry import (
    affine_keypoints,
    center_crop_keypoints,
    crop_keypoints,
    elastic_keypoints,
    horizontal_flip_keypoints,
    pad_keypoints,
    perspective_keypoints,
    resize_keypoints,
    resized_crop_keypoints,
    rotate_keypoints,
    vertical_flip_keypoints,
)
from ...kernels.mask_geometry import (
    affine_mask,
    elastic_mask,
    pad_mask,
    perspective_mask,
    resize_mask,
    resized_crop_mask,
    rotate_mask,
)
from ...kernels.warps import (
    affine_image,
    elastic_image,
    perspective_image,
    rotate_image,
)
from .dispatch import functional, of_kind, video_and_mask

horizontal_flip_video, horizontal_flip_mask = video_and_mask(horizontal_flip_image)
horizontal_flip = functional(
    "horizontal_flip", horizontal_flip_image, "Mirror left and right.",
    "image", pillow=pillow_geometry.hflip, mask=horizontal_flip_mask,
    boxes=horizontal_flip_bounding_boxes, keypoints=horizontal_flip_keypoints, video=horizontal_flip_video)

vertical_flip_video, vertical_flip_mask = video_and_mask(vertical_flip_image)
vertical_flip = functional(
    "vertical_flip", vertical_flip_image, "Mirror top and bottom.",
    "image", pillow=pillow_geometry.vflip, mask=vertical_flip_mask,
    boxes=vertical_flip_bounding_boxes, keypoints=vertical_flip_keypoints, video=vertical_flip_video)

crop_video, crop_mask = video_and_mask(crop_image)
crop = functional(
    "crop", crop_image, "Cut out a rectangle (top, left, height, width); what lies outside of the picture is 0.",
    "image, 2, 3, 16, 16", pillow=pillow_geometry.crop, mask=crop_mask,
    boxes=crop_bounding_boxes, keypoints=crop_keypoints, video=crop_video)

center_crop_video, center_crop_mask = video_and_mask(center_crop_image)
center_crop = functional(
    "center_crop", center_crop_image, "Cut out the middle, padded with 0 where the picture is too small.",
    "image, [16, 16]", pillow=pillow_geometry.center_crop, mask=center_crop_mask,
    boxes=center_crop_bounding_boxes, keypoints=center_crop_keypoints, video=center_crop_video)

pad_video = of_kind(pad_image, "pad_video", "video")
pad = functional(
    "pad", pad_image, "Add borders, of one colour or of what is near (padding_mode: constant, edge, reflect, symmetric); negative "
    "ones cut.",
    "image, [2, 3], fill=0", pillow=pillow_geometry.pad, mask=pad_mask,
    boxes=pad_bounding_boxes, keypoints=pad_keypoints, video=pad_video)

resize_video = of_kind(resize_image, "resize_video", "video")
resize = functional(
    "resize", resize_image, "Resize to [height, width], to a shorter edge, or with size None to a longer one of max_size; smaller "
    "ones antialiased.",
    "image, [16, 16]", pillow=pillow_geometry.resize, mask=resize_mask,
    boxes=resize_bounding_boxes, keypoints=resize_keypoints, video=resize_video)

resized_crop_video = of_kind(resized_crop_image, "resized_crop_video", "video")
resized_crop = functional(
    "resized_crop", resized_crop_image, "Cut out a rectangle and resize it.",
    "image, 2, 3, 16, 16, [8, 8]", pillow=pillow_geometry.resized_crop, mask=resized_crop_mask,
    boxes=resized_crop_bounding_boxes, keypoints=resized_crop_keypoints, video=resized_crop_video)

affine_video = of_kind(affine_image, "affine_video", "video")
affine = functional(
    "affine", affine_image, "Turn by angle degrees (clockwise), move, scale and shear about a centre, by default the middle.",
    "image, 10, [2, 0], 1.1, [0, 0]", pillow=pillow_geometry.affine, mask=affine_mask,
    boxes=affine_bounding_boxes, keypoints=affine_keypoints, video=affine_video)

rotate_video = of_kind(rotate_image, "rotate_video", "video")
rotate = functional(
    "rotate", rotate_image, "Turn by angle degrees, counter-clockwise; expand grows the canvas to hold all of it.",
    "image, 30, expand=True", pillow=pillow_geometry.rotate, mask=rotate_mask,
    boxes=rotate_bounding_boxes, keypoints=rotate_keypoints, video=rotate_video)

perspective_video = of_kind(perspective_image, "perspective_video", "video")
perspective = functional(
    "perspective", perspective_image, "Look at the picture from another point: the four endpoints show what was at "
    "the startpoints.", "image, [[0, 0], [31, 0], [31, 31], [0, 31]], [[2, 1], [30, 0], [31, 29], [1, 31]]",
    pillow=pillow_geometry.perspective, mask=perspective_mask,
    boxes=perspective_bounding_boxes, keypoints=perspective_keypoints, video=perspective_video)

elastic_video = of_kind(elastic_image, "elastic_video", "video")
elastic = functional(
    "elastic", elastic_image, "Read each pixel somewhere else: displacement (1, H, W, 2) is added to its place in [-1, 1].",
    "image, 0.1 * cltensor.randn(1, 32, 32, 2)", pillow=pillow_pixels.elastic, mask=elastic_mask,
    boxes=elastic_bounding_boxes, keypoints=elastic_keypoints, video=elastic_video)

five_crop_video = of_kind(five_crop_image, "five_crop_video", "video")
five_crop = functional(
    "five_crop", five_crop_image, "Cut out the four corners and the middle: a tuple of five.",
    "image, [16, 16]", pillow=pillow_geometry.five_crop, video=five_crop_video)

ten_crop_video = of_kind(ten_crop_image, "ten_crop_video", "video")
ten_crop = functional(
    "ten_crop", ten_crop_image, "five_crop of the picture and of its mirror image: a tuple of ten.",
    "image, [16, 16]", pillow=pillow_geometry.ten_crop, video=ten_crop_video)

hflip, vflip, elastic_transform = horizontal_flip, vertical_flip, elastic
