"""One kernel for a family of C expressions over arrays, so that the family is compiled once; an argument selects one."""

import numpy as np

from cltensor.codegen import headers
from cltensor.codegen.sources import header_text
from cltensor.runtime.launch import Launch

PROLOGUE = "#ifdef cl_khr_fp64\n#pragma OPENCL EXTENSION cl_khr_fp64 : enable\n#endif\n#pragma OPENCL FP_CONTRACT ON\n"
CASE = """    case {i}:
        for (size_t i = 0; i < (size_t)n; i++) {{
            {loads}
            {body}
            y[i] = {result};
        }}
        break;
"""
SOURCE = """__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void apply({parameters}, int which, long n) {{
    switch (which) {{
{cases}    }}
}}
"""


class Applied:
    """Bodies by name, each (statements, result): C over a, b, c of type `argument`, giving `outcome`."""

    def __init__(self, device, bodies, argument="float", outcome=None, arity=3):
        self.device, self.arity, self.outcome = device, arity, outcome or argument
        self.numbers = {name: i for i, name in enumerate(bodies)}
        loads = " ".join(f"const {argument} {v} = x{i}[i];" for i, v in enumerate("abc"[:arity]))
        cases = "".join(CASE.format(i=i, loads=loads, body=" ".join(statements), result=result)
                        for i, (statements, result) in enumerate(bodies.values()))
        inputs = ", ".join(f"__global const {argument}* x{i}" for i in range(arity))
        kernel = SOURCE.format(parameters=f"__global {self.outcome}* y, {inputs}", cases=cases)
        inlined = "".join(header_text(name) for name in headers.needed(kernel))
        self.kernel = device.kernel(PROLOGUE + inlined + kernel, "apply")

    def __call__(self, name, *arrays, dtype):
        """The outcome, as an array of NumPy type dtype; missing arguments repeat the first."""
        device, result = self.device, np.empty(arrays[0].shape, dtype)
        arrays = [*arrays, *[arrays[0]] * (self.arity - len(arrays))]
        buffers = [device.allocate(max(a.nbytes, 1)) for a in (result, *arrays)]
        for buffer, array in zip(buffers[1:], arrays, strict=True):
            device.write(buffer, 0, np.ascontiguousarray(array))
        with device.lock:
            for i, argument in enumerate([*buffers, np.int32(self.numbers[name]), np.int64(result.size)]):
                self.kernel.set_arg(i, argument)
            device.submit(Launch(self.kernel, (1,), (1,)))
        device.read(buffers[0], 0, result)
        return result
