"""FileWriter: events, one after another, into a file that TensorBoard reads while it grows."""

from __future__ import annotations

import time
from os import PathLike
from typing import Any

from .protocol import protocol


class FileWriter:
    """Writes events to a new file in a folder, from a thread of its own; SummaryWriter makes its events.

    Args: log_dir, the folder, made if it is not there; max_queue, events that may wait before add_event waits; flush_secs, how long
        events wait at most; filename_suffix, the end of the file's name.
    No tensor's shape or dtype plays a part.  Raises MissingPackageError without the package tensorboard, OSError where the file
    cannot be written.  Source: the event files of TensorBoard 2.21.

        writer = FileWriter("runs/first")
        writer.add_summary(summary, global_step=3)
        writer.close()
    """

    def __init__(self, log_dir: str | PathLike[str], max_queue: int = 10, flush_secs: float = 120, filename_suffix: str = ""):
        self._dir, self._p = str(log_dir), protocol("FileWriter")
        self.event_writer = self._p.EventFileWriter(self._dir, max_queue, flush_secs, filename_suffix)

    def get_logdir(self) -> str:
        """The folder."""
        return self._dir

    def add_event(self, event: Any, step: int | None = None, walltime: float | None = None) -> None:
        """Write an Event message at a step and time; the present time by default."""
        event.wall_time = time.time() if walltime is None else walltime
        if step is not None:
            event.step = int(step)
        self.event_writer.add_event(event)

    def add_summary(self, summary: Any, global_step: int | None = None, walltime: float | None = None) -> None:
        """Write a Summary message."""
        self.add_event(self._p.Event(summary=summary), global_step, walltime)

    def add_graph(self, graph_profile: Any, walltime: float | None = None) -> None:
        """Write a pair of a GraphDef and None, or a RunMetadata, which says how long its nodes took."""
        graph, metadata = graph_profile
        self.add_event(self._p.Event(graph_def=graph.SerializeToString()), None, walltime)
        if metadata is not None:
            tagged = self._p.TaggedRunMetadata(tag="step1", run_metadata=metadata.SerializeToString())
            self.add_event(self._p.Event(tagged_run_metadata=tagged), None, walltime)

    def flush(self) -> None:
        """Write everything that waits to the file."""
        self.event_writer.flush()

    def close(self) -> None:
        """Write everything that waits and close the file."""
        self.event_writer.close()

    def reopen(self) -> None:
        """Go on, after close, in a new file."""
        self.event_writer = self._p.EventFileWriter(self._dir)
