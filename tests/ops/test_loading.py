"""Every op is declared with the package, whatever else a program imports."""

import json
import subprocess
import sys

EVERYTHING = """
import importlib, json, pkgutil
import cltensor
from cltensor.dispatch.registry import REGISTRY
first = sorted(REGISTRY)
for module in pkgutil.walk_packages(cltensor.__path__, "cltensor."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
print(json.dumps([first, sorted(REGISTRY)]))
"""


def test_importing_cltensor_declares_every_op():
    run = subprocess.run([sys.executable, "-c", EVERYTHING], capture_output=True, text=True, check=True, timeout=120)
    first, everything = json.loads(run.stdout)
    assert everything == first
    assert {"add", "matmul", "sum_reduce", "gelu", "mse", "normalized", "attention", "adam_step"} <= set(first)
