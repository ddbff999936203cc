"""Public modules show what they are for: __all__ names it, dir() shows nothing else, and all of it is there."""

import importlib
import inspect
import pkgutil
import types

import pytest

import cltensor
from public_names import MODULES

#: parts of the package that users do not import from
PRIVATE = ("base", "cli", "codegen", "control_flow", "dispatch", "ops", "runtime", "selftest", "tensor", "tune")


def found(name):
    return importlib.import_module(f"cltensor.{name}".rstrip("."))


@pytest.mark.parametrize("name", MODULES)
def test_dir_shows_what_all_names(name):
    module = found(name)
    assert len(module.__all__) == len(set(module.__all__))
    assert sorted(module.__all__) == dir(module)
    assert not [public for public in module.__all__ if public.startswith("_")]
    assert not [public for public in module.__all__ if not hasattr(module, public)]


@pytest.mark.parametrize("name", MODULES)
def test_no_module_of_others_is_shown(name):
    module = found(name)
    inside = {public: value for public in module.__all__ if isinstance(value := getattr(module, public), types.ModuleType)}
    others = {value.__name__ for value in inside.values()} - {f"cltensor.{each}" for each in MODULES}
    assert others <= ({"multiprocessing.reduction"} if name == "multiprocessing" else set())  # it has Python's names too


@pytest.mark.parametrize("name", MODULES)
def test_nothing_of_others_is_shown(name):
    module = found(name)
    foreign = [public for public in module.__all__ if inspect.isroutine(value := getattr(module, public)) or isinstance(value, type)
               if (getattr(value, "__module__", None) or "cltensor").partition(".")[0] != "cltensor"]
    if name == "multiprocessing":  # it has Python's names too
        foreign = [public for public in foreign if public not in importlib.import_module("multiprocessing").__all__]
    assert not foreign


def test_the_list_of_public_modules_has_all():
    packages = {m.name for m in pkgutil.iter_modules(cltensor.__path__) if not m.name.startswith("_")}
    assert packages - set(MODULES) == {*PRIVATE, "version"}


def test_public_names_that_are_not_public_elsewhere():
    assert "np" not in dir(cltensor.nn.init)
    assert not {"base", "ops", "runtime", "dispatch", "importlib"} & set(dir(cltensor))
    assert {"nn", "optim", "tensor", "float32", "pi", "Tensor", "load", "compile", "Event"} <= set(dir(cltensor))
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        cltensor.nothing  # noqa: B018
