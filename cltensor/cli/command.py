"""The whole command: its parser; every error becomes one line on stderr and an exit status."""

import contextlib
import os
import sys
import traceback

from ..base import config
from ..version import __version__
from . import bench, cache, doctor, export, kernels, onnx, profile, stubs, tune
from .error_text import in_one_line
from .output import as_json
from .parser import Parser, UsageError
from .terminal import open_streams

FAILED, MISUSED, INTERRUPTED, CLOSED_PIPE = 1, 2, 130, 141

ABOUT = "cltensor: PyTorch's programming model on any OpenCL device.  Look at this machine, its devices and kernels."
ENDING = ("exit status: 0 all is well, 1 something failed, 2 the command was not understood.  CLTENSOR_DEBUG=1 shows "
          "the traceback of an error.")


def main(arguments=None):
    """Run the command with these arguments (by default the process's own).  Returns the exit status."""
    with open_streams():
        status = _run(arguments)
        try:
            sys.stdout.flush()
        except OSError:  # told already; the interpreter would try again at its end, and tell once more
            _forget_stdout()
        return status


def _run(arguments):
    options = None
    try:
        options = parser().parse_args(arguments)
        status = options.run(options)
        sys.stdout.flush()
        return status
    except SystemExit as e:  # from argparse, after --help and --version
        return _ended(e.code)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _forget_stdout()
        return CLOSED_PIPE
    except UsageError as e:
        return _complain(str(e), MISUSED, e.as_json or _is_for_json(options), e.prog)
    except Exception as e:
        if config.debug():
            traceback.print_exc()
        return _complain(in_one_line(e), FAILED, _is_for_json(options), quiet=config.debug())


def _ended(status):
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _forget_stdout()
        return CLOSED_PIPE
    except OSError as e:
        return _complain(in_one_line(e), FAILED)
    return status


def parser():
    """The parser of the whole command line."""
    made = Parser("cltensor", description=ABOUT, epilog=ENDING)
    made.add_argument("--version", action="version", version=f"cltensor {__version__}")
    commands = made.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=Parser)
    for module in (doctor, kernels, bench, profile, tune, cache, export, onnx, stubs):
        module.add_to(commands)
    for inner in made.descendants():
        inner.root = made
    return made


def _is_for_json(options):
    """Whether a command was to print JSON and nothing else."""
    return getattr(options, "json", None) in (True, "-")


def _complain(text, status, for_json=False, prog="cltensor", quiet=False):
    """Print an error on stderr and, where JSON was asked for, as a document of its own on stdout.  Returns the status."""
    if not quiet:
        print(f"{prog}: {text}", file=sys.stderr)
    try:
        if for_json:
            print(as_json({"error": text}), flush=True)
    except OSError:
        _forget_stdout()
    return status


def _forget_stdout():
    """Keep the interpreter from flushing to a closed pipe or a full disk at exit."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
