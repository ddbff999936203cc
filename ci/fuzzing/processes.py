"""The parent process: start workers, end silent ones, and continue after a crash."""

import json
import os
import pickle
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: a program that prints nothing for so many seconds counts as hung
PATIENCE = 120
#: programs that one process runs
BATCH = 400


@dataclass
class Tally:
    """Counts of programs, and of mismatches by signature: [(mismatch, count)]."""

    programs: int = 0
    statements: int = 0
    comparisons: int = 0
    mismatches: dict = field(default_factory=dict)

    def add(self, found):
        """Note a mismatch; whether it is the first of its signature."""
        entry = self.mismatches.setdefault(found["signature"], [found, 0])
        entry[1] += 1
        return entry[1] == 1

    @property
    def wrong(self):
        """The number of mismatches."""
        return sum(count for _, count in self.mismatches.values())


def environment(style, **more):
    """A worker's environment: the launch style, kernels built plainly on PoCL, our folders first on the path."""
    found = dict(os.environ, CLTENSOR_PROFILE=style, CLTENSOR_AHEAD="0", **more)
    found.setdefault("CLTENSOR_DEVICE", "portable")
    if found["CLTENSOR_DEVICE"] == "portable":
        found.setdefault("PYOPENCL_BUILD_OPTIONS", "-cl-opt-disable")
    found["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "ci"), *filter(None, [found.get("PYTHONPATH")])])
    return found


class Section:
    """Programs of one seed in one style, a batch a process, until their number or the time is up."""

    def __init__(self, seed, style, tally, report, mode=()):
        self.seed, self.style, self.tally, self.report, self.mode = seed, style, tally, report, tuple(mode)

    def run(self, first, count, until):
        """Run `count` programs from `first` on, or until time.monotonic() says `until`.  Returns the next number."""
        number, end = first, first + count
        while number < end and time.monotonic() < until:
            number = self._batch(number, min(BATCH, end - number), until)
        return number

    def _batch(self, first, count, until):
        """Run one process; its crash is a mismatch.  Returns the number to go on with."""
        known = "\n".join(self.tally.mismatches)
        settings = {"FUZZ_KNOWN": known}
        if "threads" in self.mode:
            settings["CLTENSOR_SYNC"] = "1"  # otherwise a read in one program raises the fault of another
        watched = Watched([str(self.seed), str(first), str(count), *self.mode], environment(self.style, **settings))
        at, text, ended = first, "", first
        for message in watched.messages(until):
            at, text = message.get("begin", at), message.get("program", text)
            if "mismatch" in message:
                self._wrong(message["mismatch"])
            if "end" in message:
                ended = at + (8 if "threads" in self.mode else 1)
                self.tally.programs += 1
                self.tally.statements += message["statements"]
                self.tally.comparisons += message["comparisons"]
        if watched.fate in ("done", "stopped"):
            return max(ended, first + count) if watched.fate == "done" else ended
        self._wrong({"seed": f"{self.seed}:{at}", "kind": watched.fate, "signature": f"{watched.fate} | {_last_line(text)[:80]}",
                     "message": watched.last_words, "snippet": f"import cltensor as ct\n{text}", "torch": ""})
        return at + (8 if "threads" in self.mode else 1)

    def _wrong(self, found):
        if self.tally.add(found):
            self.report(self.style, found)


class Watched:
    """A worker; it is killed after a long silence.  `fate` is "done", "stopped", "hang" or "crash (...)"."""

    def __init__(self, arguments, environment, patience=PATIENCE):
        self.patience, self.fate, self.last_words = patience, "done", ""
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - lives as long as the process
        self.process = subprocess.Popen([sys.executable, "-m", "fuzzing.worker", *arguments], env=environment, cwd=ROOT,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors)

    def messages(self, until=float("inf")):
        """Its lines as they come; sets `fate` when they end."""
        self.process.stdin.close()
        selector, buffer = selectors.DefaultSelector(), b""
        selector.register(self.process.stdout, selectors.EVENT_READ)
        while True:
            if not selector.select(self.patience):
                self._hung()
                break
            got = os.read(self.process.stdout.fileno(), 1 << 16)
            if not got:
                break
            *lines, buffer = (buffer + got).split(b"\n")
            yield from map(json.loads, lines)
            if time.monotonic() > until and any(b'"end"' in line for line in lines):
                self.fate = "stopped"
                break
        self._end()

    def _hung(self):
        """Ask for the stacks, then kill."""
        self.fate = "hang"
        self.process.send_signal(signal.SIGUSR1)
        time.sleep(1)

    def _end(self):
        if self.fate != "done":
            self.process.kill()
        status = self.process.wait()
        self.process.stdout.close()
        if self.fate == "done" and status:
            self.fate = f"crash ({signal.Signals(-status).name if status < 0 else f'status {status}'})"
        self.errors.seek(0)
        self.last_words = "\n".join(self.errors.read().splitlines()[-12:])
        self.errors.close()


def alone(program, style):
    """Run one program in a process of its own; return a mismatch, {"kind": "crash (...)" or "hang"}, or None."""
    with tempfile.TemporaryFile() as file:
        pickle.dump(program, file)
        file.seek(0)
        try:
            done = subprocess.run([sys.executable, "-m", "fuzzing.worker", "single"], env=environment(style), cwd=ROOT, stdin=file,
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=PATIENCE, check=False)
        except subprocess.TimeoutExpired:
            return {"kind": "hang"}
    if done.returncode:
        return {"kind": f"crash ({signal.Signals(-done.returncode).name if done.returncode < 0 else done.returncode})"}
    return json.loads(done.stdout)["mismatch"]


def script(text, style, seconds):
    """Run a script in a process of its own: (its last line of output, None), or (None, the error)."""
    try:
        done = subprocess.run([sys.executable, "-c", text], env=environment(style), cwd=ROOT, capture_output=True, text=True,
                              timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        return None, f"no end after {seconds:.0f} s"
    if done.returncode:
        return None, f"status {done.returncode}: " + "\n".join(done.stderr.splitlines()[-6:])
    return _last_line(done.stdout), None


def _last_line(text):
    return (text.strip().splitlines() or [""])[-1]
