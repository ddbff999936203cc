"""Placement: the device to which each storage of a file goes, by map_location or device."""

from collections.abc import Mapping

from ..base import calls
from ..base.errors import ArgumentTypeError
from ..dispatch.storage import Storage
from ..tensor.api.typed_storage import TypedStorage
from ..tensor.core.values import pick_device


class Placement:
    """Puts bytes on the device that the caller wants.

    wanted: None (the default device), a device, {location in the file: device}, or a function of (storage, location) that returns
    a storage, or None to leave it where it is.
    """

    def __init__(self, wanted):
        self.mapping = {str(k): v for k, v in wanted.items()} if isinstance(wanted, Mapping) else {}
        self.function = wanted if callable(wanted) and not isinstance(wanted, type) else None
        self.default = pick_device(None if isinstance(wanted, Mapping) or self.function else wanted)

    def device(self, location):
        """The device for what was saved on this one, "cpu" or "cuda:0"."""
        return pick_device(self.mapping[location]) if location in self.mapping else self.default

    def store(self, array, location="cpu"):
        """A Storage of an array's bytes."""
        storage = Storage(self.device(location), array.nbytes)
        if array.nbytes:
            storage.device.write(storage.buffer, 0, array)
        return storage if self.function is None else self._called(storage, location)

    def _called(self, storage, location):
        found = self.function(storage, location)
        if found is None:
            return storage
        if not isinstance(found, (Storage, TypedStorage)) or found.nbytes() != storage.nbytes():
            raise ArgumentTypeError(f"load: map_location returned {calls.kind(found)}, it must return a storage of as many bytes "
                                    "as it was given, or None")
        return found.untyped()
