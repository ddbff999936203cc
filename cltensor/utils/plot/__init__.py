"""Pictures of training, on Matplotlib, which the extra `see` installs.

Every function draws into `ax`, an Axes, or into a new figure of pyplot's, and returns the Axes;
`plot.curves(losses).figure.savefig(path)` writes a file.  Tensors may lie on any device; reading them waits for it.
"""

from .curves import curves
from .gradients import gradient_flow
from .matrices import attention, confusion_matrix
from .pictures import filters, images
from .points import embeddings

__all__ = ["attention", "confusion_matrix", "curves", "embeddings", "filters", "gradient_flow", "images"]


def __dir__():
    return sorted(__all__)
