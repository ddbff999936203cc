"""Build networks: Module, Parameter, containers, layers, and their functions and initial values."""

from . import functional, init, utils
from .modules import *  # noqa: F403
from .parameter import Buffer, Parameter, UninitializedBuffer, UninitializedParameter
