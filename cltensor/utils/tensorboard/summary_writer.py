"""SummaryWriter: what happens during a run, written where TensorBoard finds it."""

from __future__ import annotations

import datetime
import os
import socket
import time
from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any

from ...base.errors import ArgumentError
from ...base.extras import extra
from ...nn.modules.module import Module
from ..host_arrays import number_of
from ..module_trace import inputs_of, trace
from . import embeddings, experiments, graphs, histograms, pictures, values
from .file_writer import FileWriter
from .protocol import protocol

_MOST_THRESHOLDS = 127


class SummaryWriter:
    """Writes numbers, pictures, histograms, text, sound, graphs and embeddings to a folder for `tensorboard --logdir`.

    Tensors of any shape and dtype that a method has use for, on any device, NumPy arrays and numbers are taken; reading a tensor
    waits for its device.  A step is a count, and walltime a time in seconds, now by default.

    Args: log_dir, the folder of the run, by default runs/DATE_HOST with comment at its end; purge_step, the step at which a run
        goes on that ended without warning: TensorBoard hides what was logged from there on; max_queue, flush_secs and
        filename_suffix as FileWriter takes them.
    Raises MissingPackageError without the package tensorboard.  Source: PyTorch 2.13's torch.utils.tensorboard.SummaryWriter.

        with SummaryWriter("runs/first") as writer:
            for step, loss in enumerate(losses):
                writer.add_scalar("loss/train", loss, step)
    """

    def __init__(self, log_dir: str | PathLike[str] | None = None, comment: str = "", purge_step: int | None = None,
                 max_queue: int = 10, flush_secs: float = 120, filename_suffix: str = ""):
        protocol("SummaryWriter")
        if not log_dir:
            now = datetime.datetime.now().strftime("%b%d_%H-%M-%S")
            log_dir = os.path.join("runs", f"{now}_{socket.gethostname()}{comment}")
        self.log_dir, self.purge_step, self.max_queue = str(log_dir), purge_step, max_queue
        self.flush_secs, self.filename_suffix = flush_secs, filename_suffix
        self._writers: dict[str, FileWriter] = {}  # folder -> its FileWriter; empty after close
        self._projector = None
        self._main()

    def _main(self):
        """The writer of the run's own folder; a new one after close."""
        if self.log_dir not in self._writers:
            writer = self._writers[self.log_dir] = self._new(self.log_dir)
            if self.purge_step is not None:
                p = protocol("SummaryWriter")
                writer.add_event(p.Event(step=self.purge_step, file_version="brain.Event:2"))
                writer.add_event(p.Event(step=self.purge_step, session_log=p.SessionLog(status="START")))
                self.purge_step = None
        return self._writers[self.log_dir]

    def _new(self, folder):
        return FileWriter(folder, self.max_queue, self.flush_secs, self.filename_suffix)

    def _add(self, summary, step, walltime):
        self._main().add_summary(summary, None if step is None else number_of(step, "global_step"), walltime)

    def get_logdir(self) -> str:
        """The folder of the run."""
        return self.log_dir

    # --- numbers, text ---------------------------------------------------------------------------------------------------

    def add_scalar(self, tag: str, scalar_value: Any, global_step: int | None = None, walltime: float | None = None,
                   new_style: bool = False, double_precision: bool = False) -> None:
        """Log one number.  new_style: as a tensor, then double_precision keeps 64 bits.

        Raises ArgumentTypeError for more than one number.
        """
        self._add(values.scalar(tag, scalar_value, new_style, double_precision), global_step, walltime)

    def add_scalars(self, main_tag: str, tag_scalar_dict: Mapping[str, Any], global_step: int | None = None,
                    walltime: float | None = None) -> None:
        """Log numbers to be drawn together, each in a folder of its own."""
        walltime = time.time() if walltime is None else walltime
        step = None if global_step is None else number_of(global_step, "global_step")
        made = {tag: values.scalar(main_tag, value, False, False) for tag, value in tag_scalar_dict.items()}
        for tag, summary in made.items():
            folder = os.path.join(self._main().get_logdir(), f"{main_tag.replace('/', '_')}_{tag}")
            if folder not in self._writers:
                self._writers[folder] = self._new(folder)
            self._writers[folder].add_summary(summary, step, walltime)

    def add_tensor(self, tag: str, tensor: Any, global_step: int | None = None, walltime: float | None = None) -> None:
        """Log all values of a tensor."""
        self._add(values.tensor(tag, tensor), global_step, walltime)

    def add_text(self, tag: str, text_string: str, global_step: int | None = None, walltime: float | None = None) -> None:
        """Log a text, shown as Markdown."""
        self._add(values.text(tag, text_string), global_step, walltime)

    # --- distributions -----------------------------------------------------------------------------------------------------

    def add_histogram(self, tag: str, values: Any, global_step: int | None = None, bins: Any = "tensorflow",
                      walltime: float | None = None, max_bins: int | None = None) -> None:
        """Log how values are distributed.  bins: "tensorflow", or what numpy.histogram takes; max_bins: put together to so many.

        Raises ArgumentError for no values, and for NaN and infinite ones.
        """
        self._add(histograms.histogram(tag, values, bins, max_bins), global_step, walltime)

    def add_histogram_raw(self, tag: str, min: float, max: float, num: int, sum: float, sum_squares: float,
                          bucket_limits: Sequence[float], bucket_counts: Sequence[int], global_step: int | None = None,
                          walltime: float | None = None) -> None:
        """Log a histogram counted elsewhere: bucket_counts[i] values lie between bucket_limits[i - 1] and bucket_limits[i]."""
        self._add(histograms.histogram_raw(tag, min, max, num, sum, sum_squares, bucket_limits, bucket_counts), global_step,
                  walltime)

    def add_pr_curve(self, tag: str, labels: Any, predictions: Any, global_step: int | None = None, num_thresholds: int = 127,
                     weights: Any = None, walltime: float | None = None) -> None:
        """Log precision and recall at thresholds from 0 to 1, 127 at most, from labels, 0 or 1, and predictions in [0, 1].

        Raises ArgumentError where their numbers differ, and for predictions outside.
        """
        count = min(num_thresholds, _MOST_THRESHOLDS)
        self._add(values.pr_curve(tag, labels, predictions, count, weights), global_step, walltime)

    def add_pr_curve_raw(self, tag: str, true_positive_counts: Any, false_positive_counts: Any, true_negative_counts: Any,
                         false_negative_counts: Any, precision: Any, recall: Any, global_step: int | None = None,
                         num_thresholds: int = 127, weights: Any = None, walltime: float | None = None) -> None:
        """Log a curve of precision and recall that was counted elsewhere, at num_thresholds thresholds.  weights has no effect."""
        rows = (true_positive_counts, false_positive_counts, true_negative_counts, false_negative_counts, precision, recall)
        self._add(values.pr_curve_raw(tag, rows, min(num_thresholds, _MOST_THRESHOLDS)), global_step, walltime)

    # --- pictures, sound ---------------------------------------------------------------------------------------------------

    def add_image(self, tag: str, img_tensor: Any, global_step: int | None = None, walltime: float | None = None,
                  dataformats: str = "CHW") -> None:
        """Log a picture with 1, 3 or 4 channels: floats from 0 to 1, or uint8.  dataformats: "CHW", "HWC", "HW" and so on.

        Raises ShapeError where dataformats does not fit, MissingPackageError without Pillow.
        """
        self._add(pictures.image(tag, img_tensor, dataformats), global_step, walltime)

    def add_images(self, tag: str, img_tensor: Any, global_step: int | None = None, walltime: float | None = None,
                   dataformats: str = "NCHW") -> None:
        """Log several pictures beside each other, 8 in a row."""
        self._add(pictures.image(tag, img_tensor, dataformats), global_step, walltime)

    def add_image_with_boxes(self, tag: str, img_tensor: Any, box_tensor: Any, global_step: int | None = None,
                             walltime: float | None = None, rescale: float = 1, dataformats: str = "CHW",
                             labels: Sequence[str] | str | None = None) -> None:
        """Log a picture with boxes drawn into it: (n, 4), each left, top, right, bottom, with labels if there are any."""
        labels = [labels] if isinstance(labels, str) else labels
        self._add(pictures.image(tag, img_tensor, dataformats, box_tensor, rescale, labels), global_step, walltime)

    def add_figure(self, tag: str, figure: Any, global_step: int | None = None, close: bool = True,
                   walltime: float | None = None) -> None:
        """Log a Matplotlib figure, or a list of them beside each other.  close: close them afterwards."""
        figures = list(figure) if isinstance(figure, (list, tuple)) else [figure]
        if not figures:
            raise ArgumentError("add_figure: expected a figure, or a list with at least one")
        self._add(pictures.image(tag, pictures.figure_pixels(figures), "NCHW"), global_step, walltime)
        if close:
            pyplot = extra("matplotlib.pyplot", "see", "add_figure")
            for each in figures:
                pyplot.close(each)

    def add_video(self, tag: str, vid_tensor: Any, global_step: int | None = None, fps: float = 4,
                  walltime: float | None = None) -> None:
        """Log videos (n, frames, channels, height, width) as one animated GIF: floats from 0 to 1, or uint8."""
        self._add(pictures.video(tag, vid_tensor, fps), global_step, walltime)

    def add_audio(self, tag: str, snd_tensor: Any, global_step: int | None = None, sample_rate: int = 44100,
                  walltime: float | None = None) -> None:
        """Log sound (1, frames), values from -1 to 1."""
        self._add(pictures.audio(tag, snd_tensor, sample_rate), global_step, walltime)

    def add_mesh(self, tag: str, vertices: Any, colors: Any = None, faces: Any = None, config_dict: Mapping[str, Any] | None = None,
                 global_step: int | None = None, walltime: float | None = None) -> None:
        """Log points (batch, n, 3), their colours from 0 to 255, and faces: (batch, m, 3) indices.  config_dict: for THREE.js."""
        self._add(experiments.mesh(tag, vertices, colors, faces, config_dict), global_step, walltime)

    # --- models, runs ------------------------------------------------------------------------------------------------------

    def add_graph(self, model: Module, input_to_model: Any = None, verbose: bool = False, use_strict_trace: bool = True) -> None:
        """Log the ops that a model runs for an input, a tensor or a tuple of them, in the modules that run them.

        verbose prints the graph; use_strict_trace has no effect.  Raises what summary raises.
        """
        args, kwargs = inputs_of("add_graph", None, input_to_model, None)
        made = graphs.graph(trace(model, args, kwargs, "add_graph"))
        if verbose:
            print(made)
        self._main().add_graph((made, None))

    def add_embedding(self, mat: Any, metadata: Sequence[Any] | None = None, label_img: Any = None, global_step: int | None = None,
                      tag: str = "default", metadata_header: Sequence[str] | None = None) -> None:
        """Log points (n, features) for the projector, with a name or a row of names and a picture for each.

        Raises ArgumentError where the numbers differ, ShapeError for other shapes.
        """
        step = None if global_step is None else number_of(global_step, "global_step")
        self._projector = embeddings.write(self._main().get_logdir(), self._projector, mat, metadata, label_img, step, tag,
                                           metadata_header)

    def add_hparams(self, hparam_dict: dict[str, Any], metric_dict: dict[str, Any],
                    hparam_domain_discrete: dict[str, Sequence[Any]] | None = None, run_name: str | None = None,
                    global_step: int | None = None) -> None:
        """Log the hyperparameters of a run beside what they led to, in a folder of its own, by default named by the time.

        Hyperparameters are numbers, bools or texts; None is left out.
        """
        made = experiments.hyperparameters(hparam_dict, metric_dict, hparam_domain_discrete)
        folder = os.path.join(self._main().get_logdir(), run_name or str(time.time()))
        with SummaryWriter(folder) as writer:
            for summary in made:
                writer._main().add_summary(summary, global_step)
            for tag, value in metric_dict.items():
                writer.add_scalar(tag, value, global_step)

    def add_custom_scalars(self, layout: Mapping[str, Mapping[str, Sequence[Any]]]) -> None:
        """Lay out charts over scalars: {category: {chart: ["Multiline", [tags]] or ["Margin", [value, lower, upper]]}}."""
        self._add(experiments.charts(layout), None, None)

    def add_custom_scalars_multilinechart(self, tags: Sequence[str], category: str = "default", title: str = "untitled") -> None:
        """Lay out one chart of several scalars."""
        self.add_custom_scalars({category: {title: ["Multiline", tags]}})

    def add_custom_scalars_marginchart(self, tags: Sequence[str], category: str = "default", title: str = "untitled") -> None:
        """Lay out one chart of a scalar between two others: tags are value, lower and upper."""
        self.add_custom_scalars({category: {title: ["Margin", tags]}})

    # --- the end -----------------------------------------------------------------------------------------------------------

    def flush(self) -> None:
        """Write everything that waits to the files."""
        for writer in self._writers.values():
            writer.flush()

    def close(self) -> None:
        """Write everything that waits and close the files; what is logged afterwards goes to new ones."""
        for writer in self._writers.values():
            writer.close()
        self._writers = {}

    def __enter__(self) -> SummaryWriter:
        return self

    def __exit__(self, exc_type: Any, exc_val: Any, exc_tb: Any) -> None:
        self.close()
