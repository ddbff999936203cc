"""The names that users import from the public modules of cltensor; checks of docstrings and of annotations walk them."""

import importlib
import inspect

#: the modules that users import names from, without the package's own name; "" is the package
MODULES = (
    *"amp amp.autocast_mode amp.grad_scaler array_api array_api.fft array_api.linalg autograd autograd.forward_ad".split(),
    *"autograd.function autograd.functional autograd.grad_mode autograd.gradcheck autograd.graph autograd.profiler".split(),
    *"autograd.variable compiler distributions distributions.constraint_registry distributions.constraints".split(),
    *"distributions.kl distributions.transforms distributions.utils export fft func graph hub io linalg".split(),
    *"multiprocessing nn nn.attention nn.attention.bias nn.common_types nn.functional nn.grad nn.init nn.modules".split(),
    *"nn.modules.activation nn.modules.adaptive nn.modules.batchnorm nn.modules.channelshuffle nn.modules.container".split(),
    *"nn.modules.conv nn.modules.distance nn.modules.dropout nn.modules.flatten nn.modules.fold".split(),
    *"nn.modules.instancenorm nn.modules.lazy nn.modules.linear nn.modules.loss nn.modules.module".split(),
    *"nn.modules.normalization nn.modules.padding nn.modules.pixelshuffle nn.modules.pooling nn.modules.rnn".split(),
    *"nn.modules.sparse nn.modules.transformer nn.modules.upsampling nn.parallel nn.parameter nn.utils".split(),
    *"nn.utils.clip_grad nn.utils.convert_parameters nn.utils.fusion nn.utils.init nn.utils.memory_format".split(),
    *"nn.utils.parametrizations nn.utils.parametrize nn.utils.prune nn.utils.rnn nn.utils.stateless onnx opencl".split(),
    *"optim optim.adadelta optim.adagrad optim.adam optim.adamax optim.asgd optim.lbfgs optim.lr_scheduler".split(),
    *"optim.nadam optim.optimizer optim.radam optim.rmsprop optim.rprop optim.sgd optim.sparse_adam optim.swa_utils".split(),
    *"overrides profiler quantize random return_types serialization signal signal.windows sparse special testing".split(),
    *"train utils utils.benchmark utils.checkpoint utils.data utils.data.dataloader utils.data.dataset".split(),
    *"utils.data.distributed utils.data.sampler utils.dlpack utils.plot utils.tensorboard vision vision.datasets".split(),
    *"vision.datasets.utils vision.io vision.models vision.models.detection vision.models.segmentation vision.ops".split(),
    *"vision.transforms vision.transforms.functional vision.transforms.v2 vision.transforms.v2.functional".split(),
    *"vision.tv_tensors vision.utils".split(),
    "",
)


def module(name):
    """A public module by its name without the package's own; "" is the package."""
    return importlib.import_module(f"cltensor.{name}".rstrip("."))


def members(name):
    """{name: value} of the public functions, ops and classes of a module, without errors."""
    found = module(name)
    values = {n: getattr(found, n) for n in getattr(found, "__all__", None) or dir(found) if not n.startswith("_")}
    return {n: v for n, v in values.items() if callable(v) and not inspect.ismodule(v) and not _is_error(v)}


def functions(name):
    """{name: function} of the functions of a module, and of the methods that its classes define."""
    found = {}
    for public, value in members(name).items():
        if inspect.isfunction(value):
            found[public] = value
        elif isinstance(value, type) and value.__module__.startswith("cltensor."):
            found |= {f"{public}.{method}": fn for method, fn in vars(value).items()
                      if inspect.isfunction(fn) and (method == "__init__" or not method.startswith("_"))}
    return found


def _is_error(value):
    return isinstance(value, type) and issubclass(value, BaseException)
