"""Interruption: Ctrl-C during a training waits for the end of the step, so that no step is left half done."""

import signal
import sys
import threading


class Interruption:
    """Inside, the first Ctrl-C sets `asked`, the second one interrupts at once.

    Only in the main thread, and where nobody else has taken SIGINT over.
    """

    def __init__(self):
        self.asked = False
        self._ours = threading.current_thread() is threading.main_thread()

    def __enter__(self):
        self._ours = self._ours and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        if self._ours:
            signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, *exc):
        if self._ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def _note(self, number, frame):
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        print("\ninterrupted: this step is finished first; once more interrupts at once", file=sys.stderr, flush=True)
