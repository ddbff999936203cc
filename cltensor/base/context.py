"""The execution context: what a call depends on besides its arguments.  Each thread has its own."""

import threading


class Context(threading.local):
    """The settings that ops read, with the values a thread starts with.

    grad        whether ops record their gradient
    inference   whether results can never enter a graph
    anomaly     whether forward lines are remembered for errors: False, "trace", or "nan" to look for NaN as well
    made        the nodes of a stretch that is to be recomputed, while one runs
    device      the device that tensors are made on when none is named, where the thread has chosen one; or None
    streams     {device: the Stream that work on it goes to}, for devices where that is not the default stream
    levels      the vmaps that run, the outermost first
    transform   what ops do instead while a vmap runs (func/batching.py); None outside
    recorder    an object whose `op(op, inputs, attrs, outputs)` is told of every op run, and `read(tensor)` of every read; or None
    trial       (Key, values) of tunable constants that are tried out, or None
    questions   a list that every Space adds to what it was asked, or None
    """

    device = None
    grad = True
    inference = False
    anomaly = False
    made = None
    transform = None
    recorder = None
    trial = None
    questions = None

    def __init__(self):
        self.streams, self.levels = {}, []


context = Context()


class Observers:
    """Functions that are told of what happens in any thread.

    recorded    functions of a Node, told of each recorded while the process is compiling programs
    """

    def __init__(self):
        self.recorded = []


observers = Observers()
