"""Lookup in the databases, when a plan is made; the first lookup for a device reads the files."""

from ..base import config

_found = {}  # (platform, name, driver): {Key: values} found by `cltensor tune`
_shipped = {}  # (platform, name, driver): the starter database's rules


def tuned(profile, key):
    """The values that `cltensor tune` found for a Key on the device with this profile, or None."""
    if not config.tuning():
        return None
    device = (profile.platform, profile.name, profile.driver)
    if device not in _found:
        from . import database  # imported here: json would slow down `import cltensor`

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
    """Read the databases again at the next plan; existing plans stay as they are."""
    _found.clear()
    _shipped.clear()
