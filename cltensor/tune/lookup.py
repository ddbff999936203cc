"""What the databases know: looked up when a plan is made, read from disk at the first plan that asks."""

from ..base import config

_known = {}  # (platform, name, driver) -> {Key: values}


def tuned(profile, key):
    """The values stored for a Key on the device with this profile, or None."""
    if not config.tuning():
        return None
    device = (profile.platform, profile.name, profile.driver)
    found = _known.get(device)
    if found is None:
        found = _known[device] = _read(profile)
    return found.get(key)


def forget():
    """Read the databases anew at the next plan; plans that were made stay as they are."""
    _known.clear()


def _read(profile):
    from . import database, starter  # here, since json would be part of what `import cltensor` costs

    own = database.load(database.path_of(database.Device.of(profile)))
    return {**starter.results(profile), **own.values()}
