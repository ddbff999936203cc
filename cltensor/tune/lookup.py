"""What the databases know: looked up when a plan is made, read from disk at the first plan that asks."""

from ..base import config

_found = {}  # (platform, name, driver): {Key: values} of `cltensor tune`
_shipped = {}  # the same: the starter database's rules for the device


def tuned(profile, key):
    """The values that `cltensor tune` found for a Key on the device with this profile, or None."""
    if not config.tuning():
        return None
    device = (profile.platform, profile.name, profile.driver)
    if device not in _found:
        from . import database  # here, since json would be part of what `import cltensor` costs

        _found[device] = database.load(database.path_of(database.Device(*device))).values()
    return _found[device].get(key)


def shipped(profile, key):
    """The values of the starter database for a Key on the device with this profile, or None."""
    if not config.tuning():
        return None
    device = (profile.platform, profile.name, profile.driver)
    if device not in _shipped:
        from . import starter

        _shipped[device] = starter.rules(profile)
    for rule in _shipped[device]:
        if rule.matches(key):
            return rule.values
    return None


def forget():
    """Read the databases anew at the next plan; plans that were made stay as they are."""
    _found.clear()
    _shipped.clear()
