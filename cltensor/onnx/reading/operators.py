"""The table of ONNX operators: which function computes which operator, from which version of its operator set on.

    @operator("Softmax", since=13)
    def softmax(x, *, axis=-1): ...

A function's parameters are the operator's inputs; those after `*` are its attributes, with the operator's defaults.  An input
that is left out is None.  An attribute that is a graph comes as a function of its inputs.  `n_outputs`, where it is asked for,
is how many outputs the node names.
"""

import inspect
from collections import defaultdict

#: the newest version of the default operator set whose changes were read when these rules were written
NEWEST = 28
ALIASES = {"ai.onnx": ""}

_device, _host = defaultdict(list), defaultdict(list)


class Rule:
    """One row: a function for an operator from version `since` on.

    host: names of inputs that it takes as NumPy arrays; either: those that it takes as they are; buffers: those that it does not
    train; narrow: whether it takes values of types that devices do not have as they are (True), or gives results of the first
    input's type ("same").
    """

    def __init__(self, function, name, since, domain, host, either, buffers, narrow):
        self.function, self.name, self.since, self.domain = function, name, since, domain
        self.narrow = narrow
        parameters = inspect.signature(function).parameters.values()
        self.inputs = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
        self.required = sum(p.kind is p.POSITIONAL_OR_KEYWORD and p.default is p.empty for p in parameters)
        self.variadic = any(p.kind is p.VAR_POSITIONAL for p in parameters)
        keywords = [p for p in parameters if p.kind is p.KEYWORD_ONLY]
        self.counts_outputs = any(p.name == "n_outputs" for p in keywords)
        self.attributes = {p.name: p.default is p.empty for p in keywords if p.name != "n_outputs"}
        self.host, self.either, self.buffers = (_names(given) for given in (host, either, buffers))

    def place(self, position):
        """How the input at a position is handed over: "host", "either" or "device"."""
        name = self.inputs[position] if position < len(self.inputs) else "*"
        return "host" if name in self.host else "either" if name in self.either else "device"

    def is_buffer(self, position):
        """Whether the input at a position is not trained."""
        return position < len(self.inputs) and self.inputs[position] in self.buffers


def operator(*names, since=1, domain="", host="", either="", buffers="", narrow=False):
    """Register a function for these operators from a version on.  host, either, buffers: names of inputs, see Rule."""
    return _register(_device, names, since, domain, host, either, buffers, narrow)


def on_host(*names, since=1, domain=""):
    """Register a function of NumPy arrays for nodes all of whose inputs are on the host; it may give NotImplemented."""
    return _register(_host, names, since, domain, "", "", "", False)


def rule(domain, name, version):
    """The Rule of an operator in a version of its operator set, or None."""
    return _find(_device, domain, name, version)


def host_rule(domain, name, version):
    """The Rule of an operator for arrays on the host, or None."""
    return _find(_host, domain, name, version)


def known():
    """{(domain, operator): versions from which on its rules hold}."""
    return {key: sorted(row.since for row in rows) for key, rows in _device.items()}


def _register(table, names, since, domain, host, either, buffers, narrow):
    def register(function):
        for name in names:
            table[domain, name].append(Rule(function, name, since, domain, host, either, buffers, narrow))
        return function

    return register


def _find(table, domain, name, version):
    rows = [row for row in table.get((ALIASES.get(domain, domain), name), ()) if row.since <= version]
    return max(rows, key=lambda row: row.since, default=None)


def _names(text):
    return frozenset(text.split())
