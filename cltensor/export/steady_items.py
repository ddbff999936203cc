"""Steady items: launches whose results depend on what lasts alone, which a plan runs once."""

from .items import Chosen, Launched
from .target import Place

MOST = 1 << 28  # bytes of what is kept from call to call


def lasting(items, known):
    """(items to run once, the rest): launches that read known places alone, and write to places that no other item does.

    known: a set of places whose contents stay from call to call; what is made of them is added.
    """
    writers, room = {}, MOST
    for place in (p for item in items for p in set(written(item))):
        writers[place] = writers.get(place, 0) + 1
    once, rest = [], []
    for item in items:
        own = isinstance(item, Launched) and not item.changes() and set(item.writes)
        if own and all(p in known or p in own for p in item.reads) and all(
                isinstance(p, Place) and p.data is None and writers[p] == 1 for p in own) and sum(p.nbytes for p in own) <= room:
            once.append(item)
            known |= own
            room -= sum(p.nbytes for p in own)
        else:
            rest.append(item)
    return once, rest


def written(item):
    """The places that an item writes."""
    if isinstance(item, Chosen):
        for inner in (i for part in item.parts for i in part):
            yield from written(inner)
    elif isinstance(item, Launched):
        yield from item.writes
