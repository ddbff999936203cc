"""Files of TensorBoard's projector: points, what they are called, and pictures of them."""

import math
from pathlib import Path

import numpy as np

from ...base.errors import ArgumentError, AssertedError, ShapeError
from ...base.extras import extra
from ..host_arrays import array_of
from .pictures import as_pixels
from .protocol import protocol

_LARGEST = 8192  # side of a sprite that TensorBoard shows


def write(folder, config, points, metadata, pictures, step, tag, header):
    """Write one embedding's files into a folder and its entry into config, a ProjectorConfig or None; returns it."""
    points = array_of(points, "add_embedding")
    if points.ndim != 2:
        raise ShapeError(f"add_embedding: mat must be (points, features), got shape {list(points.shape)}")
    if metadata is not None and len(metadata) != len(points):
        raise AssertedError(f"add_embedding: expected metadata for each of the {len(points)} points, got {len(metadata)}")
    sheet = None if pictures is None else sprite(pictures, len(points))
    p = protocol("SummaryWriter")
    config = config or p.ProjectorConfig()
    inside = f"{0 if step is None else int(step):05d}/{tag}"
    place = Path(folder) / inside
    place.mkdir(parents=True, exist_ok=True)
    entry = config.embeddings.add(tensor_name=f"{tag}:{0 if step is None else int(step):05d}", tensor_path=f"{inside}/tensors.tsv")
    if metadata is not None:
        _lines(place / "metadata.tsv", _rows(metadata, header))
        entry.metadata_path = f"{inside}/metadata.tsv"
    if sheet is not None:
        sheet.save(place / "sprite.png")
        entry.sprite.image_path = f"{inside}/sprite.png"
        shape = array_of(pictures, "add_embedding").shape
        entry.sprite.single_image_dim.extend([shape[3], shape[2]])
    _lines(place / "tensors.tsv", ["\t".join(map(repr, row)) for row in points.astype(np.float64).tolist()])
    text = extra("google.protobuf.text_format", "tensorboard", "add_embedding").MessageToString(config)
    (Path(folder) / "projector_config.pbtxt").write_text(text, encoding="utf-8")
    return config


def _rows(metadata, header):
    if not header:
        return [str(x) for x in metadata]
    if any(len(row) != len(header) for row in metadata):
        raise ArgumentError(f"add_embedding: expected {len(header)} entries in each row of metadata, as metadata_header has")
    return ["\t".join(map(str, row)) for row in [header, *metadata]]


def _lines(path, lines):
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def sprite(pictures, count):
    """One picture of all pictures (n, channels, height, width), in rows of as many as there are rows."""
    values = array_of(pictures, "add_embedding")
    if values.ndim != 4 or len(values) != count:
        raise ShapeError(f"add_embedding: label_img must be ({count}, channels, height, width), got {list(values.shape)}")
    columns = math.ceil(math.sqrt(count))
    if columns * max(values.shape[2:]) > _LARGEST:
        raise ArgumentError(f"add_embedding: {count} pictures of {values.shape[3]} x {values.shape[2]} need more than {_LARGEST} "
                            "pixels a side, which TensorBoard does not show; make them smaller")
    full = np.zeros((columns * columns, *values.shape[1:]), values.dtype)
    full[:count] = values
    rows = full.reshape(columns, columns, *values.shape[1:]).transpose(2, 0, 3, 1, 4)
    sheet = rows.reshape(values.shape[1], columns * values.shape[2], columns * values.shape[3])
    return extra("PIL.Image", "vision", "add_embedding").fromarray(as_pixels(sheet, "CHW", "add_embedding"))
