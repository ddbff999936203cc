"""The whole command: its parser; every error becomes one line on stderr and an exit status."""

import os
import sys
import traceback

from ..base import config
from ..base.errors import BuildError
from ..version import __version__
from . import bench, cache, doctor, kernels, onnx, profile, stubs, tune
from .parser import Parser, UsageError, width

FAILED, MISUSED, INTERRUPTED, CLOSED_PIPE = 1, 2, 130, 141

ABOUT = "cltensor: PyTorch's programming model on any OpenCL device.  Look at this machine, its devices and kernels."
ENDING = ("exit status: 0 all is well, 1 something failed, 2 the command was not understood.  CLTENSOR_DEBUG=1 shows "
          "the traceback of an error.")


def main(arguments=None):
    """Run the command with these arguments (by default the process's own).  Returns the exit status."""
    try:
        options = parser().parse_args(arguments)
        status = options.run(options)
        sys.stdout.flush()
        return status
    except SystemExit as e:  # from argparse, after --help, --version and misuse
        return e.code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _forget_stdout()
        return CLOSED_PIPE
    except UsageError as e:
        return _complain(str(e), MISUSED)
    except Exception as e:
        if config.debug():
            traceback.print_exc()
            return FAILED
        return _complain(in_one_line(e), FAILED)


def parser():
    """The parser of the whole command line."""
    made = Parser("cltensor", description=ABOUT, epilog=ENDING, formatter_class=width)
    made.add_argument("--version", action="version", version=f"cltensor {__version__}")
    commands = made.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=Parser)
    for module in (doctor, kernels, bench, profile, tune, cache, onnx, stubs):
        module.add_to(commands)
    return made


def in_one_line(error):
    """An exception as one line: its message without the compiler's log; for foreign exceptions also the type."""
    if isinstance(error, BuildError):
        return f"{str(error).splitlines()[0].rstrip(':')} (CLTENSOR_DEBUG=1 shows the compiler's log)"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    text = " ".join(str(error).split())
    if type(error).__module__.startswith("cltensor."):
        return text
    return f"{type(error).__name__}: {text} (CLTENSOR_DEBUG=1 shows where)"


def _complain(text, status):
    print(f"cltensor: {text}", file=sys.stderr)
    return status


def _forget_stdout():
    """Keep the interpreter from flushing to the closed pipe at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
