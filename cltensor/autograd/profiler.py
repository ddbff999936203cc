"""profile and record_function under the names of torch.autograd.profiler; cltensor.profiler has more."""

from __future__ import annotations

from typing import Any

from ..base.errors import AssertedError, CLTensorError, UnsupportedError
from ..profiler import ProfilerActivity, record_function
from ..profiler import profile as _profile
from ..profiler.events import EventList, FunctionEvent, FunctionEventAvg

__all__ = ["EventList", "FunctionEvent", "emit_itt", "emit_nvtx", "profile", "record_function"]


class profile:
    """Record calls and launches in a block, as cltensor.profiler.profile does, without schedules.

    enabled: whether to record at all; use_cuda, use_device: record launches on the device; use_cpu: list calls; the others as for
    cltensor.profiler.profile.  use_kineto, experimental_config, custom_trace_id_callback, post_processing_timeout_s and
    activity_filters are accepted for PyTorch's sake.

    Raises CLTensorError where it is entered twice, or another profile runs.  Source: torch.autograd.profiler.profile.

        >>> from cltensor.autograd import profiler
        >>> with profiler.profile() as prof:
        ...     y = ct.ones(3) + 1
        >>> "add" in prof.table()
        True
    """

    def __init__(self, enabled: bool = True, *, use_cuda: bool = False, use_device: str | None = None, record_shapes: bool = False,
                 with_flops: bool = False, profile_memory: bool = False, with_stack: bool = False, with_modules: bool = False,
                 use_kineto: bool = False, use_cpu: bool = True, experimental_config: Any = None, acc_events: bool = False,
                 custom_trace_id_callback: Any = None, post_processing_timeout_s: float | None = None,
                 activity_filters: Any = None):
        self.enabled, self.entered = enabled, False
        chosen = [ProfilerActivity.CPU] * use_cpu + [ProfilerActivity.OPENCL] * bool(use_cuda or use_device)
        self._inner = _profile(activities=chosen, record_shapes=record_shapes, with_flops=with_flops, profile_memory=profile_memory,
                               with_stack=with_stack, with_modules=with_modules, acc_events=acc_events,
                               custom_trace_id_callback=custom_trace_id_callback) if enabled else None

    def __enter__(self) -> profile:
        if self.entered:
            raise CLTensorError("profile: Profiler context manager is not reentrant; make another profile for another block")
        self.entered = True
        if self._inner is not None:
            self._inner.start()
        return self

    def __exit__(self, *exc: Any) -> None:
        if self._inner is not None:
            self._inner.stop()

    @property
    def function_events(self) -> EventList | None:
        """Each call and launch; None where nothing was recorded.  Raises AssertedError before the end."""
        return None if self._inner is None else self._inner.events()

    def _complete(self):
        found = self.function_events
        if found is None:
            raise AssertedError("profile: it was not enabled, and has recorded nothing")
        return found

    def key_averages(self, group_by_input_shape: bool = False, group_by_stack_n: int = 0,
                     group_by_overload_name: bool = False) -> EventList:
        """The events summed by name; see cltensor.profiler.profile."""
        return self._complete().key_averages(group_by_input_shape, group_by_stack_n)

    def total_average(self) -> FunctionEventAvg:
        """The sum over all events."""
        return self._complete().total_average()

    @property
    def self_cpu_time_total(self) -> float:
        """Microseconds of all calls."""
        return self._complete().self_cpu_time_total

    def table(self, sort_by: str | None = None, row_limit: int = 100, max_src_column_width: int = 75,
              max_name_column_width: int = 55, max_shapes_column_width: int = 80, header: str | None = None,
              top_level_events_only: bool = False, time_unit: str | None = None) -> str:
        """The events as text; see EventList.table."""
        return self._complete().table(sort_by, row_limit, max_src_column_width, max_name_column_width, max_shapes_column_width,
                                      header, top_level_events_only, time_unit)

    def __str__(self):
        return self.table() if self.enabled and self.entered else f"<profile enabled={self.enabled}>"

    def export_chrome_trace(self, path: str, use_python_export: bool = False) -> None:
        """Write a trace for Perfetto."""
        self._complete().export_chrome_trace(path)

    def export_stacks(self, path: str, metric: str = "self_cpu_time_total") -> None:
        """Write a line for each stack; see cltensor.profiler.profile."""
        self._complete()
        self._inner.export_stacks(path, metric)

    def toggle_collection_dynamic(self, enabled: bool, activities: Any) -> None:
        """Stop to record some activities, or go on."""
        if self._inner is not None:
            self._inner.toggle_collection_dynamic(enabled, activities)


class emit_nvtx:
    """Refuse: annotations for NVIDIA's tools, which know nothing of OpenCL.

    Raises UnsupportedError.  Source: torch.autograd.profiler.emit_nvtx.

        >>> from cltensor.autograd import profiler
        >>> profiler.emit_nvtx(enabled=False).enabled
        False
    """

    _refusal = ("emit_nvtx: NVIDIA's tools know nothing of OpenCL's launches; use cltensor.profiler.profile, whose traces "
                "Perfetto shows")

    def __init__(self, enabled: bool = True, record_shapes: bool = False):
        self.enabled, self.record_shapes = enabled, record_shapes

    def __enter__(self) -> Any:
        if self.enabled:
            raise UnsupportedError(self._refusal)
        return self

    def __exit__(self, *exc: Any) -> None:
        """Nothing: it was not enabled."""


class emit_itt(emit_nvtx):
    """Refuse: annotations for Intel's tools, whose library is not among the requirements.

    Raises UnsupportedError.  Source: torch.autograd.profiler.emit_itt.

        >>> from cltensor.autograd import profiler
        >>> profiler.emit_itt(enabled=False).enabled
        False
    """

    _refusal = "emit_itt: Intel's annotations need a library that cltensor does not use; use cltensor.profiler.profile"


def __dir__():
    return sorted(__all__)
