"""Statistics of a device's memory, in torch.cuda's terms."""

from .memory import readable


def memory_stats(memory):
    """Statistics of a DeviceMemory as a flat dict of torch.cuda's keys; sizes in bytes."""
    pools = memory.pools
    return {
        "allocated_bytes.all.current": memory.allocated(),
        "allocated_bytes.all.peak": memory.peak,
        "reserved_bytes.all.current": memory.reserved(),
        "reserved_bytes.all.peak": memory.max_reserved(),
        "inactive_split_bytes.all.current": 0,  # blocks are never split
        "allocation.all.current": sum(p.active_blocks for p in pools),
        "inactive_blocks.all.current": sum(p.held_blocks for p in pools),
        "num_alloc_retries": memory.retries,
        "num_ooms": memory.ooms,
        "pools": len(pools),
    }


def memory_summary(memory, title):
    """The statistics as a readable table."""
    s = memory_stats(memory)
    rows = [
        ("", "now", "peak"),
        ("In use by tensors", readable(s["allocated_bytes.all.current"]), readable(s["allocated_bytes.all.peak"])),
        ("Reserved from the driver", readable(s["reserved_bytes.all.current"]),
         readable(s["reserved_bytes.all.peak"])),
        ("Blocks in use", str(s["allocation.all.current"]), ""),
        ("Blocks free for reuse", str(s["inactive_blocks.all.current"]), ""),
        ("Retries after failure", str(s["num_alloc_retries"]), ""),
        ("Out of memory errors", str(s["num_ooms"]), ""),
        ("Device memory", readable(memory.total), ""),
        ("Limit", "none" if memory.limit is None else readable(memory.limit), ""),
    ]
    lines = [f"{name:<26}{now:>16}{peak:>16}".rstrip() for name, now, peak in rows]
    width = max(map(len, [title, *lines]))
    return "\n".join([title, "-" * width, *lines])
