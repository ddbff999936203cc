"""C programs written from the JSON of rendered kernels alone: no template and no op is known here.

A Case is a few launches over buffers.  Sizes of buffers and of launches are computed in C, by the expressions in the JSON.  Each
buffer begins LEAD elements late where its kernel takes an offset, and has guard bytes behind it; each launch is also tried with a
larger global size where the JSON calls that harmless.
"""

import math
from dataclasses import dataclass, field

import numpy as np

from cltensor.base.errors import ArgumentError
from cltensor.cli.kernels import c_program
from cltensor.codegen.sizes import MACROS, expression

LEAD = 3


@dataclass(eq=False)
class Buffer:
    """Memory that launches share.  data: what it holds at first, None for nothing; expected: what it holds at last, as the bytes of
    `dtype`; None if that is not asked; nbytes: its size where the JSON has words for it."""

    data: np.ndarray | None = None
    expected: np.ndarray | None = None
    dtype: str = ""
    nbytes: int = 0


@dataclass
class Launch:
    """facts: the JSON of a kernel; given: for each of its arguments but offsets a number or Buffer; shifts: offsets into data."""

    facts: dict
    given: dict
    shifts: dict = field(default_factory=dict)


@dataclass
class Case:
    """What is run and compared at once."""

    name: str
    launches: list


def written(cases, folder):
    """Write the C program for the Cases, and the files it reads, to a folder.  Returns its path."""
    functions = [_Function(i, case, folder) for i, case in enumerate(cases)]
    body = "\n".join(f"{f.text}" for f in functions)
    main = ["int main(int argc, char **argv)", "{", "    int count, wrong = 0;", "    choose_device(argc > 1 ? argv[1] : NULL);"]
    for i, case in enumerate(cases):
        main += [f"    count = case_{i}();", f'    printf("%s  {case.name}\\n", count ? "WRONG" : "right");',
                 "    wrong += count != 0;"]
    main += ["    return wrong > 99 ? 99 : wrong;", "}", ""]
    path = folder / "generated.c"
    path.write_text("\n".join([c_program.runtime(), MACROS, _GUARDED, body, *main]))
    return path


_GUARDED = r"""/* Elements from the first one on; those that a negative stride reaches lie before it. */
static inline size_t extent(int n, const size_t *shape, const cl_long *strides)
{
    size_t last = 0;
    for (int i = 0; i < n; i++) {
        if (shape[i] == 0) return 0;
        if (strides[i] > 0) last += (shape[i] - 1) * (size_t)strides[i];
    }
    return last + 1;
}

static inline int compared(const char *file, cl_mem buffer, size_t lead, size_t bytes, enum type type, size_t count, double allowed)
{
    int wrong = 0;
    unsigned char *all = read_back(buffer, lead + bytes, &wrong);
    for (size_t i = 0; i < lead; i++)
        if (all[i] != 0xA5) { printf("%s: written before its beginning\n", file); wrong++; break; }
    if (bytes != count * size_of[type]) {
        printf("%s: the shape in the file makes %zu bytes, the result has %zu\n", file, bytes, count * size_of[type]);
        wrong++;
    } else wrong += differ(file, all + lead, type, count, allowed);
    free(all);
    return wrong;
}
"""


class _Function:
    """The C function of one Case."""

    def __init__(self, number, case, folder):
        self.number, self.folder, self.buffers, self.lines = number, folder, {}, []
        self.leads = _leads(case.launches)
        for i, launch in enumerate(case.launches):
            self._kernel(i, launch)
        kernels, self.lines = self.lines, []
        for i, launch in enumerate(case.launches):
            self._numbers(i, launch)
        sizes, self.lines = self.lines, []
        self._made()
        for i, launch in enumerate(case.launches):
            self._launched(i, launch)
        self._compared()
        inner = "\n".join("    " + line for line in self.lines)
        self.text = "\n".join([f"/* {case.name} */", f"static int case_{number}(void)", "{", "    int wrong = 0;", *kernels, *sizes,
                               "    for (size_t larger = 0; larger < 2; larger++) {", inner, "    }", "    return wrong;", "}", ""])

    def _say(self, line):
        self.lines.append("    " + line)

    def _file(self, name, data):
        (self.folder / name).write_bytes(data)
        return name

    def _kernel(self, i, launch):
        f = launch.facts
        file = self._file(f"{self.number}_{i}.cl", f["text"].encode())
        self._say(f'cl_kernel kernel{i} = kernel_of("{file}", "{f["kernel"]}");')

    def _numbers(self, i, launch):
        """The numbers of a launch, and how many elements each of its buffers has to have."""
        f = launch.facts
        values = {p["name"]: p["value"] for p in f["parameters"]}
        values.update((n, f"{n}_{i}") for n in (*launch.given, *f["launch"]["choices"]))
        launch.values = values
        for a in f["arguments"]:
            if a["kind"] == "number":
                self._say(f"const cl_{a['type']} {a['name']}_{i} = {_literal(launch.given[a['name']])};")
        for n, c in f["launch"]["choices"].items():
            self._say(f"const size_t {n}_{i} = {expression(c['default']).c(launch.values)};")
        for a in f["arguments"]:
            if a["kind"] == "buffer":
                self._buffer(a, launch.given[a["name"]], launch)

    def _buffer(self, a, buffer, launch):
        if buffer not in self.buffers:
            self.buffers[buffer] = f"b{len(self.buffers)}"
            self._say(f"size_t {self.buffers[buffer]}_bytes = 0, {self.buffers[buffer]}_lead = {self.leads[buffer]};")
        name, size = self.buffers[buffer], a["bytes_per_element"]
        try:
            shape = [expression(t).c(launch.values) for t in a["shape"]]
        except ArgumentError:  # words: the size depends on values
            self._say(f"if ({name}_bytes < {buffer.nbytes}) {name}_bytes = {buffer.nbytes};  /* {a['name']} */")
            return
        if a["strides"] == "dense":
            count = " * ".join(f"(size_t)({t})" for t in shape) or "1"
        else:
            strides = [expression(t).c(launch.values) for t in a["strides"]]
            count = f"extent({len(shape)}, (size_t[]){{{', '.join(shape)}}}, (cl_long[]){{{', '.join(strides)}}})"
        shift = launch.shifts.get(a["name"], 0) * _step(a["name"], launch)
        count = f"({shift} + {count}) * {size}"
        self._say(f"if ({name}_bytes < {count}) {name}_bytes = {count};  /* {a['name']} */")

    def _made(self):
        for k, (buffer, name) in enumerate(self.buffers.items()):
            self._say(f"cl_mem {name};")
            if buffer.data is None:
                self._say(f"{name} = buffer_of({name}_lead + {name}_bytes, NULL);")
                continue
            size = buffer.data.nbytes
            file = self._file(f"{self.number}_{k}.bin", buffer.data.tobytes())
            self._say("{")
            self._say(f'    char *data = file_bytes("{file}", {size}), *all = malloc({name}_lead + {name}_bytes + {size} + 1);')
            self._say(f"    memset(all, 0xA5, {name}_lead + {name}_bytes);")
            self._say(f"    memcpy(all + {name}_lead, data, {name}_bytes < {size} ? {name}_bytes : {size});")
            self._say(f"    {name} = buffer_of({name}_lead + {name}_bytes, all);")
            self._say("    free(data); free(all);")
            self._say("}")

    def _launched(self, i, launch):
        f = launch.facts
        for a in f["arguments"]:
            k = f"kernel{i}, {a['index']}"
            if a["kind"] == "buffer":
                self._say(f'checked(clSetKernelArg({k}, sizeof(cl_mem), &{self.buffers[launch.given[a["name"]]]}), "{a["name"]}");')
            elif a["kind"] == "offset":
                name = self.buffers[launch.given[a["of"]]]
                size = next(b["bytes_per_element"] for b in f["arguments"] if b["name"] == a["of"]) * _step(a["of"], launch)
                start = f"(cl_long)({name}_lead / {size} + {launch.shifts.get(a['of'], 0)})"
                self._say(f'checked(clSetKernelArg({k}, sizeof(cl_long), &(cl_long){{{start}}}), "{a["name"]}");')
            else:
                self._say(f'checked(clSetKernelArg({k}, sizeof(cl_{a["type"]}), &{a["name"]}_{i}), "{a["name"]}");')
        n, sizes = len(f["launch"]["global"]), f"NULL, global_{i}, local_{i}, 0, NULL, NULL"
        for kind in ("local", "global"):
            made = ", ".join(f"(size_t)({expression(t).c(launch.values)})" for t in f["launch"][kind])
            self._say(f"size_t {kind}_{i}[] = {{{made}}};")
        if f["launch"]["larger_global_size"] != "wrong":
            self._say(f"for (int d = 0; d < {n}; d++) global_{i}[d] += larger * local_{i}[d];")
        self._say(f'checked(clEnqueueNDRangeKernel(queue, kernel{i}, {n}, {sizes}), "launch {i}");')

    def _compared(self):
        self._say('checked(clFinish(queue), "clFinish");')
        for k, (buffer, name) in enumerate(self.buffers.items()):
            if buffer.expected is not None:
                file = self._file(f"{self.number}_{k}.expected", buffer.expected.tobytes())
                kind = f"{buffer.dtype.upper()}, {buffer.expected.size}, {c_program.ALLOWED.get(buffer.dtype, 0)!r}"
                self._say(f'wrong += compared("{file}", {name}, {name}_lead, {name}_bytes, {kind});')
            self._say(f"{{ int broken = 0; free(read_back({name}, {name}_lead + {name}_bytes, &broken)); wrong += broken; }}")
            self._say(f"clReleaseMemObject({name});")


def _leads(launches):
    """{Buffer: bytes before its first element}: none where a kernel takes it without an offset."""
    sizes = {}
    for launch in launches:
        for a in launch.facts["arguments"]:
            if a["kind"] == "buffer":
                unit = a["bytes_per_element"] * _step(a["name"], launch) if a["offset"] else 0
                sizes.setdefault(launch.given[a["name"]], []).append(unit)
    return {buffer: LEAD * max(each) * (min(each) > 0) for buffer, each in sizes.items()}


def _step(name, launch):
    """How many elements the offset of a buffer counts at a time; 1 where it has none."""
    steps = (a["step"] for a in launch.facts["arguments"] if a["kind"] == "offset" and a["of"] == name)
    return expression(next(steps, "1"))(launch.given)


def _literal(number):
    if isinstance(number, complex):
        return f"{{{{{_literal(number.real)}, {_literal(number.imag)}}}}}"
    if number == -2**63:
        return "INT64_MIN"
    return str(number) if isinstance(number, int) or math.isfinite(number) else str(number).upper().replace("INF", "INFINITY")
