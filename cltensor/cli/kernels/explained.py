"""A rendered kernel that explains itself: its interface as a comment before the text, and as data."""

import re
import textwrap

from ...base import dtypes
from ...codegen import templates
from ...codegen.interface import Buffer
from ...version import __version__
from . import catalog

_WIDTH = 110
_LOCAL = re.compile(r"__local\s+(\w+)\s+(\w+\[[^;]*);")
_ARRAY = re.compile(r"\w+\[([\d\s*+/()-]+)\]")
_SIZES = {"char": 1, "uchar": 1, "short": 2, "ushort": 2, "half": 2, "int": 4, "uint": 4, "float": 4, "long": 8, "ulong": 8,
          "double": 8}
_GRAMMAR = "sizes: + - * // (rounded down) % min(...) max(...) ceil(a, b) = a / b rounded up, `x if condition else y`"


def facts(source, name=None, text=None):
    """All about a rendered kernel as plain data.  name: of the kernel in `text`, if it was renamed."""
    found = source.interface
    text = text or source.text
    return {
        "template": source.template, "kernel": name or found.kernel, "version": __version__, "licence": "MIT",
        "what": description(source.template),
        "parameters": [_parameter(k, p, source.values[k]) for k, p in templates.declared(source.template).items()],
        "arguments": arguments(found),
        "launch": {"local": [str(e) for e in found.local], "global": [str(e) for e in found.global_],
                   "choices": {n: {"meaning": c.meaning, "default": c.default} for n, c in found.choices.items()},
                   "larger_global_size": "the same result" if found.larger else "wrong"},
        "needs": list(found.needs), "device": device(source, text), "text": text}


def description(template):
    """The head of a template as lines: what it computes."""
    lines = []
    for line in templates.template(template).source.splitlines():
        if not line.startswith("##"):
            break
        lines.append(line[2:].removeprefix(" ").rstrip())
    return lines


def _parameter(name, parameter, value):
    found = {"name": name, "value": value.name if isinstance(value, dtypes.dtype) else value, "meaning": parameter.meaning}
    if parameter.allowed is not None:
        found["allowed"] = str(parameter.allowed)
    return found


def arguments(interface):
    """The C parameters in order, as dicts: buffers, the offsets that follow some of them, and numbers."""
    found = []
    for a in interface.arguments:
        if isinstance(a, Buffer):
            strides = a.strides if a.strides == "dense" else list(map(str, a.strides))
            found.append({"name": a.name, "kind": "buffer", "type": a.ctype, "direction": a.direction, "meaning": a.meaning,
                          "shape": list(map(str, a.shape)), "strides": strides, "offset": a.offset, "unused_if": a.unused_if,
                          "bytes_per_element": _bytes(a.ctype)})
            if a.offset:
                found.append({"name": a.offset, "kind": "offset", "type": "long", "of": a.name, "unit": "elements",
                              "meaning": f"position of the first element of {a.name}"})
        else:
            found.append({"name": a.name, "kind": "number", "type": a.ctype, "meaning": a.meaning, "unit": a.unit,
                          "allowed": a.allowed})
    return [{"index": i, **entry} for i, entry in enumerate(found)]


def _bytes(ctype):
    base = ctype.rstrip("0123456789")
    return _SIZES.get(base, 0) * int(ctype[len(base):] or 1)


def device(source, text):
    """What a device must have: double precision, bytes of local memory, work-items of a group."""
    code = re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.DOTALL)
    required = re.search(r"reqd_work_group_size\s*\(\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)", code)
    items = int(required[1]) * int(required[2]) * int(required[3]) if required else None
    return {"opencl_c": "1.2", "double": bool(re.search(r"\bdouble\d*\b", code)), "local_memory": _local_memory(code),
            "work_group": items}


def _local_memory(code):
    total = 0
    for ctype, arrays in _LOCAL.findall(code):
        for size in _ARRAY.findall(arrays):
            element = re.sub(r"^real", "double" if "double real" in code else "float", ctype)
            total += _bytes(element) * eval(size, {"__builtins__": {}})  # digits and operators only
    return total


def explained(source, name=None, text=None):
    """The kernel's text with a head that tells a reader how to run it."""
    f = facts(source, name, text)
    made = f"made by cltensor {f['version']} from its template {f['template']}"
    lines = [f"{f['kernel']}: an OpenCL C {f['device']['opencl_c']} kernel, {made}", "Licence: MIT, the cltensor authors", "",
             *f["what"], "", "PARAMETERS that this text was made with"]
    lines += _fields([(f"{p['name']} = {p['value']}", "; ".join(filter(None, [p["meaning"], p.get("allowed")])))
                      for p in f["parameters"]])
    lines += ["", "ARGUMENTS, in order"]
    lines += _fields([(f"{a['index']:2} {a['name']}", _argument(a)) for a in f["arguments"]])
    lines += ["", "LAUNCH", *_launch(f), "", "NEEDS", *_needs(f), "", "IN C", *call(f)]
    head = "\n".join(f"// {line}".rstrip() for line in lines)
    body = re.sub(r"\A(//[^\n]*\n)+", "", f["text"]).lstrip("\n")
    return f"{head}\n\n{body}"


def _fields(pairs):
    column = min(max((len(name) for name, _ in pairs), default=0) + 2, 34)
    lines = []
    for name, text in pairs:
        first = f"  {name.ljust(column)}"
        lines += textwrap.wrap(text, _WIDTH, initial_indent=first, subsequent_indent=" " * len(first),
                               break_on_hyphens=False) or [first.rstrip()]
    return lines


def _argument(a):
    if a["kind"] == "offset":
        return f"long: {a['meaning']}, in elements"
    if a["kind"] == "number":
        return "; ".join(filter(None, [f"{a['type']}: {a['meaning']}", a["unit"] and f"in {a['unit']}", a["allowed"]]))
    lies = "row-major, without gaps" if a["strides"] == "dense" else f"strides ({', '.join(a['strides'])}) in elements"
    words = {"in": "read", "out": "written", "inout": "read and written", "scratch": "memory for the kernel's own use"}
    unused = a["unused_if"] and f"not touched if {a['unused_if']}: any buffer will do"
    return "; ".join(filter(None, [f"buffer of {a['type']}, {words[a['direction']]}: {a['meaning']}",
                                   f"({', '.join(a['shape'])}), {lies}", unused]))


def _launch(f):
    launch = f["launch"]
    yield f"  local size   ({', '.join(launch['local'])})"
    yield f"  global size  ({', '.join(launch['global'])})"
    for name, choice in launch["choices"].items():
        yield f"  {name}: {choice['meaning']}; a good one is {choice['default']}"
    yield f"  A larger global size gives {'the same result' if launch['larger_global_size'] != 'wrong' else 'wrong results'}."
    yield f"  In {_GRAMMAR}"


def _needs(f):
    d = f["device"]
    yield f"  {'double precision (cl_khr_fp64)' if d['double'] else 'no double precision'}"
    yield f"  {d['local_memory']} bytes of local memory" + (f", work-groups of {d['work_group']} items" if d["work_group"] else "")
    for text in f["needs"]:
        yield f"  {text}"


def call(f):
    """Lines of C that set the arguments and launch the kernel."""
    for a in f["arguments"]:
        c = "cl_mem" if a["kind"] == "buffer" else f"cl_{a['type']}"
        yield f"  clSetKernelArg(kernel, {a['index']}, sizeof({c}), &{a['name']});" + (
            "  // cl_long, 0 for the buffer's first element" if a["kind"] == "offset" else "")
    launch = f["launch"]
    for name in ("local", "global"):
        yield f"  size_t {name}_size[] = {{{', '.join(launch[name])}}};"
    yield f"  clEnqueueNDRangeKernel(queue, kernel, {len(launch['global'])}, NULL, global_size, local_size, 0, NULL, NULL);"


def default_name(source):
    """A kernel name by which several kernels can live in one program: template, dtype and style."""
    values = source.values
    dtype = values.get("dtype")
    return "_".join(filter(None, ["ct", source.interface.kernel, getattr(dtype, "name", None), values.get("style")]))


def renamed(source, name):
    """The kernel's text with another name for the kernel."""
    return re.sub(rf"(__kernel\s+void\s+){re.escape(source.interface.kernel)}(?=\s*\()", rf"\g<1>{name}", source.text)


def summary(source):
    """The template's summary."""
    return catalog.summary(source.template)
