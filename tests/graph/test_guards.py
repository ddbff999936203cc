"""Guards: what a program of Python can change between calls, and what it draws at each call."""

import argparse
import collections
import dataclasses
import functools
import itertools
import os
import random
import types
import warnings

import numpy as np
import pytest

import cltensor as ct
from cltensor import nn
from cltensor.compiler import compile
from cltensor.utils.data import DataLoader, TensorDataset

pytestmark = [pytest.mark.device, pytest.mark.any_style]

SCALE = 2.0


def set_scale(v):
    global SCALE
    SCALE = v


class Thing:
    """Has all that a class may have."""

    rate, table = 2.0, {"a": 2.0}

    def method(self, x):
        return x * SCALE

    @property
    def scale(self):
        return SCALE

    @classmethod
    def of_class(cls):
        return cls.rate

    @staticmethod
    def of_none(x):
        return x * SCALE

    def __call__(self, x):
        return x * SCALE


class Derived(Thing):
    def method(self, x):
        return super().method(x) * 2


class Net(nn.Module):
    rate = 2.0

    def forward(self, x):
        return self.scaled(x) * self.rate

    def scaled(self, x):
        return x * SCALE


@dataclasses.dataclass(slots=True)
class Slots:
    rate: float = 2.0


def chain(depth):
    def f(x):
        return x * SCALE if not depth else inner(x)

    inner = chain(depth - 1) if depth else None
    return f


THING, DERIVED, NET, SLOTS, CHAIN, PARTIAL = Thing(), Derived(), Net(), Slots(), chain(9), functools.partial(chain(0))
SPACE, ARGS = types.SimpleNamespace(rate=2.0), argparse.Namespace(rate=2.0)
LONG, MANY, QUEUE, BYTES = [1.0] * 300, dict.fromkeys(range(300), 1.0), collections.deque([1.0]), bytearray([1])
ARRAY, DEEP = np.ones(4, np.float32), {"a": {"b": {"c": {"d": {"e": [1.0]}}}}}

#: a function, and what changes something that it sees
CHANGES = {
    "class": (lambda x: x * Thing.rate, lambda v: setattr(Thing, "rate", v)),
    "class by instance": (lambda x: x * THING.rate, lambda v: setattr(Thing, "rate", v)),
    "table of a class": (lambda x: x * THING.table["a"], lambda v: Thing.table.update(a=v)),
    "class of a module": (lambda x: NET(x), lambda v: setattr(Net, "rate", v)),
    "method of a module": (lambda x: NET(x), set_scale), "method": (lambda x: THING.method(x), set_scale),
    "super": (lambda x: DERIVED.method(x), set_scale), "property": (lambda x: x * THING.scale, set_scale),
    "classmethod": (lambda x: x * Thing.of_class(), lambda v: setattr(Thing, "rate", v)),
    "staticmethod": (lambda x: Thing.of_none(x), set_scale), "call": (lambda x: THING(x), set_scale),
    "chain": (lambda x: CHAIN(x), set_scale), "partial": (lambda x: PARTIAL(x), set_scale),
    "slots": (lambda x: x * SLOTS.rate, lambda v: setattr(SLOTS, "rate", v)),
    "namespace": (lambda x: x * SPACE.rate, lambda v: setattr(SPACE, "rate", v)),
    "arguments": (lambda x: x * ARGS.rate, lambda v: setattr(ARGS, "rate", v)),
    "long list": (lambda x: x * LONG[280], lambda v: LONG.__setitem__(280, v)),
    "large dict": (lambda x: x * MANY[280], lambda v: MANY.__setitem__(280, v)),
    "deque": (lambda x: x * QUEUE[0], lambda v: QUEUE.__setitem__(0, v)),
    "bytes": (lambda x: x * BYTES[0], lambda v: BYTES.__setitem__(0, int(v))),
    "array": (lambda x: x * ct.tensor(ARRAY), lambda v: ARRAY.__setitem__(0, v)),
    "element of an array": (lambda x: x * float(ARRAY[0]), lambda v: ARRAY.__setitem__(0, v)),
    "deep": (lambda x: x * DEEP["a"]["b"]["c"]["d"]["e"][0], lambda v: DEEP["a"]["b"]["c"]["d"]["e"].__setitem__(0, v)),
    "environment": (lambda x: x * float(os.environ.get("CLTENSOR_TEST_RATE", "1")),
                    lambda v: os.environ.__setitem__("CLTENSOR_TEST_RATE", str(v))),
}


def check(fn, change, *args):
    compiled, x = compile(lambda x, *args: fn(x, *args) + 1), ct.ones(4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of many captures
        for i in range(10):
            if i > 4:
                change(float(i // 2))
            np.testing.assert_array_equal(compiled(x, *args).numpy(), (fn(x, *args) + 1).numpy())


@pytest.mark.parametrize("name", CHANGES)
def test_what_a_function_sees_may_change(name):
    try:
        check(*CHANGES[name])
    finally:
        os.environ.pop("CLTENSOR_TEST_RATE", None)


@pytest.mark.parametrize("given", [SLOTS, ARGS, SPACE])
def test_objects_that_are_arguments_may_change(given):
    check(lambda x, given: x * given.rate, lambda v: setattr(given, "rate", v), given)


def test_an_array_that_is_an_argument_may_change():
    check(lambda x, given: x * ct.from_numpy(given), lambda v: ARRAY.__setitem__(1, v), ARRAY)


def counting(fn):
    """A function that calls another one with how often it was called, kept as its own attribute."""
    def f(x):
        f.calls = getattr(f, "calls", 0) + 1
        return fn(x, f.calls)

    return f


def of_iterator(make):
    """A function that draws from an iterator which make() gives."""
    def made():
        it = make()
        return lambda x: x * next(it) + 1

    return made


def seeded(seed, draw):
    def made():
        seed(0)
        return lambda x: x * draw() + 1

    return made


def of_generator(kind, name):
    def made():
        source = kind(0)
        return lambda x: x * float(getattr(source, name)()) + 1

    return made


def of_loader():
    batches = iter(DataLoader(TensorDataset(ct.arange(40).float()), batch_size=1))
    return lambda x: x * next(batches)[0]


@pytest.mark.parametrize("make", [
    of_iterator(itertools.count), of_iterator(lambda: iter([1.0, 2.0] * 9)), of_iterator(lambda: map(float, range(40))),
    of_iterator(lambda: (i / 2 for i in range(40))), of_loader, seeded(random.seed, random.random),
    seeded(np.random.seed, lambda: float(np.random.rand())), of_generator(random.Random, "random"),
    of_generator(np.random.default_rng, "random"), of_generator(np.random.RandomState, "rand"),
    lambda: counting(lambda x, n: x * n + 1)])
def test_what_is_drawn_at_each_call(make):
    x = ct.ones(2)
    fn = make()
    wanted = [fn(x).numpy() for _ in range(7)]
    compiled = compile(make())
    np.testing.assert_array_equal([compiled(x).numpy() for _ in range(7)], wanted)
