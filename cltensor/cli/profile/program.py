"""A program to run in this process, as Python would run it."""

import builtins
import importlib.util
import io
import os
import runpy
import sys
import traceback
import types

INTERRUPTED = 130


class Program:
    """A file, or a module by name, with its arguments."""

    def __init__(self, name, arguments, is_module=False):
        self.name, self.arguments, self.is_module = name, arguments, is_module

    def exists(self):
        """Whether there is such a file or module."""
        if not self.is_module:
            return os.path.isfile(self.name)
        sys.path.insert(0, os.getcwd())
        try:
            return importlib.util.find_spec(self.name) is not None
        except ModuleNotFoundError:
            return False
        finally:
            sys.path.pop(0)

    def run(self):
        """Run it as the main program.  Returns its exit status; an error is printed as Python prints it."""
        before = sys.argv, sys.path[:], sys.modules.get("__main__")
        sys.argv = [self.name, *self.arguments]
        sys.path.insert(0, os.getcwd() if self.is_module else os.path.dirname(os.path.abspath(self.name)))
        try:
            self._run()
            return 0
        except SystemExit as e:
            return self._status(e.code)
        except KeyboardInterrupt:
            self._print()
            return INTERRUPTED
        except BaseException:
            self._print()
            return 1
        finally:
            sys.argv, sys.path[:] = before[0], before[1]
            if before[2] is not None:
                sys.modules["__main__"] = before[2]

    def _run(self):
        if self.is_module:
            runpy.run_module(self.name, run_name="__main__", alter_sys=True)
            return
        main = types.ModuleType("__main__")  # what multiprocessing looks at, to import the program in another process
        main.__file__, main.__builtins__ = self.name, builtins
        sys.modules["__main__"] = main
        with io.open_code(self.name) as file:
            code = compile(file.read(), self.name, "exec")
        exec(code, main.__dict__)

    @staticmethod
    def _status(code):
        """The exit status that SystemExit means."""
        if code is None:
            return 0
        if isinstance(code, int):
            return code
        print(code, file=sys.stderr)
        return 1

    @staticmethod
    def _print():
        """Print the error, without the frames that are not the program's."""
        kind, error, trace = sys.exc_info()
        own = os.path.dirname(os.path.abspath(__file__)) + os.sep
        while trace is not None and (trace.tb_frame.f_code.co_filename.startswith(own)
                                     or trace.tb_frame.f_code.co_filename in (runpy.__file__, "<frozen runpy>")):
            trace = trace.tb_next
        sys.stdout.flush()
        traceback.print_exception(kind, error, trace)
