"""The sub-commands list, render and build."""

from pathlib import Path

from ..output import as_json, fields, table, wrapped
from ..parser import UsageError, add_json, command, dtype, one_of, seconds
from . import build, catalog, rendering, settings


def add_to(commands):
    """Add the command to argparse's sub-commands."""
    group = commands.add_parser("kernels", help="list, render and build the kernel templates",
                                description="The kernel templates: list them, render one to OpenCL C, build them.")
    actions = group.add_subparsers(dest="action", metavar="ACTION", required=True)
    made = command(actions, "list", list_them, "list the templates with their dtypes, launch styles and parameters")
    made.add_argument("templates", nargs="*", metavar="TEMPLATE", help="only these")
    made.add_argument("--ops", action="store_true", help="list the ops that `render --op` knows instead")
    add_json(made)
    _add_render(actions)
    _add_build(actions)


def _add_render(actions):
    made = command(actions, "render", render, "write one kernel as a .cl file that compiles by itself",
                   epilog="example: cltensor kernels render matmul_tiled --dtype float16 --set MWG=128 -o matmul.cl")
    made.add_argument("template", nargs="?", metavar="TEMPLATE", help="a name from `cltensor kernels list`")
    made.add_argument("--op", help="the kernel of this elementwise op or reduction, instead of a template")
    made.add_argument("--dtype", type=dtype, metavar="D", help="by default the template's own, mostly float32")
    made.add_argument("--style", choices=catalog.STYLES, help="launch style: by default cpu where the template has it")
    made.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a parameter of the template")
    made.add_argument("-o", "--output", metavar="FILE", help="write here instead of to the terminal")
    made.add_argument("--json", action="store_true", help="print the text, kernel names and launch formula as JSON")


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
    made.add_argument("-o", "--output", metavar="FOLDER", help="write the .cl files to this folder")
    add_json(made)


def list_them(options):
    """Print the templates, or the ops."""
    if options.ops:
        found = {name: op.kind for name, op in catalog.ops().items()}
        print(as_json(found) if options.json else "\n".join(table(("op", "kind"), found.items())))
        return 0
    found = catalog.entries(options.templates)
    if options.json:
        print(as_json([dict(vars(e), dtypes=[d.name for d in e.dtypes]) for e in found]))
        return 0
    for e in found:
        tuning = ", ".join(f"{k}={_shown(v)}" for k, v in e.parameters.items() if k not in ("style", "dtype"))
        pairs = [("dtypes", catalog.sized(e.dtypes)), ("styles", ", ".join(e.styles)), ("parameters", tuning or "none")]
        print("\n".join([*wrapped(f"{e.name}: {e.summary}"), *fields(pairs, 4), ""]))
    return 0


def _shown(value):
    return value if isinstance(value, str) else repr(value).replace("()", "none")


def render(options):
    """Print or write one rendered kernel."""
    made = _wanted(options)
    if options.output:
        Path(options.output).write_text(made.text, encoding="utf-8")
    if options.json:
        print(as_json({"template": made.template, "kernels": rendering.kernel_names(made.text), "launch": made.launch,
                       "text": made.text}))
    elif not options.output:
        print(made.text, end="")
    return 0


def _wanted(options):
    if (options.op is None) == (options.template is None):
        raise UsageError("kernels render: name a TEMPLATE, or an op with --op; `cltensor kernels list` shows them")
    if options.op is not None:
        if options.set:
            raise UsageError("kernels render: --set goes with a TEMPLATE; an op sets the parameters itself")
        op = one_of(catalog.ops(), options.op, "there is no elementwise op or reduction")
        return rendering.of_op(op, options.dtype, options.style or "cpu")
    found = catalog.entry(options.template)
    return rendering.of_template(found, options.dtype, options.style, settings.parse(options.set, found))


def build_them(options):
    """Render, and with --check build, many kernels; print a table."""
    if options.all == bool(options.templates):
        raise UsageError("kernels build: name templates, or --all for every one")
    jobs = build.jobs(catalog.entries(options.templates), options.dtype, [options.style] if options.style else None)
    if not jobs:
        raise UsageError("kernels build: none of these templates has that dtype and launch style")
    if options.output:
        build.write(jobs, Path(options.output))
    results = build.check(jobs, options.timeout) if options.check else build.rendered(jobs)
    failed = [r for r in results if r.error]
    if options.json:
        print(as_json({"kernels": results, "ok": not failed}))
    else:
        print("\n".join(table(build.HEADER, build.rows(results), right=(3,))))
        for r in failed:
            print("\n".join(fields([("FAILED", f"{r.title}: {r.reason}")], 0)))
        print(f"\n{build.verdict(results, options.check)}")
    return 1 if failed else 0
