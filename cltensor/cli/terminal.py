"""Where the command's text goes: how wide the terminal is, and streams that were closed before it started."""

import contextlib
import os
import shutil
import sys

WIDTH, NARROWEST = 80, 20


def columns():
    """The columns to write in: those of the terminal, or of COLUMNS, but from 20 to 80."""
    return max(NARROWEST, min(WIDTH, shutil.get_terminal_size().columns))


def room():
    """The columns that a table may take: all of the terminal, or of COLUMNS; without either, as in a file, what it needs."""
    found = shutil.get_terminal_size((0, 0)).columns
    return max(NARROWEST, found) if found else sys.maxsize


@contextlib.contextmanager
def open_streams():
    """Let what is printed to a closed stream vanish, and a character that a stream cannot hold be written as an escape.

    Standard output and errors that were closed, as by `>&-`, are None in Python, and files opened later would take their numbers.
    """
    with contextlib.ExitStack() as stack:
        for stream in (sys.stdout, sys.stderr):
            if getattr(stream, "errors", None) == "strict" and hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="backslashreplace")
                stack.callback(stream.reconfigure, errors="strict")
        for stream, redirected in ((sys.stdout, contextlib.redirect_stdout), (sys.stderr, contextlib.redirect_stderr)):
            if stream is None:
                stack.enter_context(redirected(stack.enter_context(open(os.devnull, "w", encoding="utf-8"))))
        yield
