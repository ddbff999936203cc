"""A C header for a rendered kernel: one inline function that sets its arguments and enqueues it."""

import re

from ...codegen.sizes import MACROS, expression

_MACRO_GUARD = "#ifndef CT_CEIL\n" + MACROS + "#endif\n"


def header(f):
    """The text of the header for `explained.facts`."""
    name, launch = f["kernel"], f["launch"]
    guard = re.sub(r"\W", "_", name).upper() + "_H"
    parameters = [f"cl_mem {a['name']}" if a["kind"] == "buffer" else f"cl_{a['type']} {a['name']}" for a in f["arguments"]]
    own = {a["name"] for a in f["arguments"]}
    values = {p["name"]: p["value"] for p in f["parameters"]}
    used = dict.fromkeys(n for text in (*launch["local"], *launch["global"], *(c["default"] for c in launch["choices"].values()))
                         for n in expression(text).names)
    constants = [f"    const size_t {n} = {int(values[n])};" for n in used if n not in own and n in values]
    chosen = [f"    const size_t {n} = {n}_or_0 ? {n}_or_0 : {expression(c['default']).c()};"
              for n, c in launch["choices"].items()]
    given = [n for n in used if n not in own and n not in values and n not in launch["choices"]]
    parameters += [f"size_t {n}" for n in given] + [f"size_t {n}_or_0" for n in launch["choices"]]
    notes = [f" * {_told(a)}" for a in f["arguments"]] + [f" * {n}_or_0: {c['meaning']}; 0 for {c['default']}"
                                                           for n, c in launch["choices"].items()]
    sizes = {k: ", ".join(f"(size_t)({expression(text).c()})" for text in launch[k]) for k in ("local", "global")}
    sets = [f"    error |= clSetKernelArg(kernel, {a['index']}, sizeof {a['name']}, &{a['name']});" for a in f["arguments"]]
    return "\n".join([
        f"/* {name}: made by cltensor {f['version']}, MIT licence. */", f"#ifndef {guard}", f"#define {guard}",
        "#include <CL/cl.h>", _MACRO_GUARD, "/* Set all arguments and enqueue; returns the first error.  `done` may be NULL.", " *",
        *notes, " */", f"static inline cl_int {name}_enqueue(cl_command_queue queue, cl_kernel kernel, {', '.join(parameters)},",
        "        cl_event *done)", "{", *constants, *chosen,
        f"    const size_t local_size[] = {{{sizes['local']}}}, global_size[] = {{{sizes['global']}}};",
        "    cl_int error = CL_SUCCESS;",
        *sets, "    if (error != CL_SUCCESS) return CL_INVALID_KERNEL_ARGS;",
        f"    return clEnqueueNDRangeKernel(queue, kernel, {len(launch['global'])}, NULL, global_size, local_size, 0, NULL, done);",
        "}", "#endif", ""])


def _told(a):
    shape = f" ({', '.join(a['shape'])})" if a["kind"] == "buffer" else ""
    return f"{a['name']}{shape}: {a['meaning']}"
