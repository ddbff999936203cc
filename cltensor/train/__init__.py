"""Training without ceremony: fit runs the loop, and everything in it can be had without it."""

from .callbacks import Callback, EarlyStopping, ProgressBar, TensorBoard
from .checkpoints import Checkpoint, load_checkpoint, save_checkpoint
from .fit import fit
from .history import History
from .metrics import F1, Accuracy, Mean, MeanAbsoluteError, MeanSquaredError, Metric, TopKAccuracy
from .run import Run

__all__ = ["F1", "Accuracy", "Callback", "Checkpoint", "EarlyStopping", "History", "Mean", "MeanAbsoluteError", "MeanSquaredError",
           "Metric", "ProgressBar", "Run", "TensorBoard", "TopKAccuracy", "fit", "load_checkpoint", "save_checkpoint"]


def __dir__():
    return sorted(__all__)
