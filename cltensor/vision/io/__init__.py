"""io: pictures from files and bytes to tensors and back, through Pillow."""

from ...base.calls import named_all as _named_all
from ...base.errors import AbsentError as _AbsentError
from .decoding import decode_avif, decode_gif, decode_heic, decode_image, decode_jpeg, decode_png, decode_webp, read_image
from .encoding import encode_jpeg, encode_png, write_jpeg, write_png
from .files import read_file, write_file
from .modes import ImageReadMode

__all__ = ["ImageReadMode", "decode_avif", "decode_gif", "decode_heic", "decode_image", "decode_jpeg", "decode_png", "decode_webp",
           "encode_jpeg", "encode_png", "read_file", "read_image", "write_file", "write_jpeg", "write_png"]

_VIDEO = ("VideoReader", "read_video", "read_video_from_memory", "read_video_timestamps", "write_video")

_named_all(globals())


def __getattr__(name):
    """Say what reads video, which is left out."""
    if name in _VIDEO:
        raise _AbsentError(f"cltensor.vision.io has no {name!r}: it reads pictures only; read video with PyAV, and make tensors of "
                           "its "
                           "frames with cltensor.from_numpy")
    raise AttributeError(f"module 'cltensor.vision.io' has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
