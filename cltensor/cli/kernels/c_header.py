"""A C header for a rendered kernel: one inline function that sets its arguments and enqueues it."""

import re

from ...codegen.sizes import MACROS
from .explained import c_type, launch_in_c


def header(f):
    """The text of the header for `explained.facts`."""
    name, launch = f["kernel"], launch_in_c(f)
    guard = re.sub(r"\W", "_", name).upper() + "_H"
    parameters = [f"{c_type(a)} {a['name']}" for a in f["arguments"]]
    parameters += [f"size_t {n}" for n in launch["given"]] + [f"size_t {n}_or_0" for n in launch["choices"]]
    notes = [f" * {_told(a)}" for a in f["arguments"]]
    notes += [f" * {n}_or_0: {c['meaning']}; 0 for {c['default']}" for n, c in f["launch"]["choices"].items()]
    chosen = [f"    const size_t {n} = {n}_or_0 ? {n}_or_0 : {_whole(text)};" for n, text in launch["choices"].items()]
    sizes = {k: ", ".join(map(_whole, launch[k])) for k in ("local", "global")}
    sets = [f"    if (error == CL_SUCCESS) error = clSetKernelArg(kernel, {a['index']}, sizeof {a['name']}, &{a['name']});"
            for a in f["arguments"]]
    return "\n".join([
        f"/* {name}: made by cltensor {f['version']}, MIT licence. */", f"#ifndef {guard}", f"#define {guard}",
        "#include <CL/cl.h>", "#ifndef CT_CEIL", MACROS.rstrip(), "#endif", "",
        f"/* Set all arguments of the kernel {name} and enqueue it; returns the first error.  `done` may be NULL.", " *",
        *notes, " */", f"static inline cl_int {name}_enqueue(cl_command_queue queue, cl_kernel kernel,",
        *(f"        {p}," for p in parameters), "        cl_event *done)", "{", *chosen,
        f"    const size_t local_size[] = {{{sizes['local']}}}, global_size[] = {{{sizes['global']}}};",
        "    cl_int error = CL_SUCCESS;", *sets, "    if (error != CL_SUCCESS) return error;",
        f"    return clEnqueueNDRangeKernel(queue, kernel, {len(launch['global'])}, NULL, global_size, local_size, 0, NULL, done);",
        "}", "#endif", ""])


def _whole(text):
    return f"(size_t)({text})"


def _told(a):
    shape = f" ({', '.join(a['shape'])})" if a["kind"] == "buffer" else ""
    return f"{a['name']}{shape}: {a['meaning']}"
