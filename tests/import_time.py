"""For test files that make tensors or layers as they are read: without a device they are skipped whole."""

import pytest

from cltensor.base.errors import DeviceError
from cltensor.runtime.device import default_device


def needs_device():
    """Skip the calling file if there is no device."""
    try:
        default_device()
    except DeviceError as error:
        pytest.skip(str(error).partition("\n")[0], allow_module_level=True)
