"""Write ops.npz: results and gradients of op_cases.py by torchvision, in an environment that has it.

    python tests/vision/detection/record_ops.py
"""

from pathlib import Path

import numpy as np
import op_cases
import torch
import torchvision


def recorded(name, arguments, keywords, places):
    """[result, gradients] of one call, as float32 or whole numbers."""
    arguments = [torch.tensor(a) if isinstance(a, np.ndarray) else a for a in arguments]
    arguments = [(a, a) if name == "deform_conv2d" and isinstance(a, int) else a for a in arguments]
    for i in places:
        arguments[i].requires_grad_()
    result = getattr(torchvision.ops, name)(*arguments, **keywords)
    if places:
        (result * torch.tensor(op_cases.weights(result.shape))).sum().backward()
    return [result.detach().numpy(), *(arguments[i].grad.numpy() for i in places)]


if __name__ == "__main__":
    found = {f"{case} {i}": array for case, call in op_cases.cases().items() for i, array in enumerate(recorded(*call))}
    np.savez_compressed(Path(__file__).with_name("ops.npz"), **found)
