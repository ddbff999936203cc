"""Markup: pages read strictly."""

import html.parser


class Strict(html.parser.HTMLParser):
    """Raises where an element is not closed, or something else is; collects the facts and the addresses.

    empty: elements without an end besides HTML's own.
    """

    EMPTY = ("meta", "link", "input", "br")

    def __init__(self, empty=()):
        super().__init__()
        self.empty = (*self.EMPTY, *empty)
        self.open, self.facts, self.addresses = [], "", []

    def handle_starttag(self, tag, attrs):
        self.addresses += [v for n, v in attrs if n in ("src", "href")]
        if tag not in self.empty:
            self.open.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        if self.open and self.open[-1][1].get("id") == "facts":
            self.facts += data
