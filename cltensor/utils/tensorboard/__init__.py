"""Logs for TensorBoard, with torch.utils.tensorboard's names; the extra tensorboard installs what it needs."""

from typing import TYPE_CHECKING

from .file_writer import FileWriter
from .protocol import protocol
from .summary_writer import SummaryWriter

if TYPE_CHECKING:
    from typing import Any

    RecordWriter: Any

__all__ = ["FileWriter", "SummaryWriter"]


def __getattr__(name):
    """RecordWriter is TensorBoard's own."""
    if name == "RecordWriter":
        return protocol("RecordWriter").RecordWriter
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
