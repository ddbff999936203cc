"""The sub-command pack: one JSON document of kernels and declarations, from which a program without Python computes.

docs/cpp.md describes the document.  Interfaces, and the blocks between blank lines of texts, are written once, however many kernels
share them.
"""

import json

from ...base import dtypes
from ...version import __version__
from ..output import plural, write_file
from ..parser import UsageError, command
from ..values import dtype, new_file, new_folder
from . import catalog, cpp_header, explained, pack_ops

FORMAT, VERSION = "cltensor kernel pack", 1
DTYPES = ("float32", "int64", "bool")


def add_to(actions):
    """Add the command to argparse's sub-commands."""
    made = command(actions, "pack", pack, "write the kernels of many ops and their gradients to one JSON file, for the C++ library",
                   epilog="examples:\n  cltensor kernels pack kernels.json --dtypes float32 int64 bool --styles cpu gpu\n"
                   "  cltensor kernels pack kernels.json --ops add exp --dtypes float32")
    made.add_argument("file", type=new_file, metavar="FILE", help="write the pack here")
    made.add_argument("--ops", nargs="+", metavar="OP", help="only these elementwise ops and reductions; by default all")
    made.add_argument("--dtypes", nargs="+", type=dtype, metavar="D", default=[dtypes.BY_NAME[n] for n in DTYPES],
                      help=f"of the operands (default {' '.join(DTYPES)}); indices are int64 and conditions bool")
    made.add_argument("--styles", nargs="+", choices=catalog.STYLES, default=list(catalog.STYLES),
                      help="launch styles (default both)")
    made.add_argument("--header", type=new_folder, metavar="FOLDER", help="also write the C++ declarations of the ops to this folder")


def pack(options):
    """Write the file."""
    ops = _chosen(options.ops)
    document = Pack(options.dtypes, options.styles, ops).document()
    text = json.dumps(document, separators=(",", ":"))
    write_file(options.file, text)
    if options.header:
        options.header.mkdir(parents=True, exist_ok=True)
        write_file(options.header / "elementwise_ops.hpp", cpp_header.header(ops))
        write_file(options.header / "elementwise_methods.inc", cpp_header.methods(ops))
    size = len(text.encode()) / 1e6
    print(f"{options.file}: {plural(len(ops), 'op')}, {plural(len(document['kernels']), 'kernel')}, {size:.1f} MB")
    return 0


def _chosen(names):
    known = {n: op for n, op in catalog.ops().items() if pack_ops.packed(op)}
    if not names:
        return known
    found = {op.name: op for op in map(catalog.op, names)}
    others = [n for n in found if n not in known]
    if others:
        raise UsageError(f"kernels pack: {', '.join(others)}: --ops takes elementwise ops of real numbers, and reductions")
    return {**{n: known[n] for n in ("copy", "full")}, **found}


class Pack:
    """The document of some ops for some dtypes and launch styles."""

    def __init__(self, kinds, styles, ops):
        self.kinds, self.styles, self.ops = kinds, styles, ops
        self.blocks, self.interfaces, self.kernels, self.find, self.declared = {}, {}, [], {}, {}

    def document(self):
        """The whole as plain data."""
        for op in self.ops.values():
            self._add(op)
        for style in self.styles:
            for name in (*pack_ops.CALLS, *pack_ops.TEMPLATES):
                for kind in self.kinds:
                    self._keep(f"{style}/{name}/{kind.name}", pack_ops.whole(name, kind, style))
        return {"format": FORMAT, "version": VERSION, "made_by": f"cltensor {__version__}", "licence": "MIT, the cltensor authors",
                "styles": list(self.styles), "dtypes": [d.name for d in self.kinds], "rank": pack_ops.RANK,
                "kept": pack_ops.KEPT, "reduced": pack_ops.REDUCED, "ops": self.declared, "find": self.find,
                "kernels": self.kernels, "interfaces": [json.loads(i) for i in self.interfaces], "blocks": list(self.blocks)}

    def _add(self, op):
        self.declared[op.name] = found = pack_ops.declared(op)
        kinds = [d for d in self.kinds if d in op.allowed]
        if op.name == "copy":
            self._copies(op)
        elif op.kind == "reduction":
            self._kernels(op, kinds, pack_ops.reduction)
            return
        else:
            self._kernels(op, kinds, pack_ops.elementwise)
        floating = [d for d in kinds if d.is_floating_point]
        for mask, made in pack_ops.gradients(op) if floating else ():
            found["gradients"][mask] = self._gradient(op, mask, made, floating)

    def _kernels(self, op, kinds, rendered, name=None):
        for style in self.styles:
            for kind in kinds:
                for layout, results, source in rendered(op, kind, style):
                    self._keep(f"{style}/{name or op.name}/{kind.name}/{layout}", source, [r.dtype.name for r in results])

    def _copies(self, op):
        for style in self.styles:
            for pair in ((a, b) for a in self.kinds for b in self.kinds):
                for layout, source in pack_ops.copies(op, pair, style):
                    self._keep(f"{style}/copy/{pair[0].name}>{pair[1].name}/{layout}", source, [pair[1].name])

    def _gradient(self, op, mask, made, kinds):
        """A Gradient as plain data; results: for each input in the mask what it is: a number of a result, a name or null."""
        row = [f"{x}{i}" for x in "gy" for i in range(len(op.exprs))] + list(op.inputs)
        results = [None if p is None else p - len(row) if p >= len(row) else row[p] for p in made.results]
        found = {"op": None, "sources": list(made.sources), "attributes": [], "zeros": made.zeros, "results": results}
        if made.op is not None:
            found |= {"op": f"{op.name}_backward:{mask}", "attributes": list(made.op.attr_names)}
            self._kernels(made.op, kinds, pack_ops.elementwise, found["op"])
        return found

    def _keep(self, key, source, results=()):
        if source is None:
            return
        facts = explained.facts(source)
        choices = [[n, c["default"]] for n, c in facts["launch"]["choices"].items()]
        interface = {"arguments": [_argument(a) for a in facts["arguments"]], "choices": choices,
                     "local": facts["launch"]["local"], "global": facts["launch"]["global"]}
        values = {p["name"]: int(p["value"]) for p in facts["parameters"] if isinstance(p["value"], int)}
        self.find[key] = len(self.kernels)
        self.kernels.append({"function": facts["kernel"], "values": values, "results": list(results),
                             "text": [_number(self.blocks, block) for block in facts["text"].split("\n\n")],
                             "interface": _number(self.interfaces, json.dumps(interface))})


def _number(seen, what):
    return seen.setdefault(what, len(seen))


def _argument(a):
    """A C parameter as [kind, C type, name]."""
    return [a["kind"], a["type"], a["name"]]

