"""Summaries of pictures, videos and sound."""

import io
import math
import struct

import numpy as np

from ...base.errors import ArgumentError, AssertedShapeError, ShapeError
from ...base.extras import extra
from ..host_arrays import array_of
from .protocol import protocol
from .values import one_value

_LARGEST = 2**15 - 1


def image(tag, value, order, boxes=None, rescale=1, labels=None):
    """The Summary of a picture, or of several beside each other.

    order: what its dimensions are, such as "CHW"; floats go from 0 to 1.
    """
    pixels = as_pixels(value, order, "add_image")
    pil = extra("PIL.Image", "vision", "add_image")
    picture = pil.fromarray(pixels)
    if boxes is not None:
        _outline(picture, array_of(boxes, "add_image_with_boxes"), labels)
    if rescale != 1:
        picture = picture.resize((int(picture.width * rescale), int(picture.height * rescale)), pil.Resampling.LANCZOS)
    return _shown(tag, picture.width, picture.height, pixels.shape[2], _encoded(picture, "PNG"))


def as_pixels(value, order, call):
    """An array (height, width, 3 or 4) of uint8."""
    values = _bytes(array_of(value, call))
    order = order.upper()
    if len(order) != values.ndim or len(set(order)) != len(order) or not {"H", "W"} <= set(order) <= set("NCHW"):
        raise AssertedShapeError(f"{call}: dataformats={order!r} does not name the dimensions of a tensor of shape "
                         f"{list(values.shape)}; give a letter for each, of N, C, H and W")
    if "C" not in order:
        values, order = values[..., None], order + "C"
    values = values.transpose([order.index(x) for x in "NHWC" if x in order])
    if values.ndim == 4:
        values = grid(values)
    if values.shape[2] == 1:
        values = values.repeat(3, axis=2)
    if values.shape[2] not in (3, 4):
        raise ShapeError(f"{call}: a picture has 1, 3 or 4 channels, this one has {values.shape[2]} (dataformats={order!r}, shape "
                         f"{list(values.shape)})")
    return np.ascontiguousarray(values)


def _bytes(values):
    if values.dtype == np.uint8:
        return values
    return np.clip(np.nan_to_num(values.astype(np.float32)) * 255.0, 0, 255).astype(np.uint8)


def grid(pictures, columns=8):
    """Pictures (n, height, width, channels) beside each other in rows of 8 at most."""
    n, height, width, channels = pictures.shape
    columns = max(min(n, columns), 1)
    rows = -(-n // columns)
    made = np.zeros((rows * columns, height, width, channels), pictures.dtype)
    made[:n] = pictures
    return made.reshape(rows, columns, height, width, channels).swapaxes(1, 2).reshape(rows * height, columns * width, channels)


def _outline(picture, boxes, labels):
    draw = extra("PIL.ImageDraw", "vision", "add_image_with_boxes").Draw(picture)
    boxes = boxes.reshape(-1, 4)
    if labels is not None and len(labels) != len(boxes):
        raise ArgumentError(f"add_image_with_boxes: expected a label for each of the {len(boxes)} boxes, got {len(labels)}")
    for i, (left, top, right, bottom) in enumerate(boxes.tolist()):
        draw.line([(left, top), (left, bottom), (right, bottom), (right, top), (left, top)], width=2, fill="red")
        if labels is not None:
            at = left + 2, bottom - draw.textbbox((0, 0), labels[i])[3] - 1
            draw.rectangle(draw.textbbox(at, labels[i]), fill="red")
            draw.text(at, labels[i], fill="black")


def _encoded(picture, kind, **options):
    out = io.BytesIO()
    picture.save(out, format=kind, **options)
    return out.getvalue()


def _shown(tag, width, height, channels, encoded):
    p = protocol("SummaryWriter")
    return one_value(tag, image=p.Summary.Image(height=height, width=width, colorspace=channels, encoded_image_string=encoded))


def video(tag, value, fps):
    """The Summary of videos (n, frames, channels, height, width) beside each other, as an animated GIF."""
    values = _bytes(array_of(value, "add_video"))
    if values.ndim != 5 or values.shape[2] not in (1, 3):
        raise ShapeError("add_video: expected a tensor (videos, frames, 1 or 3 channels, height, width), got shape "
                         f"{list(values.shape)}")
    if not all(values.shape):
        raise ShapeError(f"add_video: there is nothing to show in a tensor of shape {list(values.shape)}")
    columns = 2 ** math.ceil(math.log2(len(values)) / 2)
    frames = [grid(frame, columns) for frame in values.transpose(1, 0, 3, 4, 2)]
    pil = extra("PIL.Image", "vision", "add_video")
    pictures = [pil.fromarray(f.repeat(3 // f.shape[2], axis=2)) for f in frames]
    encoded = _encoded(pictures[0], "GIF", save_all=True, append_images=pictures[1:], duration=round(1000 / fps), loop=0)
    return _shown(tag, pictures[0].width, pictures[0].height, 3, encoded)


def audio(tag, value, rate):
    """The Summary of sound in [-1, 1], one channel, as WAV with 16 bits.  Source: Microsoft's RIFF specification, 1991."""
    values = array_of(value, "add_audio").squeeze()
    if values.ndim != 1:
        raise AssertedShapeError(f"add_audio: expected one channel, a tensor (1, frames), got shape {list(values.shape)}")
    samples = (np.clip(values.astype(np.float64), -1, 1) * _LARGEST).astype("<i2").tobytes()
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(samples), b"WAVE", b"fmt ", 16, 1, 1, rate, 2 * rate, 2, 16, b"data",
                       len(samples))
    p = protocol("SummaryWriter")
    sound = p.Summary.Audio(sample_rate=rate, num_channels=1, length_frames=values.size, encoded_audio_string=head + samples,
                            content_type="audio/wav")
    return one_value(tag, audio=sound)


def figure_pixels(figures):
    """An array (n, channels, height, width) of Matplotlib figures, drawn without a screen."""
    agg = extra("matplotlib.backends.backend_agg", "see", "add_figure")
    drawn = []
    for figure in figures:
        canvas = agg.FigureCanvasAgg(figure)
        canvas.draw()
        drawn.append(np.asarray(canvas.buffer_rgba())[..., :3].transpose(2, 0, 1))
    if len({d.shape for d in drawn}) > 1:
        raise ShapeError(f"add_figure: figures must have one size, got {', '.join(str(d.shape[1:]) for d in drawn)} pixels")
    return np.stack(drawn)
