"""A C program that launches the kernels of a Call on random numbers, and holds the results against expected ones."""

import math
from pathlib import Path

import numpy as np

from ...dispatch.plan import In, Out, Scratch, Ticket, Value
from ...version import __version__
from ..output import plural
from . import explained
from .paper import Sheet
from .random_numbers import BITS, INCREMENT, MULTIPLIER

GUARD = 256  # bytes of a known value behind each buffer that is written to


def runtime():
    """The functions of every program, c_program.c, with the constants that it shares with Python."""
    text = Path(__file__).with_suffix(".c").read_text(encoding="utf-8")
    shared = {"GUARD": GUARD, "MULTIPLIER": MULTIPLIER, "INCREMENT": INCREMENT, "DROPPED": 32 - BITS, "BITS": BITS}
    for name, value in shared.items():
        text = text.replace(f"@{name}@", str(value))
    return text


#: the largest error of a result, in parts of its largest number
ALLOWED = {"float16": 1e-3, "bfloat16": 8e-3, "float32": 2e-5, "float64": 1e-10}


class Program:
    """The text of a C program and the files beside it: {name: bytes}.

    call: a Call; drawn: for each input the Drawn numbers, an array of parts, or None; expected: arrays of parts, None if unknown.
    """

    def __init__(self, name, call, drawn, expected):
        self.name, self.call, self.files, self.kernels = name, call, {}, {}
        self.buffers = {}  # a Scratch or Sheet -> its name in C
        made, launches = self._inputs(drawn), []
        for number, step in enumerate(call.steps, 1):
            launches += self._launch(number, step)
        made += [f"    cl_mem {name} = {self._made(b, name)};" for b, name in self.buffers.items()]
        checks = self._checks(expected)
        body = [*made, "", *launches, '    checked(clFinish(queue), "clFinish");', "", *checks]
        self.text = "\n".join([self._head(), runtime(), "int main(int argc, char **argv)", "{",
                               "    choose_device(argc > 1 ? argv[1] : NULL);", "    int wrong = 0, broken = 0;", *body,
                               '    printf(wrong + broken ? "WRONG\\n" : "all is right\\n");', "    return wrong + broken ? 1 : 0;",
                               "}", ""])

    def _head(self):
        given = [f" *   {n}  {_shaped(s)}" for n, s in zip(self.call.op.inputs, self.call.inputs, strict=True)]
        given += [f" *   {n} = {v}" for n, v in self.call.attrs.items()]
        launches = plural(len(self.call.steps), "launch", "launches")
        lines = [f"/* {self.name}: made by cltensor {__version__}, MIT licence.", " *",
                 f" * The op {self.call.op.name} in {launches}, for", *given,
                 f" * to {', '.join(map(_shaped, self.call.outputs))}", " *",
                 " * In the folder with this file and the .cl and .bin files:",
                 f" *   cc -O2 {self.name}.c -lOpenCL -lm -o {self.name}",
                 f" *   ./{self.name} [PART OF A DEVICE'S OR PLATFORM'S NAME]",
                 " * The exit status is 0 if all results are right, and nothing was written past a buffer.", " */"]
        return "\n".join(lines)

    def _inputs(self, drawn):
        lines = []
        for i, (s, d) in enumerate(zip(self.call.inputs, drawn, strict=True)):
            if s is None:
                continue
            kind = s.dtype.to_real().name.upper()
            if isinstance(d, np.ndarray):
                self.files[f"input_{i}.bin"] = d.tobytes()
                made = f'buffer_of({d.nbytes}, file_bytes("input_{i}.bin", {d.nbytes}))'
            else:
                made = f"random_buffer({kind}, {d.count}, {d.seed}u, {d.low!r}, {d.step!r}, {d.levels}u)"
            lines.append(f"    cl_mem in{i} = {made};  /* {self.call.op.inputs[i]} {_shaped(s)} */")
        for i, s in enumerate(self.call.outputs):
            lines.append(f"    cl_mem out{i} = buffer_of({s.nbytes}, NULL);  /* {_shaped(s)} */")
        return lines

    def _buffer(self, what):
        if what not in self.buffers:
            self.buffers[what] = f"{'scratch' if isinstance(what, Scratch) else 'table'}{len(self.buffers)}"
        return self.buffers[what]

    def _made(self, what, name):
        if isinstance(what, Scratch):
            return f"buffer_of({what.nbytes}, NULL)"
        self.files[f"{name}.bin"] = what.bytes.tobytes()
        return f'buffer_of({what.bytes.size}, file_bytes("{name}.bin", {what.bytes.size}))'

    def _kernel(self, number, source):
        if source not in self.kernels:
            f = explained.facts(source)
            file = f"{number}_{source.template}.cl"
            self.files[file] = explained.explained(f).encode()
            self.kernels[source] = file, f
        return self.kernels[source]

    def _launch(self, number, step):
        file, f = self._kernel(number, step.source)
        k = f"kernel{number}"
        yield f'    cl_kernel {k} = kernel_of("{file}", "{f["kernel"]}");'
        names = [a["name"] for a in f.get("arguments", ())]
        at = 0
        for arg in step.args:
            for ctype, text in self._argument(arg):
                note = f"  /* {names[at]} */" if at < len(names) else ""
                if ctype == "cl_mem":
                    yield f'    checked(clSetKernelArg({k}, {at}, sizeof(cl_mem), &{text}), "argument {at}");{note}'
                else:
                    value = f"&({ctype}){{{text}}}"
                    yield f'    checked(clSetKernelArg({k}, {at}, sizeof({ctype}), {value}), "argument {at}");{note}'
                at += 1
        launch = f.get("launch")
        if isinstance(launch, dict):
            yield f"    /* local ({', '.join(launch['local'])}), global ({', '.join(launch['global'])}) */"
        sizes = f"(size_t[]){{{', '.join(map(str, step.global_size))}}}, (size_t[]){{{', '.join(map(str, step.local_size))}}}"
        yield f"    checked(clEnqueueNDRangeKernel(queue, {k}, {len(step.global_size)}, NULL, {sizes}, 0, NULL, NULL),"
        yield f'            "{f["kernel"]}");'
        yield ""

    def _argument(self, arg):
        """(type in C, text) of the C parameters that an argument of a Step stands for."""
        if isinstance(arg, (In, Out)):
            return ("cl_mem", f"{'in' if isinstance(arg, In) else 'out'}{arg.index}"), ("cl_long", str(arg.shift))
        if isinstance(arg, (Scratch, Sheet)):
            return (("cl_mem", self._buffer(arg)),)
        if isinstance(arg, Ticket):
            return (("cl_long", "1"),)
        number = arg.type(self.call.values[arg.index]) if isinstance(arg, Value) else arg
        return ((_C[number.dtype.name], _literal(number)),)

    def _checks(self, expected):
        lines = []
        for i, s in enumerate(self.call.outputs):
            part, count = s.dtype.to_real(), s.numel * (2 if s.dtype.is_complex else 1)
            if expected is not None:
                self.files[f"expected_{i}.bin"] = expected[i].tobytes()
                lines += ["    {", f"        unsigned char *found = read_back(out{i}, {s.nbytes}, &broken);",
                          f'        wrong += differ("expected_{i}.bin", found, {part.name.upper()}, {count}, '
                          f"{ALLOWED.get(part.name, 0)!r});", "        free(found);", "    }"]
            else:
                shown = min(count, 8)
                lines += ["    {", f"        unsigned char *found = read_back(out{i}, {s.nbytes}, &broken);",
                          f"        for (size_t i = 0; i < {shown}; i++)",
                          f'            printf("%g%s", get(found, i, {part.name.upper()}), i == {shown - 1} ? "\\n" : " ");',
                          "        free(found);", "    }"]
        lines += [f"    free(read_back({name}, {b.nbytes}, &broken));"
                  for b, name in self.buffers.items() if isinstance(b, Scratch)]
        lines.append('    if (broken) printf("%d buffers were written past their end\\n", broken);')
        return lines


def _shaped(s):
    return "left out" if s is None else f"{s.dtype.name} {'x'.join(map(str, s.shape)) or 'scalar'}"


_C = {"int8": "cl_char", "uint8": "cl_uchar", "int16": "cl_short", "uint16": "cl_ushort", "int32": "cl_int", "uint32": "cl_uint",
      "int64": "cl_long", "uint64": "cl_ulong", "float32": "cl_float", "float64": "cl_double", "complex64": "cl_float2",
      "complex128": "cl_double2"}


def _literal(number):
    if number.dtype.kind == "c":
        return f"{{{_literal(number.real)}, {_literal(number.imag)}}}"
    if number.dtype.kind in "iu":
        return f"{int(number)}{'u' if number.dtype.kind == 'u' else ''}{'LL' if number.dtype.itemsize == 8 else ''}".replace(
            "-9223372036854775808LL", "INT64_MIN")
    value = float(number)
    return repr(value) if math.isfinite(value) else "NAN" if math.isnan(value) else f"{'-' if value < 0 else ''}INFINITY"
