"""cltensor.hub: weights and models from the network or from folders, with the names of torch.hub."""

from ..base.calls import named_all as _named_all
from .folder import get_dir, set_dir
from .repositories import help, list, load
from .weights import download_url_to_file, load_state_dict_from_url

__all__ = ["download_url_to_file", "get_dir", "help", "list", "load", "load_state_dict_from_url", "set_dir"]

_named_all(globals())


def __dir__():
    return sorted(__all__)
