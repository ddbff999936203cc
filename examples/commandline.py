"""What the command lines of all examples share: their options, the device they name first, and how they end."""

import argparse
import sys
import time
from pathlib import Path

import cltensor as ct

DTYPES = ("float32", "float64", "float16", "bfloat16")


def options(name, description, arguments, epochs, output=True, **own):
    """Read the command line, choose the device and the seed, and say what runs.

    name: the example's; arguments: a list, or None for the program's own; epochs: the default of --epochs; output: whether it
    writes files; own: further options by name, as dicts of add_argument.  The device becomes the default one, dtype a dtype.
    """
    parser = argparse.ArgumentParser(prog=f"{name}.py", description=description,
                                     formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--device", default="opencl", help="gpu, cpu, opencl:1, or opencl for the best one")
    parser.add_argument("--epochs", type=int, default=epochs, help="passes over the training data")
    parser.add_argument("--seed", type=int, default=0, help="of the data's split, the weights and the order")
    parser.add_argument("--dtype", default="float32", choices=DTYPES, help="of the data and the weights")
    parser.add_argument("--compile", action="store_true", help="capture a training step once, and replay it")
    if output:
        parser.add_argument("--output", type=Path, default=Path(f"{name}-output"), help="folder for what it writes")
    for option, settings in own.items():
        parser.add_argument(f"--{option.replace('_', '-')}", **settings)
    found = parser.parse_args(arguments)
    if found.epochs < 1:
        parser.error("--epochs must be at least 1")
    device = ct.device(found.device)
    print(f"{name}: {found.dtype} on {device}, {device.name} ({device.platform_name})", flush=True)
    ct.set_default_device(device)
    ct.manual_seed(found.seed)
    found.device, found.dtype = device, getattr(ct, found.dtype)
    if output:
        found.output.mkdir(parents=True, exist_ok=True)
    return found


def run(main):
    """Call main, and end as a command should: errors of the library and interrupts as one line."""
    start = time.perf_counter()
    try:
        main()
    except ct.CLTensorError as error:
        sys.exit(f"{Path(sys.argv[0]).stem}: {error}")
    except KeyboardInterrupt:
        sys.exit("\nInterrupted.")
    print(f"The whole run took {time.perf_counter() - start:.1f} s.")


def needs(error):
    """End with the command that brings what the examples need, after an ImportError."""
    sys.exit(f'{error}.  The command that brings what the examples need: pip install "cltensor[examples]"')
