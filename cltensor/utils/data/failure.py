"""Failure: an exception on its way from a worker to the main program."""

import sys
import traceback


class Failure:
    """An exception's class and its traceback as text; `where` says who raised it."""

    def __init__(self, error, where):
        importable = getattr(sys.modules.get(type(error).__module__), type(error).__qualname__, None) is type(error)
        # StopIteration would end the main program's loop over batches
        self.kind = type(error) if importable and not isinstance(error, StopIteration) else RuntimeError
        self.text = f"Caught {type(error).__name__} in {where}.\nOriginal {''.join(traceback.format_exception(error))}"

    def reraise(self):
        """Raise the same class with the original traceback in its message; RuntimeError if it takes no message."""
        text = _Shown(self.text) if issubclass(self.kind, KeyError) else self.text
        try:
            error = self.kind(text)
        except Exception:
            error = RuntimeError(self.text)
        raise error from None


class _Shown(str):
    """Text whose repr is itself: KeyError prints the repr of its argument."""

    __slots__ = ()

    def __repr__(self):
        return str(self)
