"""The sub-commands list, render, recipe, pack and build."""

import argparse
import re

from ...codegen import templates
from ..output import as_json, fields, table, wrapped, write_file
from ..parser import UsageError, add_json, command
from ..values import dtype, new_file_or_output, new_folder, seconds
from . import build, c_header, catalog, explained, pack, paper, recipe, rendering, settings


def add_to(commands):
    """Add the command to argparse's sub-commands."""
    group = commands.add_parser("kernels", help="list, render and build the kernel templates",
                                description="The kernel templates: list them, render one to OpenCL C, build them.")
    actions = group.add_subparsers(dest="action", metavar="ACTION", required=True)
    made = command(actions, "list", list_them, "list the templates with their dtypes, launch styles and parameters")
    made.add_argument("templates", nargs="*", metavar="TEMPLATE", help="only these, with what their parameters mean and may be")
    made.add_argument("--ops", action="store_true", help="list the ops that `render --op` and `recipe` know instead")
    add_json(made)
    _add_render(actions)
    recipe.add_to(actions)
    pack.add_to(actions)
    _add_build(actions)


def _add_render(actions):
    made = command(actions, "render", render, "write one kernel as a .cl file that compiles by itself and says how to run it",
                   epilog="examples:\n  cltensor kernels render matmul_tiled --dtype float16 --set MWG=128 -o matmul.cl\n"
                   "  cltensor kernels render --op softmax --style gpu")
    made.add_argument("template", nargs="?", metavar="TEMPLATE", help="a name from `cltensor kernels list`")
    made.add_argument("--op", help="the kernel of this op, by its name or its public function's, instead of a template")
    made.add_argument("--layout", choices=paper.LAYOUTS,
                      help="how the op's inputs lie in memory: by default contiguous; strided: every second element of a row; "
                           "broadcast: all but the first have one number for each row")
    made.add_argument("--dtype", type=dtype, metavar="D", help="by default the template's own, mostly float32")
    made.add_argument("--style", choices=catalog.STYLES, help="launch style: by default cpu where the template has it")
    made.add_argument("--set", action="append", default=[], metavar="NAME=VALUE",
                      help="a parameter of the template; `cltensor kernels list TEMPLATE` has their allowed values")
    made.add_argument("--name", type=_identifier, metavar="NAME",
                      help="of the kernel; by default made of op or template, dtype, style")
    made.add_argument("-o", "--output", type=new_file_or_output, metavar="FILE",
                      help="write here instead of to the terminal; - is standard output")
    made.add_argument("--header", action="store_true",
                      help="write a C header beside FILE, with a function that sets the arguments and launches the kernel")
    made.add_argument("--json", action="store_true",
                      help="print arguments, launch sizes, needs and text as JSON; docs/kernels.md describes it")


def _identifier(text):
    if not re.fullmatch(r"[A-Za-z_]\w*", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"{text!r} is no name for a function in C")
    return text


def _add_build(actions):
    made = command(actions, "build", build_them, "render templates for every dtype and launch style, and build them",
                   epilog="exit status: 0 everything was rendered and, with --check, built; 1 something was not")
    made.add_argument("templates", nargs="*", metavar="TEMPLATE", help="the templates to build")
    made.add_argument("--all", action="store_true", help="every template")
    made.add_argument("--dtype", type=dtype, action="append", metavar="D",
                      help="only this dtype; may be given several times")
    made.add_argument("--style", choices=catalog.STYLES, help="only this launch style")
    made.add_argument("--check", action="store_true", help="build each kernel on every device, in a process of its own")
    made.add_argument("--timeout", type=seconds, default=120, metavar="S",
                      help="seconds one build may take (default 120)")
    made.add_argument("-o", "--output", type=new_folder, metavar="FOLDER", help="write the .cl files to this folder")
    add_json(made)


def list_them(options):
    """Print the templates, or the ops."""
    if options.ops:
        if options.templates:
            raise UsageError("--ops lists all ops; name no TEMPLATE with it", "cltensor kernels list")
        found = {name: op.kind for name, op in catalog.launching().items()}
        print(as_json(found) if options.json else "\n".join(table(("op", "kind"), found.items())))
        return 0
    found = catalog.entries(options.templates)
    if options.json:
        print(as_json([{**vars(e), "dtypes": [d.name for d in e.dtypes], "allowed": catalog.allowed(e)}
                       for e in found]))
        return 0
    for e in found:
        tuning = ", ".join(f"{k}={_shown(v)}" for k, v in e.parameters.items() if k not in ("style", "dtype"))
        pairs = [("dtypes", catalog.sized(e.dtypes)), ("styles", ", ".join(e.styles)), ("parameters", tuning or "none")]
        meant = _parameters(e) if options.templates else []
        print("\n".join([*wrapped(f"{e.name}: {e.summary}"), *fields(pairs, 4), *meant, ""]))
    return 0


def _parameters(e):
    """What a template's parameters mean and may be, as lines."""
    declared = templates.declared(e.name)
    allowed = catalog.allowed(e)
    return fields([(name, "; ".join(filter(None, (declared[name].meaning, allowed[name] or "any of that type"))))
                   for name in e.parameters if name not in ("style", "dtype")], 6)


def _shown(value):
    return value if isinstance(value, str) else repr(value).replace("()", "none")


def render(options):
    """Print or write one rendered kernel, with what it needs to be run."""
    to_file = options.output not in (None, "-")
    if options.header and not to_file:
        raise UsageError("kernels render: --header writes a file beside that of -o FILE; name one")
    facts = explained.facts(*_wanted(options), options.name)
    if to_file:
        write_file(options.output, explained.explained(facts))
        if options.header:
            write_file(options.output.with_suffix(".h"), c_header.header(facts))
    if options.json:
        print(as_json({**facts, "text": explained.explained(facts)}))
    elif not to_file:
        print(explained.explained(facts), end="")
    return 0


def _wanted(options):
    """(the Source to render, the op it is for or None)"""
    if (options.op is None) == (options.template is None):
        raise UsageError("kernels render: name a TEMPLATE, or an op with --op; `cltensor kernels list` shows them")
    if options.op is None:
        if options.layout:
            raise UsageError("kernels render: --layout goes with --op; the parameters of a template say how its operands lie")
        found = catalog.entry(options.template)
        return rendering.of_template(found, options.dtype, options.style, settings.parse(options.set, found)), None
    if options.set:
        raise UsageError("kernels render: --set goes with a TEMPLATE; an op sets the parameters itself")
    op = catalog.op(options.op)
    return rendering.of_op(op, options.dtype, options.style or "cpu", options.layout or "contiguous"), op


def build_them(options):
    """Render, and with --check build, many kernels; print a table."""
    if options.all == bool(options.templates):
        raise UsageError("kernels build: name templates, or --all for every one")
    jobs = build.jobs(catalog.entries(options.templates), options.dtype, [options.style] if options.style else None)
    if not jobs:
        raise UsageError("kernels build: none of these templates has that dtype and launch style")
    if options.output:
        build.write(jobs, options.output)
    results = build.check(jobs, options.timeout) if options.check else build.rendered(jobs)
    failed = [r for r in results if r.error]
    if options.json:
        print(as_json({"kernels": results, "ok": not failed}))
    else:
        print("\n".join(table(build.HEADER, build.rows(results), right=(3,))))
        for r in failed:
            print("\n".join(fields([("FAILED", f"{r.title}: {r.reason}")], 0)))
        print("\n".join(["", *wrapped(build.verdict(results, options.check))]))
    return 1 if failed else 0
