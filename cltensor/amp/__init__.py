"""Mixed precision, with the names and meaning of torch.amp: autocast, GradScaler, custom_fwd and custom_bwd."""

from .autocast_mode import autocast, is_autocast_available
from .custom_function import custom_bwd, custom_fwd
from .grad_scaler import GradScaler

__all__ = ["GradScaler", "autocast", "custom_bwd", "custom_fwd", "is_autocast_available"]


def __dir__():
    return sorted(__all__)
