"""Build networks: Module, Parameter, containers, layers, and their functions and initial values."""

from . import attention, common_types, functional, grad, init, modules, parallel, parameter, utils
from .factory import factory_kwargs
from .modules import *  # noqa: F403
from .parallel import DataParallel
from .parameter import Buffer, Parameter, UninitializedBuffer, UninitializedParameter

__all__ = ["Buffer", "DataParallel", "Parameter", "UninitializedBuffer", "UninitializedParameter", "attention", "common_types",  # noqa: PLE0604
           "factory_kwargs", "functional", "grad", "init", "modules", "parallel", "parameter", "utils", *modules.__all__]


def __dir__():
    return sorted(__all__)
