"""cltensor onnx: what is in an ONNX file."""

from .output import as_json
from .parser import add_json, command


def add_to(commands):
    """Add the command to argparse's sub-commands."""
    group = commands.add_parser("onnx", help="look at models in the ONNX format", description="Models in the ONNX format.")
    actions = group.add_subparsers(dest="action", metavar="ACTION", required=True)
    made = command(actions, "info", info, "say what a model needs and what of it is missing here",
                   epilog="exit status: 0 the model can be loaded, 1 something of it is missing.")
    made.add_argument("file", help="the model")
    add_json(made)


def info(options):
    """Print what a model needs; the status says whether cltensor.onnx.load reads it."""
    from ..onnx import info as described

    found = described(options.file)
    print(as_json(found) if options.json else found)
    return 1 if found.missing else 0
