"""cltensor.signal: window functions, with torch.signal's names."""

from . import windows
