"""The doctor's facts as text for people."""

from ...runtime.memory import readable
from .. import cache
from ..output import duration, fields, plural, wrapped

WORDS = {True: "yes", False: "no"}


def lines(facts):
    """The whole report, a list of lines."""
    packages = ", ".join(f"{name} {version or 'missing'}" for name, version in facts["packages"].items())
    out = [f"cltensor {facts['cltensor']}"]
    out += fields([("Python", f"{facts['python']} ({facts['executable']})"), ("packages", packages),
                   ("system", f"{facts['system']}, {plural(facts['cores'] or 1, 'core')}")])
    out += ["", "OpenCL", *_search(facts)]
    for d in facts["devices"]:
        out += ["", *_device(d, facts["default"])]
    out += ["", "Kernel cache", *(cache.as_text(facts["cache"]) if facts["cache"] else ["  unknown"])]
    out += ["", "Settings", *_settings(facts["settings"])]
    if facts.get("host_ops"):
        named = wrapped(", ".join(facts["host_ops"]), "")
        out += ["", "Ops that run on the host, through NumPy", *("  " + line for line in named)]
    return [*out, "", *_verdict(facts)]


def _search(facts):
    search = facts["search"]
    if not search["loader"]:
        return ["  not loaded"]
    pairs = [("loader", search["loader"])]
    pairs += [("vendor folder", f"{folder}: {_vendor_files(files, facts['unloadable'])}")
              for folder, files in search["vendor_folders"].items()]
    pairs += [("platform", f"{p['name']}, {p['version']}: {_devices_of(p)}") for p in search["platforms"]]
    return fields(pairs or [("platforms", "none")])


def _vendor_files(files, unloadable):
    if files is None:
        return "no such folder"
    shown = [f"{name} -> {library}{' (does not load)' if library in unloadable else ''}"
             for name, library in files.items()]
    return ", ".join(shown) or "no .icd file"


def _devices_of(p):
    return p["error"] or ", ".join(d["name"] for d in p["devices"]) or "no device"


def _device(d, default):
    p = d["profile"]
    chosen = f", the default: {default['reason']}" if default.get("device") == d["device"] else ""
    kind = p["kind"].upper() if len(p["kind"]) == 3 else p["kind"]
    head = f"{d['device']}  {d['name']} ({kind}){chosen}"
    types = {"fp64": p["fp64"], "fp16 arithmetic": p["fp16"], "subgroups": p["subgroups"],
             "int64 atomics": p["int64_atomics"]}
    speed = f" at {p['clock_mhz']} MHz" if p["clock_mhz"] else ""  # some drivers do not report it
    pairs = [
        ("platform", f"{d['platform']}, driver {d['driver']}, {d['version']}"),
        *_processor(d.get("naming")),
        ("units", f"{p['compute_units']}{speed}; vector width {p['vector_width']} for float"),
        ("launch style", f"{p['style']}; about {plural(p['groups'], 'work-group')} of {p['work_group']}, "
                         f"at most {p['max_work_group']} work-items a group"),
        ("memory", f"{readable(p['global_memory'])}; at most {readable(p['max_allocation'])} in one allocation; "
                   f"{readable(p['local_memory'])} local"),
        ("has", ", ".join(f"{name}: {WORDS[there]}" for name, there in types.items())),
        ("quirks", ", ".join(p["quirks"]) or "none"),
        ("tuning", "not tuned; cltensor tune measures what suits it" if d.get("tuned") is None else plural(d["tuned"], "result")),
    ]
    return [*wrapped(head), *fields([*pairs, *_checks(d["checks"])])]


def _processor(naming):
    """The processor's name, if the driver knows it."""
    if not naming:
        return []
    found, given = naming["found"], naming["given"]
    return [("processor", given if found == given else f"named {given} to PoCL, which had found {found}")]


def _checks(checks):
    passed = [name for name, r in checks.items() if "error" not in r]
    spent = sum(r.get("seconds", 0) for r in checks.values())
    pairs = [("checks", f"{len(passed)} of {len(checks)} passed in {duration(spent)}: {', '.join(passed)}")]
    pairs += [("FAILED", f"{name}: {r['error']}") for name, r in checks.items() if "error" in r]
    launch = checks.get("launch", {})
    if "enqueue" in launch:
        pairs.append(("launch", f"{duration(launch['enqueue'])} to enqueue a + b, "
                                f"{duration(launch['done'])} until it is done"))
    return pairs


def _settings(settings):
    return fields((name, "not set" if value is None else value) for name, value in settings.items())


def _verdict(facts):
    out = []
    for title, findings in (("Note", facts["notes"]), ("Problem", facts["problems"])):
        for f in findings:
            out += [*fields([(title, f.what), ("Cure", f.cure)], 0), ""]
    works = [d for d in facts["devices"] if not any("error" in r for r in d["checks"].values())]
    if facts["problems"]:
        return [*out, f"Verdict: {plural(len(facts['problems']), 'problem')}; {plural(len(works), 'device')} in order."]
    return [*out, f"Verdict: all is well; {plural(len(works), 'device')} in order."]
