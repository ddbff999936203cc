"""cltensor cache: the folder of compiled kernels."""

import tempfile

from ..runtime import trusted
from ..runtime.cache import kernel_cache
from ..runtime.memory import readable
from .output import as_json, fields, plural
from .parser import add_json, command


def add_to(commands):
    """Add the command to argparse's sub-commands."""
    group = commands.add_parser("cache", help="look at, or empty, the cache of compiled kernels",
                                description="The cache of compiled kernels on disk.")
    actions = group.add_subparsers(dest="action", metavar="ACTION", required=True)
    add_json(command(actions, "info", info, "show where the cache is and what is in it"))
    add_json(command(actions, "clear", clear, "delete every compiled kernel; they are compiled again when needed"))


def info(options):
    """Print the cache's facts."""
    facts = describe()
    print(as_json(facts) if options.json else "\n".join(as_text(facts)))
    return 0


def clear(options):
    """Delete every entry, and the files that PoCL wrote beside them under earlier versions; other files stay."""
    cache = kernel_cache()
    removed, size = cache.clear()
    facts = {"folder": str(cache.folder), "removed": removed, "bytes": size}
    print(as_json(facts) if options.json else
          f"Removed {plural(removed, 'kernel')} ({readable(size)}) from {cache.folder}")
    return 0


def describe():
    """The cache's facts: folder, exists, writable, enabled, entries, bytes, limit (bytes), damaged (paths);
    and, if others could change it, refused (the reason, with the cure)."""
    cache = kernel_cache()
    entries = cache.entries()
    facts = {
        "folder": str(cache.folder), "exists": cache.folder.is_dir(), "writable": writable(cache.folder),
        "enabled": cache.limit > 0, "entries": len(entries), "bytes": sum(size for _, size, _ in entries),
        "limit": cache.limit, "damaged": cache.damaged(),
    }
    reason = refusal(cache.folder)
    return {**facts, "refused": reason} if reason else facts


def as_text(facts):
    """The facts of describe() as lines."""
    state = "missing so far; made when first needed" if not facts["exists"] else "writable"
    if not facts["writable"]:
        state = "not writable"
    if facts.get("refused"):
        state = "not used: " + facts["refused"]
    if not facts["enabled"]:
        state = "turned off by CLTENSOR_CACHE_LIMIT=0"
    pairs = [("folder", f"{facts['folder']} ({state})"),
             ("kernels", f"{facts['entries']}, {readable(facts['bytes'])} of at most {readable(facts['limit'])}")]
    if facts["damaged"]:
        pairs.append(("damaged", f"{len(facts['damaged'])}: {', '.join(facts['damaged'])}"))
    return fields(pairs)


def refusal(folder):
    """Why others could change this folder or one in it, with the cure, or None."""
    try:
        trusted.check(folder)
    except trusted.Untrusted as e:
        return str(e)
    for shard in _folders(folder):
        try:
            trusted.check(shard, shard)
        except trusted.Untrusted as e:
            return f"{str(e).partition(';')[0]}; empty it with `cltensor cache clear`"
    return None


def _folders(folder):
    """The folders in a folder; none where it is missing or cannot be read."""
    try:
        return sorted(p for p in folder.iterdir() if p.is_dir())
    except OSError:
        return []


def writable(folder):
    """Whether this process can create files in this folder, or the folder itself."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    try:
        with tempfile.TemporaryFile(dir=folder):  # a superuser has all permissions, but not every file system is writable
            return True
    except OSError:
        return False

