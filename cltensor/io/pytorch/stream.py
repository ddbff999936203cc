"""Stream: the bytes of a Source one after the other."""

from ...base.errors import SerializationError

_PIECE = 1 << 16


class Stream:
    """A position in a Source.  Raises SerializationError where it ends too early."""

    def __init__(self, source, at=0):
        self.source, self.at = source, at  # at: of the end of what is in `piece`
        self.piece, self.used = b"", 0

    @property
    def position(self):
        """Where the next byte is in the Source."""
        return self.at - len(self.piece) + self.used

    @property
    def left(self):
        """How many bytes follow."""
        return self.source.size - self.position

    def take(self, n):
        """The next n bytes."""
        end = self.used + n
        if end > len(self.piece):
            self._more(n)
            end = n
        found = self.piece[self.used : end]
        self.used = end
        return found

    def _more(self, n):
        """Have at least n bytes in `piece`, from its start on."""
        if n > self.left:
            raise SerializationError(f"the pickle in it ends too early: {n} bytes are wanted at {self.position}, {self.left} are "
                                     "left; it is truncated or damaged: copy or download it again")
        rest = self.piece[self.used :]
        wanted = max(n - len(rest), min(_PIECE, self.source.size - self.at))
        self.piece, self.used = rest + self.source.read(self.at, wanted).tobytes(), 0
        self.at += wanted

    def line(self, most=1 << 20):
        """The bytes up to the next line feed, without it."""
        while (end := self.piece.find(b"\n", self.used)) < 0:
            have = len(self.piece) - self.used
            if have > most or have >= self.left:
                raise SerializationError(f"a line in the pickle at {self.position} does not end")
            self._more(min(have + _PIECE, self.left))
        return self.take(end + 1 - self.used)[:-1]
