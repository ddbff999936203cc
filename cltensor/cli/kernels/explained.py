"""A rendered kernel that explains itself: its interface as a comment before the text, and as data."""

import re
import textwrap

from ...base import dtypes
from ...codegen import templates
from ...codegen.interface import Buffer
from ...codegen.parameters import one_of
from ...codegen.sizes import MACROS, expression
from ...version import __version__
from ..output import plural
from .local_memory import bytes_per_element, local_memory
from .rendering import kernel_names

_WIDTH = 110
_GRAMMAR = "// rounds down; ceil(a, b) is a / b rounded up; `x if c else y` is x where c holds, y elsewhere"


def facts(source, op=None, name=None):
    """All about a rendered kernel as plain data.  op: the op it is for; name: of the kernel, by default `default_name`."""
    found = source.interface
    own = kernel_names(source.text)[0]
    name = name or default_name(source, op)
    text = renamed(source.text, own, name)
    return {
        "template": source.template, "op": op and op.name, "kernel": name, "version": __version__, "licence": "MIT",
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
                          "bytes_per_element": bytes_per_element(a.ctype)})
            if a.offset:
                found.append({"name": a.offset, "kind": "offset", "type": "long", "of": a.name, "unit": "elements",
                              "step": str(a.step), "meaning": f"position of the first element of {a.name}"})
        else:
            found.append({"name": a.name, "kind": "number", "type": a.ctype, "meaning": a.meaning, "unit": a.unit,
                          "allowed": a.allowed})
    return [{"index": i, **entry} for i, entry in enumerate(found)]


def device(source, text):
    """What a device must have: double precision, bytes of local memory, work-items of a group."""
    code = re.sub(r"//[^\n]*|/\*.*?\*/|^#ifdef cl_khr_fp64\n.*?^#endif", "", text, flags=re.DOTALL | re.MULTILINE)
    required = re.search(r"reqd_work_group_size\s*\(\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)", code)
    items = int(required[1]) * int(required[2]) * int(required[3]) if required else None
    # without what only devices with doubles compile
    always = re.sub(r"#ifdef cl_khr_fp64\n.*?#endif", "", code, flags=re.DOTALL)
    return {"opencl_c": "1.2", "double": bool(re.search(r"\bdouble\d*\b", always)), "local_memory": local_memory(code),
            "work_group": items}


def explained(f):
    """The kernel's text, of `facts`, with a head that tells a reader how to run it."""
    made = f"made by cltensor {f['version']} from its template {f['template']}{' for the op ' + f['op'] if f['op'] else ''}"
    lines = [f"{f['kernel']}: an OpenCL C {f['device']['opencl_c']} kernel, {made}", "Licence: MIT, the cltensor authors", "",
             *f["what"], "", "PARAMETERS that this text was made with (constants of the text; others need another text)"]
    lines += _fields([(f"{p['name']} = {p['value']}", "; ".join(filter(None, [p["meaning"], p.get("allowed")])))
                      for p in f["parameters"]])
    lines += ["", "ARGUMENTS, in order"]
    lines += _fields([(f"{a['index']:2} {a['name']}", _argument(a)) for a in f["arguments"]])
    lines += [f"  {_STORED[p['value']]}" for p in f["parameters"] if p["name"] == "dtype" and p["value"] in _STORED]
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
        each = "" if a["step"] == "1" else f"{a['step']} "
        return f"long: {a['meaning']}, counted in {each}elements; 0 for the first"
    if a["kind"] == "number":
        return "; ".join(filter(None, [f"{a['type']}: {a['meaning']}", a["unit"] and f"in {a['unit']}", a["allowed"]]))
    lies = "row-major, without gaps" if a["strides"] == "dense" else f"strides ({', '.join(a['strides'])}) in elements"
    words = {"in": "read", "out": "written", "inout": "read and written", "scratch": "memory for the kernel's own use"}
    unused = a["unused_if"] and f"not touched if {a['unused_if']}: any buffer will do"
    size = f"{plural(a['bytes_per_element'], 'byte')} an element" if a["bytes_per_element"] else None
    return "; ".join(filter(None, [f"__global {a['type']} *, {words[a['direction']]}: {a['meaning']}",
                                   f"shape ({', '.join(a['shape'])}), {lies}", size, unused]))


def _launch(f):
    launch, numbers = f["launch"], launch_in_c(f)
    for name in ("local", "global"):
        text, filled = ", ".join(launch[name]), ", ".join(numbers[name])
        number = f" = ({filled})" if filled != text and filled.replace(", ", "").isdigit() else ""
        yield f"  {name + ' size':12} ({text}){number}"
    for name, choice in launch["choices"].items():
        yield f"  {name}: {choice['meaning']}; a good one is {choice['default']}"
    harmless = launch["larger_global_size"] != "wrong"
    yield f"  A larger global size gives {'the same result' if harmless else 'wrong results, or writes past a buffer'}."
    if any(re.search(r"[*/%(+-]", t) for t in (*launch["local"], *launch["global"])):
        yield f"  {_GRAMMAR}"


def _needs(f):
    d = f["device"]
    yield f"  OpenCL C {d['opencl_c']}; {'double precision (cl_khr_fp64)' if d['double'] else 'no double precision'}"
    items = f"; work-groups of {plural(d['work_group'], 'item')}, no other number" if d["work_group"] else ""
    yield f"  {d['local_memory'] or 'no'}{' bytes of' if d['local_memory'] else ''} local memory{items}"
    for text in f["needs"]:
        yield from (f"  {line}" for line in textwrap.wrap(text, _WIDTH))


def call(f):
    """Lines of C that set the arguments and launch the kernel; its parameters are numbers there."""
    launch = launch_in_c(f)
    yield f'  // once, in a program built from this text: cl_kernel kernel = clCreateKernel(program, "{f["kernel"]}", &error);'
    for a in f["arguments"]:
        yield f"  {c_type(a)} {a['name']} = {'0;  // begin with the first element' if a['kind'] == 'offset' else '...;'}"
    for name in launch["given"]:
        yield f"  size_t {name} = ...;"
    for name, text in launch["choices"].items():
        yield f"  size_t {name} = {text};"
    for a in f["arguments"]:
        yield f"  clSetKernelArg(kernel, {a['index']}, sizeof {a['name']}, &{a['name']});"
    yield f"  size_t local_size[] = {{{', '.join(launch['local'])}}};"
    yield f"  size_t global_size[] = {{{', '.join(launch['global'])}}};"
    yield f"  clEnqueueNDRangeKernel(queue, kernel, {len(launch['global'])}, NULL, global_size, local_size, 0, NULL, NULL);"
    used = [n for n in _MACROS if any(n in text for text in (*launch["local"], *launch["global"], *launch["choices"].values()))]
    if used:
        yield "  where"
        yield from (f"  {_MACROS[n]}" for n in used)


#: how elements lie in memory, where their type in C does not tell
_STORED = {"bool": "A bool is a byte, 0 or 1.",
           "float16": "A float16 is held by its 16 bits, as a ushort, and computed with as float: no half precision is needed.",
           "bfloat16": "A bfloat16 is held by its 16 bits, the upper half of a float's, as a ushort; computed with as float.",
           "complex32": "A complex32 is two float16, the real part first, each held by its 16 bits, as a ushort.",
           "complex64": "A complex64 is two floats, the real part first.",
           "complex128": "A complex128 is two doubles, the real part first."}
_MACROS = {line.split()[1].partition("(")[0]: line for line in MACROS.splitlines()}


def c_type(a):
    """The type of an argument in a C program."""
    return "cl_mem" if a["kind"] == "buffer" else f"cl_{a['type']}"


def launch_in_c(f):
    """The launch sizes as C: "local" and "global", lists of expressions of arguments, of the names in "given", and of "choices"."""
    values = {p["name"]: p["value"] for p in f["parameters"]}
    values = {n: v for n, v in values.items() if n not in {a["name"] for a in f["arguments"]}}
    launch, chosen = f["launch"], {n: expression(c["default"]) for n, c in f["launch"]["choices"].items()}
    sizes = {k: [expression(text) for text in launch[k]] for k in ("local", "global")}
    known = {*values, *chosen, *(a["name"] for a in f["arguments"])}
    used = dict.fromkeys(n for e in (*sizes["local"], *sizes["global"], *chosen.values()) for n in e.names)
    return {"given": [n for n in used if n not in known], "choices": {n: e.c(values) for n, e in chosen.items()},
            **{k: [e.c(values) for e in found] for k, found in sizes.items()}}


def default_name(source, op=None):
    """A kernel name by which several can live in one program: of the op or the template and what it computes, dtype and style."""
    values, told = source.values, templates.declared(source.template)
    dtype = values.get("dtype")
    forms = [v for k, v in values.items() if k != "style" and isinstance(v, str) and v.isidentifier() and v != told[k].default
             and isinstance(told[k].allowed, one_of)]
    first = [op.name] if op else [source.interface.kernel, *forms]
    return "_".join(filter(None, ["ct", *first, getattr(dtype, "name", None), values.get("style")]))


def renamed(text, kernel, name):
    """A text with another name for this kernel."""
    return re.sub(rf"(__kernel\b[^;{{]*?\bvoid\s+){re.escape(kernel)}(?=\s*\()", rf"\g<1>{name}", text)
