"""Colours, contrast, smoothing and noise of pictures and videos."""

from __future__ import annotations

from ...kernels import pillow_color, pillow_pixels
from ...kernels.filters import (
    adjust_sharpness_image,
    gaussian_blur_image,
    gaussian_noise_image,
)
from ...kernels.image_color import (
    adjust_brightness_image,
    adjust_contrast_image,
    adjust_gamma_image,
    adjust_hue_image,
    adjust_saturation_image,
    autocontrast_image,
    equalize_image,
    grayscale_to_rgb_image,
    invert_image,
    permute_channels_image,
    posterize_image,
    rgb_to_grayscale_image,
    solarize_image,
)
from .dispatch import functional, of_kind

adjust_brightness_video = of_kind(adjust_brightness_image, "adjust_brightness_video", "video")
adjust_brightness = functional(
    "adjust_brightness", adjust_brightness_image, "Blend with black: pixels times brightness_factor.",
    "image, 1.2", pillow=pillow_color.brightness, video=adjust_brightness_video)

adjust_contrast_video = of_kind(adjust_contrast_image, "adjust_contrast_video", "video")
adjust_contrast = functional(
    "adjust_contrast", adjust_contrast_image, "Blend with the mean grey of each picture.",
    "image, 1.2", pillow=pillow_color.contrast, video=adjust_contrast_video)

adjust_saturation_video = of_kind(adjust_saturation_image, "adjust_saturation_video", "video")
adjust_saturation = functional(
    "adjust_saturation", adjust_saturation_image, "Blend with the grey picture.",
    "image, 1.2", pillow=pillow_color.saturation, video=adjust_saturation_video)

adjust_hue_video = of_kind(adjust_hue_image, "adjust_hue_video", "video")
adjust_hue = functional(
    "adjust_hue", adjust_hue_image, "Turn the hue by hue_factor, a fraction of the circle in [-0.5, 0.5].",
    "image, 0.1", pillow=pillow_color.hue, video=adjust_hue_video)

adjust_gamma_video = of_kind(adjust_gamma_image, "adjust_gamma_video", "video")
adjust_gamma = functional(
    "adjust_gamma", adjust_gamma_image, "gain * pixel ** gamma, of pixels in [0, 1].",
    "image, 0.8", pillow=pillow_color.gamma, video=adjust_gamma_video)

adjust_sharpness_video = of_kind(adjust_sharpness_image, "adjust_sharpness_video", "video")
adjust_sharpness = functional(
    "adjust_sharpness", adjust_sharpness_image, "Blend with the smoothed picture; the border of one pixel stays.",
    "image, 1.5", pillow=pillow_color.sharpness, video=adjust_sharpness_video)

invert_video = of_kind(invert_image, "invert_video", "video")
invert = functional(
    "invert", invert_image, "The largest value minus each pixel.",
    "image", pillow=pillow_color.invert, video=invert_video)

posterize_video = of_kind(posterize_image, "posterize_video", "video")
posterize = functional(
    "posterize", posterize_image, "Keep the upper bits of each pixel; floats get 2 ** bits levels.",
    "image, 4", pillow=pillow_color.posterize, video=posterize_video)

solarize_video = of_kind(solarize_image, "solarize_video", "video")
solarize = functional(
    "solarize", solarize_image, "Invert the pixels from a threshold on.",
    "image, 0.5", pillow=pillow_color.solarize, video=solarize_video)

autocontrast_video = of_kind(autocontrast_image, "autocontrast_video", "video")
autocontrast = functional(
    "autocontrast", autocontrast_image, "Stretch each channel to the full range.",
    "image", pillow=pillow_color.autocontrast, video=autocontrast_video)

equalize_video = of_kind(equalize_image, "equalize_video", "video")
equalize = functional(
    "equalize", equalize_image, "Spread each channel's histogram of 256 bins evenly.",
    "image", pillow=pillow_color.equalize, video=equalize_video)

gaussian_blur_video = of_kind(gaussian_blur_image, "gaussian_blur_video", "video")
gaussian_blur = functional(
    "gaussian_blur", gaussian_blur_image, "Smooth with a Gaussian of [width, height] and sigma, rows and columns in turn; borders "
    "are reflected.",
    "image, [5, 5], [1.5, 1.5]", pillow=pillow_pixels.gaussian_blur, video=gaussian_blur_video)

permute_channels_video = of_kind(permute_channels_image, "permute_channels_video", "video")
permute_channels = functional(
    "permute_channels", permute_channels_image, "Channel i of the result is channel permutation[i].",
    "image, [2, 0, 1]", pillow=pillow_pixels.permute_channels, video=permute_channels_video)

rgb_to_grayscale = functional(
    "rgb_to_grayscale", rgb_to_grayscale_image, "Luma (ITU-R BT.601), in one channel or three equal ones.",
    "image, 3", pillow=pillow_color.grayscale)

grayscale_to_rgb = functional(
    "grayscale_to_rgb", grayscale_to_rgb_image, "Three equal channels of a grey picture; others stay.",
    "image", pillow=pillow_color.rgb)

gaussian_noise_video = of_kind(gaussian_noise_image, "gaussian_noise_video", "video")
gaussian_noise = functional(
    "gaussian_noise", gaussian_noise_image, "Add normal noise; of bytes, mean and sigma are in units of 255.",
    "image, 0.0, 0.1", pillow=pillow_pixels.no_noise, video=gaussian_noise_video)
