"""Build many kernels: every template for every dtype and launch style, on every device."""

from dataclasses import dataclass

from ...base import child
from ...base.errors import CLTensorError
from ...runtime import device as devices
from ..output import plural
from . import catalog, rendering

HEADER = ("template", "style", "device", "dtypes", "")


@dataclass
class Job:
    """One kernel to render once and to build for each device."""

    template: str
    dtype: str
    style: str
    text: str = ""
    error: str = None


@dataclass
class Result:
    """The result of a Job on a device ("" if only rendered); error is None on success."""

    template: str
    dtype: str
    style: str
    device: str
    seconds: float = None
    skipped: str = None
    error: str = None

    @property
    def title(self):
        return " ".join(filter(None, (self.template, self.style, self.dtype, self.device and f"on {self.device}")))

    @property
    def reason(self):
        """The error's first line, and the first line of the compiler's log that mentions an error."""
        first, *log = self.error.splitlines() or [""]
        return " ".join([first, *[line.strip() for line in log if "error" in line.lower()][:1]])


def jobs(entries, dtypes=None, styles=None):
    """A Job for each template, style and dtype, rendered."""
    found = []
    for e in entries:
        for dtype, style in catalog.variants(e, dtypes, styles):
            job = Job(e.name, dtype.name if dtype else "", style)
            try:
                job.text = rendering.of_template(e, dtype, style).text
            except CLTensorError as error:
                job.error = str(error)
            found.append(job)
    return found


def write(jobs, folder):
    """Write each rendered text to folder/template.style.dtype.cl; omit the dtype if there is no choice."""
    folder.mkdir(parents=True, exist_ok=True)
    for job in jobs:
        if job.text:
            name = ".".join(filter(None, (job.template, job.style, job.dtype, "cl")))
            (folder / name).write_text(job.text, encoding="utf-8")


def rendered(jobs):
    """The Results of rendering only."""
    return [Result(j.template, j.dtype, j.style, "", error=j.error) for j in jobs]


def check(jobs, limit):
    """The Results of building on every device; a build may take `limit` seconds."""
    results = [r for r in rendered(jobs) if r.error]
    for index in range(_devices()):
        results += _check_on(index, [j for j in jobs if j.text], limit)
    return results


def _devices():
    """The number of devices.  Raises DeviceError if there is none."""
    devices.default_device()
    return devices.count()


def _check_on(index, jobs, limit):
    profile = devices.get(index).profile
    results, pending = [], []
    for j in jobs:
        result = Result(j.template, j.dtype, j.style, f"opencl:{index}")
        results.append(result)
        if "cl_khr_fp64" in j.text and not profile.fp64:
            result.skipped = "the device has no float64"
        else:
            pending.append((result, {"device": index, "text": j.text}))
    answers = child.run_each("cltensor.cli.kernels.build:build", [item for _, item in pending], limit)
    for (result, _), (_, answer) in zip(pending, answers, strict=True):
        result.seconds, result.error = answer.get("seconds"), answer.get("error")
    return results


def build(item):
    """In the child: build item["text"], with all its kernels, on device item["device"].  Returns {"seconds": spent}."""
    import time

    start = time.perf_counter()
    devices.get(item["device"]).program(item["text"]).all_kernels()
    return {"seconds": time.perf_counter() - start}


def verdict(results, built):
    """How many kernels were rendered or built, skipped, failed, as a sentence."""
    failed, skipped = sum(bool(r.error) for r in results), sum(bool(r.skipped) for r in results)
    done = plural(len(results) - failed - skipped, "kernel")
    return f"{done} {'built' if built else 'rendered'}, {failed} failed{f', {skipped} skipped' if skipped else ''}."


def rows(results):
    """Table rows: one for the results of each template, style and device."""
    groups = {}
    for r in results:
        groups.setdefault((r.template, r.style, r.device or "-"), []).append(r)
    for key, group in groups.items():
        fine = [r for r in group if not r.error and not r.skipped]
        failed = [r.dtype for r in group if r.error]
        skipped = [r.dtype for r in group if r.skipped]
        remarks = [f"FAILED: {' '.join(failed)}"] if failed else []
        remarks += [f"skipped: {' '.join(skipped)} (the device has no float64)"] if skipped else []
        yield *key, f"{len(fine)}/{len(group)}", "; ".join(remarks)
