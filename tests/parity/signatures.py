"""The parameters of PyTorch's functions, from inspect, its stubs or its docstrings, held against ours."""

import ast
import functools
import inspect
import keyword
import re
from pathlib import Path

import torch

POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
PLAIN = (bool, int, float, str, tuple, type(None))
UNKNOWN = inspect  # a default that is no plain value: it is not compared

#: files beside torch, and the class in them whose functions are meant, of what is written in C++
STUBS = {"": ("_C/_VariableFunctions.pyi", None), "Tensor": ("_C/__init__.pyi", "TensorBase"), "nn": ("_C/_nn.pyi", None)}


def overloads(owner, name, value, place=None):
    """The lists of parameters, by name, that one of PyTorch's functions or classes may be called with; None if nothing tells.

    place: the key in STUBS of where its overloads are.
    """
    if getattr(owner, f"{name}_with_indices", None) is not None:
        value = getattr(owner, f"{name}_with_indices")  # what chooses between two functions takes *args
    try:
        found = dict(inspect.signature(value).parameters)
    except (ValueError, TypeError):
        found = None
    if found is not None and {p.kind for p in found.values()} != set(VARIADIC):
        return [found]
    stubbed = _stubs(place).get(name) if place is not None else None
    if stubbed:
        return stubbed
    told = documented(name, value.__doc__ or "")
    return [told] if told else None if found is None else [found]


@functools.cache
def _stubs(place):
    """{name: overloads} of a stub; those that take a number as the tensor, which is then called self, are left out."""
    file, cls = STUBS[place]
    body = ast.parse((Path(torch.__file__).parent / file).read_text(encoding="utf-8")).body
    body = body if cls is None else next(n for n in body if isinstance(n, ast.ClassDef) and n.name == cls).body
    found = {}
    for node in body:
        if isinstance(node, ast.FunctionDef):
            found.setdefault(node.name, []).append(_parameters(node.args, method=cls is not None))
    return {name: [each for each in several if "self" not in each] for name, several in found.items()}


def _parameters(arguments, method):
    names = [*arguments.posonlyargs, *arguments.args]
    defaults = [*[None] * (len(names) - len(arguments.defaults)), *arguments.defaults]
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    made = [_parameter(n, kind, d) for n, d in zip(names, defaults, strict=True)][method:]
    made += [inspect.Parameter(arguments.vararg.arg, inspect.Parameter.VAR_POSITIONAL)] if arguments.vararg else []
    made += [_parameter(n, inspect.Parameter.KEYWORD_ONLY, d)
             for n, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)]
    return {p.name: p for p in made}


def _parameter(name, kind, default):
    value = inspect.Parameter.empty if default is None else _value(ast.unparse(default))
    return inspect.Parameter(name.arg, kind, default=value)


def documented(name, text):
    """The parameters that the first line of a docstring gives, as in `conv1d(input, weight, bias=None) -> Tensor`."""
    found = re.match(rf"\s*(?:[\w.]+\.)?{re.escape(name)}\(", text)
    if not found:
        return None
    line = text[found.end():].split("\n", 1)[0].split(" -> ")[0].rsplit(")", 1)[0]
    names, kind = {}, inspect.Parameter.POSITIONAL_OR_KEYWORD
    for part in re.split(r",\s*(?![^()\[\]]*[)\]])", line):
        word, given, default = part.strip().partition("=")
        word = word.split(":")[0].strip()
        if word == "*":
            kind = inspect.Parameter.KEYWORD_ONLY
        elif word.isidentifier() and not keyword.iskeyword(word):
            names[word] = inspect.Parameter(word, kind, default=_value(default) if given else inspect.Parameter.empty)
    return names


def _value(text):
    names = {"__builtins__": {}, "torch": torch, "None": None, "True": True, "False": False}
    try:
        return UNKNOWN if text == "..." else eval(text, names)
    except Exception:
        return UNKNOWN


def gaps(full, theirs, ours, method=False):
    """{"full(parameter)": what is wrong} of one function or class, given PyTorch's overloads and our callable."""
    try:
        parameters = dict(inspect.signature(ours).parameters)
    except ValueError:
        return {}
    if method and next(iter(parameters.values())).kind is not inspect.Parameter.VAR_POSITIONAL:
        parameters.pop(next(iter(parameters)))
    further = getattr(ours, "further_names", {})
    found = {}
    for each in theirs:
        found |= _lacking(full, each, parameters, further, alone=len(theirs) == 1)
    return found | _added(full, theirs, parameters, further)


def _lacking(full, theirs, ours, further, alone):
    """What is wrong with our parameters for one of PyTorch's overloads; of several only the names are compared."""
    found, order = {}, [p.name for p in ours.values() if p.kind in POSITIONAL]
    taken = {p.kind for p in ours.values()}
    positional = [p.name for p in theirs.values() if p.kind in POSITIONAL]
    for p in theirs.values():
        at = f"{full}({p.name})"
        if p.name.startswith("_") or p.kind in VARIADIC:
            continue
        name = p.name if p.name in ours else further.get(p.name)
        if name not in ours:
            if inspect.Parameter.VAR_KEYWORD not in taken:
                found[at] = "is not accepted"
        elif not alone:
            continue
        elif p.name in positional and inspect.Parameter.VAR_POSITIONAL not in taken and (
                name not in order or order.index(name) != positional.index(p.name)):
            found[at] = "stands elsewhere among the positional arguments"
        elif not _same_default(p.default, ours[name]):
            found[at] = f"is {p.default!r} by default, here {ours[name].default!r}"
    if not alone and not found and not _can_be_called(theirs, ours, further):
        found[f"{full}({', '.join(theirs)})"] = "cannot be called by these names"
    return found


def _can_be_called(theirs, ours, further):
    """Whether our parameters take the arguments that an overload requires, all by name."""
    if any(p.kind is p.VAR_POSITIONAL for p in (*ours.values(), *theirs.values())):
        return True
    given = {name if name in ours else further.get(name) for name in _required(theirs)}
    return _required(ours) <= given


def _required(parameters):
    return {p.name for p in parameters.values() if p.default is p.empty and p.kind not in VARIADIC}


def _added(full, theirs, ours, further):
    """Our parameters that PyTorch has not."""
    if any(p.kind in VARIADIC for each in theirs for p in each.values()):
        return {}
    known = {name for each in theirs for name in each} | set(further.values())
    return {f"{full}(+{p.name})": "is no argument of PyTorch's" for p in ours.values()
            if p.name not in known and p.kind not in VARIADIC and not p.name.startswith("_")}


def _same_default(theirs, ours):
    """Whether a default is PyTorch's; its stubs have None for a layout or memory format, () for a list that is left out."""
    if theirs is inspect.Parameter.empty:
        return True
    if not isinstance(theirs, PLAIN):
        return ours.default is not inspect.Parameter.empty
    if (theirs is None and ours.name in ("memory_format", "layout")) or (theirs == () and ours.default is None):
        return True
    if isinstance(ours.default, torch.Tensor) or not isinstance(ours.default, PLAIN):
        return False
    return theirs == ours.default
