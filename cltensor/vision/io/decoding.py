"""Pictures from bytes and files: decoded by Pillow, turned into tensors (C, H, W)."""

from __future__ import annotations

import contextlib
import io
import os
import struct
import warnings
from os import PathLike
from typing import Any

import numpy as np

from ...base.errors import ArgumentError, SerializationError
from ...runtime.device import device
from ...tensor import Tensor
from ...tensor.api.creation import from_numpy
from .. import pillow
from .files import bytes_of, bytes_of_file
from .modes import ImageReadMode, mode_of

_KINDS = ("JPEG", "PNG", "WEBP", "GIF")
_MODES = {ImageReadMode.GRAY: "L", ImageReadMode.GRAY_ALPHA: "LA", ImageReadMode.RGB: "RGB", ImageReadMode.RGB_ALPHA: "RGBA"}
_PLAIN = ("L", "LA", "RGB", "RGBA", "CMYK", "P", "I;16")
_DAMAGED = (OSError, SyntaxError, ValueError, EOFError, TypeError, IndexError, KeyError, OverflowError, struct.error)
#: shares of red, green and blue in a grey, of 2**15, as libpng computes them from 0.2989 and 0.587
_GREY = np.array([9794, 19234, 3740], np.int64)


def read_image(path: str | PathLike[str], mode: ImageReadMode | str = ImageReadMode.UNCHANGED,
               apply_exif_orientation: bool = False) -> Tensor:
    """The picture in a file (JPEG, PNG, WebP or GIF), a tensor (C, H, W) of dtype uint8, or uint16 for a PNG in grey of 16 bits.

    Args: path; mode, the channels to convert it to; apply_exif_orientation, turn it as its EXIF data says.
    Raises OSError where the file cannot be read, SerializationError where it is damaged or of another kind, ArgumentError for a
    mode that the kind has not.
    Source: as torchvision 0.29 has it; the formats by way of Pillow.

    Example::

        cltensor.vision.io.read_image("cat.jpg", "RGB").shape
    """
    return _decoded(bytes_of_file(path), _KINDS, mode, apply_exif_orientation, f"{os.fspath(path)}: ")


def decode_image(input: Tensor | str | PathLike[str], mode: ImageReadMode | str = ImageReadMode.UNCHANGED,
                 apply_exif_orientation: bool = False) -> Tensor:
    """The picture in bytes (JPEG, PNG, WebP or GIF), a tensor (C, H, W) of dtype uint8, or uint16 for a PNG in grey of 16 bits.

    A GIF of several pictures gives (N, C, H, W).  WebP has no grey, and GIF colours only: modes leave those as they are.

    Args: input, a tensor (N,) of uint8, or the path of a file; mode, the channels to convert it to; apply_exif_orientation, turn
        JPEG and PNG as their EXIF data says.
    Raises SerializationError for bytes that are damaged or of another kind, ArgumentError for a mode that the kind has not,
    DTypeError and ShapeError for other tensors.
    Source: as torchvision 0.29 has it; the formats by way of Pillow.

    Example::

        decode_image(read_file("cat.jpg")).shape
    """
    if isinstance(input, (str, os.PathLike)):
        return read_image(input, mode, apply_exif_orientation)
    return _decoded(bytes_of(input), _KINDS, mode, apply_exif_orientation)


def decode_jpeg(input: Tensor | list[Tensor], mode: ImageReadMode | str = ImageReadMode.UNCHANGED,
                device: device | str | int | None = None, apply_exif_orientation: bool = False) -> Tensor | list[Tensor]:
    """The picture in a JPEG's bytes, a tensor (C, H, W) of dtype uint8, with C = 1, 3 or 4; for a list of tensors a list of them.

    Args: input, a tensor (N,) of uint8, or several; mode, UNCHANGED, GRAY or RGB; device, where the pictures go, by default the
        default device; apply_exif_orientation, turn it as its EXIF data says.
    Raises SerializationError for bytes that are damaged or no JPEG, ArgumentError for another mode, DTypeError and ShapeError for
    other tensors.
    Source: as torchvision 0.29 has it; ITU T.81 by way of Pillow.

    Example::

        decode_jpeg(read_file("cat.jpg"), ImageReadMode.GRAY)
    """
    if isinstance(input, (list, tuple)):
        return [decode_jpeg(one, mode, device, apply_exif_orientation) for one in input]
    made = _decoded(bytes_of(input), ("JPEG",), mode, apply_exif_orientation)
    return made if device is None else made.to(device)


def decode_png(input: Tensor, mode: ImageReadMode | str = ImageReadMode.UNCHANGED, apply_exif_orientation: bool = False) -> Tensor:
    """The picture in a PNG's bytes, a tensor (C, H, W) of dtype uint8, with C = 1 to 4; uint16 for grey of 16 bits.

    UNCHANGED leaves the indices of a palette.  Colours of 16 bits a channel are read as 8.

    Args: input, a tensor (N,) of uint8; mode, the channels to convert it to; apply_exif_orientation, turn it as its EXIF data says.
    Raises SerializationError for bytes that are damaged or no PNG, DTypeError and ShapeError for other tensors.
    Source: as torchvision 0.29 has it; ISO 15948 by way of Pillow.

    Example::

        decode_png(read_file("mask.png"))
    """
    return _decoded(bytes_of(input), ("PNG",), mode, apply_exif_orientation)


def decode_webp(input: Tensor, mode: ImageReadMode | str = ImageReadMode.UNCHANGED) -> Tensor:
    """The picture in a WebP's bytes, a tensor (C, H, W) of dtype uint8, with C = 3 or 4.

    Args: input, a tensor (N,) of uint8; mode, UNCHANGED, RGB or RGB_ALPHA: grey is warned of and leaves the colours.
    Raises SerializationError for bytes that are damaged or no WebP, DTypeError and ShapeError for other tensors.
    Source: as torchvision 0.29 has it; RFC 9649 by way of Pillow.

    Example::

        decode_webp(read_file("cat.webp"))
    """
    return _decoded(bytes_of(input), ("WEBP",), mode)


def decode_gif(input: Tensor) -> Tensor:
    """The pictures in a GIF's bytes, a tensor (3, H, W) of dtype uint8, or (N, 3, H, W) for several.

    Args: input, a tensor (N,) of uint8.
    Raises SerializationError for bytes that are damaged or no GIF, DTypeError and ShapeError for other tensors.
    Source: as torchvision 0.29 has it; GIF89a by way of Pillow.

    Example::

        decode_gif(read_file("moving.gif")).shape
    """
    return _decoded(bytes_of(input), ("GIF",), ImageReadMode.RGB)


def decode_avif(input: Tensor, mode: ImageReadMode | str = ImageReadMode.UNCHANGED) -> Tensor:
    """The picture in an AVIF's bytes, a tensor (C, H, W) of dtype uint8, with C = 3 or 4; where Pillow was built with AVIF.

    Args: input, a tensor (N,) of uint8; mode, UNCHANGED, RGB or RGB_ALPHA: grey is warned of and leaves the colours.
    Raises SerializationError for bytes that are damaged or no AVIF, or where Pillow cannot read it; DTypeError and ShapeError for
    other tensors.
    Source: as torchvision 0.29 has it; AV1 Image File Format by way of Pillow.

    Example::

        decode_avif(read_file("cat.avif"))
    """
    return _decoded(bytes_of(input), ("AVIF",), mode)


def decode_heic(input: Tensor, mode: ImageReadMode | str = ImageReadMode.UNCHANGED) -> Tensor:
    """The picture in a HEIC's bytes, a tensor (C, H, W) of dtype uint8, with C = 3 or 4; where pillow-heif has been registered.

    Args: input, a tensor (N,) of uint8; mode, UNCHANGED, RGB or RGB_ALPHA: grey is warned of and leaves the colours.
    Raises SerializationError for bytes that are damaged or no HEIC, or where Pillow cannot read it; DTypeError and ShapeError for
    other tensors.
    Source: as torchvision 0.29 has it; ISO 23008-12 by way of pillow-heif.

    Example::

        pillow_heif.register_heif_opener()
        decode_heic(read_file("cat.heic"))
    """
    return _decoded(bytes_of(input), ("HEIF",), mode)


def _decoded(data, kinds, mode, turned=False, place=""):
    """The tensor of the picture in an array of bytes, of one of these kinds."""
    mode = mode_of(mode)
    image = pillow.module()
    image.init()
    if not set(kinds) & set(image.OPEN):
        raise SerializationError(f"{place}Pillow cannot read {kinds[0]} here; install a Pillow or plugin that does")
    try:
        found = image.open(io.BytesIO(data.tobytes()), formats=[kind for kind in kinds if kind in image.OPEN])
    except image.DecompressionBombError as error:
        raise SerializationError(f"{place}{error}; raise PIL.Image.MAX_IMAGE_PIXELS if you trust it") from error
    except (image.UnidentifiedImageError, *_DAMAGED) as error:
        raise SerializationError(f"{place}this is no {' '.join(kinds[:1]) if len(kinds) == 1 else ', '.join(kinds[:-1])}"
                                 f"{'' if len(kinds) == 1 else ' or ' + kinds[-1]}, or it is damaged: {_short(error)}") from error
    with found:
        _check_mode(found.format, mode)
        if found.format == "JPEG" and b"\xff\xd9" not in data.tobytes():
            raise SerializationError(f"{place}the JPEG is cut off: it has no end; get it again")
        try:
            return from_numpy(_values(found, mode, turned))
        except _DAMAGED as error:
            raise SerializationError(f"{place}the {found.format} is damaged: {_short(error)}; get it again") from error


def _short(error):
    return str(error).split("<_io")[0].strip() or type(error).__name__


def _check_mode(kind, mode):
    if kind == "JPEG" and mode in (ImageReadMode.GRAY_ALPHA, ImageReadMode.RGB_ALPHA):
        raise ArgumentError(f"a JPEG cannot be read as {mode.name}, since it has no alpha; use UNCHANGED, GRAY or RGB")
    if kind in ("WEBP", "AVIF", "HEIF") and mode in (ImageReadMode.GRAY, ImageReadMode.GRAY_ALPHA):
        warnings.warn(f"a {kind} is not converted to {mode.name}; its colours are left as they are", stacklevel=5)


def _values(found, mode, turned):
    """The array (C, H, W), or (N, C, H, W) for a GIF of several, of an opened picture."""
    if found.format == "GIF":
        frames = _frames(found)
        return frames[0] if len(frames) == 1 else np.stack(frames)
    orientation = _orientation(found) if turned and found.format in ("JPEG", "PNG") else 1
    pixels = _converted(found, mode)
    return np.ascontiguousarray(_turned(_channels_first(pixels), orientation))


def _frames(found):
    """The arrays (3, H, W) of a GIF's pictures; what they do not cover has the background's colour."""
    palette, at = found.getpalette() or [], 3 * found.info.get("background", 0)
    background = np.array(palette[at : at + 3] if len(palette) >= at + 3 else [0, 0, 0], np.uint8)
    seen = [np.asarray(frame.convert("RGBA")) for frame in pillow.module("ImageSequence").Iterator(found)]
    return [_channels_first(np.where(pixels[..., 3:] > 0, pixels[..., :3], background)) for pixels in seen]


def _converted(found, mode):
    """The pixels (H, W) or (H, W, C) of an opened picture, with the channels of a mode."""
    if found.format in ("WEBP", "AVIF", "HEIF") and mode in (ImageReadMode.GRAY, ImageReadMode.GRAY_ALPHA):
        mode = ImageReadMode.UNCHANGED
    if mode is ImageReadMode.UNCHANGED:
        pixels = np.asarray(found if found.mode in _PLAIN else found.convert(_plain(found.mode)))
        return 255 - pixels if found.format == "JPEG" and found.mode == "CMYK" and "adobe" in found.info else pixels
    if found.mode.startswith("I"):
        return _of_16_bits(np.asarray(found).astype(np.uint16), mode)
    if found.format == "JPEG" and mode is ImageReadMode.GRAY and found.mode in ("RGB", "L"):
        found.draft("L", found.size)
    wanted = _MODES[mode]
    if found.format == "PNG" and mode in (ImageReadMode.GRAY, ImageReadMode.GRAY_ALPHA) and found.mode in ("P", "RGB", "RGBA"):
        return _grey(np.asarray(found.convert("RGBA" if len(wanted) == 2 else "RGB")))
    return np.asarray(found.convert(wanted))


def _plain(mode):
    """The mode of 8 bits a channel that keeps the channels of another mode."""
    return {"1": "L", "PA": "RGBA", "I": "I;16", "RGBX": "RGB", "La": "LA", "RGBa": "RGBA"}.get(mode, "RGB")


def _grey(pixels):
    """Grey, and alpha if there is one, of colours (H, W, 3 or 4)."""
    colours = pixels[..., :3].astype(np.int64)
    grey = ((colours @ _GREY) >> 15).astype(np.uint8)[..., None]
    return np.concatenate([grey, pixels[..., 3:]], axis=-1)


def _of_16_bits(grey, mode):
    """Grey of 16 bits (H, W) with the channels of a mode."""
    colours = [grey] * (3 if mode in (ImageReadMode.RGB, ImageReadMode.RGB_ALPHA) else 1)
    alpha = [np.full_like(grey, 0xFFFF)] if mode in (ImageReadMode.GRAY_ALPHA, ImageReadMode.RGB_ALPHA) else []
    return np.stack(colours + alpha, axis=-1)


def _channels_first(pixels):
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)


def _orientation(found):
    """What a picture's EXIF data says of its orientation, 1 to 8; 1 if it says nothing, or nonsense."""
    with contextlib.suppress(*_DAMAGED):
        value: Any = found.getexif().get(0x112, 1)
        return value if value in range(1, 9) else 1
    return 1


def _turned(pixels, orientation):
    """Pixels (C, H, W) as they are seen, for an orientation of EXIF: 5 to 8 are transposed, and some flipped."""
    if orientation >= 5:
        pixels = pixels.transpose(0, 2, 1)
    down, across = {2: (1, -1), 3: (-1, -1), 4: (-1, 1), 6: (1, -1), 7: (-1, -1), 8: (-1, 1)}.get(orientation, (1, 1))
    return pixels[:, ::down, ::across]
