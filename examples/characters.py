"""The text that the language models read: the help topics of Python, character by character.

It is `pydoc_data.topics`, what `help("for")` prints: the language reference, about 460 000 characters, part of CPython under the
licence of the Python Software Foundation.
"""

from pydoc_data.topics import topics

import numpy as np


class Text:
    """Text as numbers: letters, the characters that occur; training and test, arrays of their places among the letters.

    The last tenth of the topics is the test.
    """

    def __init__(self, text=None):
        text = text or "\n\n".join(topic.strip() for topic in topics.values())
        self.letters = sorted(set(text))
        self.places = {letter: place for place, letter in enumerate(self.letters)}
        self.training, self.test = np.split(self.encode(text), [len(text) * 9 // 10])

    def encode(self, text):
        """The places of the characters of a text, int64 (N,)."""
        return np.array([self.places[letter] for letter in text])

    def decode(self, places):
        """The text whose characters have these places."""
        return "".join(self.letters[place] for place in places)

    def bigram_bits(self):
        """Bits a character of the test, told by how often pairs of letters occur in the training text (each once more)."""
        pairs = np.ones((len(self.letters),) * 2)
        np.add.at(pairs, (self.training[:-1], self.training[1:]), 1)
        chances = pairs / pairs.sum(1, keepdims=True)
        return -np.log2(chances[self.test[:-1], self.test[1:]]).mean()


def draw(axes, heading, text, width, lines):
    """Write the beginning of a text into axes, in letters of one width."""
    rows = [line[start:start + width] for line in text.split("\n") for start in range(0, max(len(line), 1), width)]
    axes.set_title(heading, fontsize=10)
    axes.text(0, 1, "\n".join(rows[:lines]), family="monospace", fontsize=7, va="top", transform=axes.transAxes, parse_math=False)
    axes.axis("off")
