"""What stands in two places says the same: figures and names in the pages, against the code and against each other."""

import configparser
import importlib
import itertools
import re
import shlex
import sys
from pathlib import Path

import pytest

import cltensor as ct
from cltensor.base import config
from cltensor.cli.bench.cases import FAMILIES
from cltensor.cli.command import parser
from cltensor.cli.parser import UsageError
from cltensor.codegen import templates
from cltensor.dispatch.registry import REGISTRY
from cltensor.vision import models

ROOT = Path(__file__).resolve().parent.parent
FILES = [*(ROOT / f"{name}.md" for name in ("README", "CONTRIBUTING", "CHANGELOG")), *sorted((ROOT / "docs").glob("*.md"))]
PAGES = {p.relative_to(ROOT).as_posix(): p.read_text(encoding="utf-8") for p in FILES}
#: pages that measurements stand on; the others repeat a figure or have none
MEASURED = ("docs/performance.md", "docs/portability.md", "docs/profiling.md", "docs/vision-transforms.md")
PROGRAMS = {p.name for p in (ROOT / "examples").glob("*.py") if "__main__" in p.read_text(encoding="utf-8")}


def layers():
    sys.path.insert(0, str(ROOT / "ci"))
    try:
        return importlib.import_module("layers")
    finally:
        sys.path.pop(0)


# --- layers ----------------------------------------------------------------------------------------------------------


def in_contributing():
    """The names of layers in CONTRIBUTING, lowest first, a list for each step."""
    text = re.search(r"^    base ->.*?(?=\n\n)", PAGES["CONTRIBUTING.md"], re.M | re.S)[0]
    text = text.replace("the public namespace", "cltensor")
    return [re.split(r"[|,\s]+", step.strip()) for step in text.split("->")]


def in_architecture():
    rows = re.search(r"\| layer \|.*?(?=\n\n)", PAGES["docs/architecture.md"], re.S)[0].splitlines()[2:]
    return [re.findall(r"`([\w.]+)`", row.split("|")[1]) for row in rows]


@pytest.mark.parametrize("named", [in_contributing, in_architecture])
def test_layers_are_those_that_are_checked(named):
    rank = {name or "cltensor": r for name, r in layers().RANK.items()}
    steps = named()
    assert [n for step in steps for n in step if n not in rank] == []  # phantoms
    floors = [sorted(rank[n] for n in step) for step in steps]
    assert all(lower[-1] <= upper[0] for lower, upper in itertools.pairwise(floors)), steps


def test_the_architecture_tells_of_every_package():
    packages = {p.parent.name for p in (ROOT / "cltensor").glob("*/__init__.py")}
    assert sorted(p for p in packages if f"`{p}`" not in PAGES["docs/architecture.md"]) == []


# --- counts ----------------------------------------------------------------------------------------------------------

WORDS = ("one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen "
         "nineteen twenty").split()
COUNTED = {
    r"kernel templates|templates of kernels|templates": lambda: len(templates.names()),
    r"registered ops": lambda: len(REGISTRY),
    r"classification models": lambda: len(models.list_models(models)) - 1,  # LeNet-5 is not torchvision's
    r"programs in C": lambda: len(list((ROOT / "examples" / "c").glob("*.c"))),
    r"example programs|programs in `examples/`": lambda: len(PROGRAMS),
    r"launch styles": lambda: 2,
    r"settings of the environment": lambda: len(config.SETTINGS),
}


def number(word):
    return WORDS.index(word.lower()) + 1 if word.lower() in WORDS else int(word.replace(",", ""))


def counts(text):
    """[(number, its noun)] of what a text counts that can be counted."""
    nouns = "|".join(COUNTED)
    found = re.finditer(rf"(?i)\b(\d[\d,]*|{'|'.join(WORDS)}) ({nouns})\b", " ".join(text.split()))
    return [(number(m[1]), next(n for n in COUNTED if re.fullmatch(n, m[2], re.I))) for m in found]


def test_counts_are_those_of_the_code():
    wrong = {f"{page}: {n} {noun}, not {COUNTED[noun]()}" for page, text in PAGES.items() for n, noun in counts(text)
             if n != COUNTED[noun]()}
    assert not wrong


def test_counts_are_found_in_text():
    assert counts("there are 39 kernel\ntemplates, three programs in C") == [(39, next(iter(COUNTED))), (3, "programs in C")]
    assert {noun for text in PAGES.values() for _, noun in counts(text)} >= {"classification models", "programs in C"}


# --- names -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES)
def test_public_names_are_there(page):
    lines = (line for line in PAGES[page].splitlines() if not re.search(r"\bgone\b", line))  # a changelog names what was there
    names = set(re.findall(r"`(?:cltensor|ct)\.([A-Za-z_][\w.]*\w)`", "\n".join(lines)))
    assert sorted(n for n in names if not is_there(n) and not (ROOT / "cltensor" / n.replace(".", "/")).exists()) == []


def is_there(name):
    found, parts = ct, name.split(".")
    for at, part in enumerate(parts, 1):
        try:
            found = getattr(found, part)
        except AttributeError:
            try:
                found = importlib.import_module("cltensor." + ".".join(parts[:at]))
            except ImportError:
                return False
    return True


def commands(text):
    """Lines of a page that call the command: indented ones, and those in backticks."""
    for line in re.findall(r"^    (?:python -m )?(cltensor (?!=).*)$", text, re.M):
        yield re.split(r" {2,}#| # | && ", line)[0].strip()
    for line in re.findall(r"`(cltensor [a-z][^`]*)`", " ".join(text.split())):
        yield line


@pytest.mark.parametrize("page", PAGES)
def test_commands_are_understood(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for line in commands(PAGES[page]):
        words = shlex.split(line)[1:]
        made, options = parser(), [w for w in words if w.startswith("-") and w != "-"]
        inner = [p for p in made.descendants() if line.startswith(p.prog + " ") or line == p.prog]
        if words[:1] in (["--help"], ["--version"]):
            continue
        assert inner, f"{page}: {line}: there is no such command"
        known = inner[-1]._option_string_actions
        assert all(o.partition("=")[0] in known for o in options if not line.startswith("cltensor profile")), f"{page}: {line}"
        if not re.search(r"[A-Z]{3}|\.\.\.|--help|\w\|\w", line) and line != inner[-1].prog:
            refusal = refused(made, words)
            assert refusal is None or "required" in refusal, f"{page}: {line}: {refusal}"  # named without what it needs


def refused(made, words):
    """Why a parser does not understand words, or None."""
    try:
        made.parse_args(words)
    except UsageError as e:
        return str(e)
    return None


def test_commands_are_found_in_text():
    text = "`cltensor\ndoctor` and\n\n    cltensor bench matmul   # fast\n    python -m cltensor cache info\n    cltensor a && b\n"
    assert sorted(commands(text)) == ["cltensor a", "cltensor bench matmul", "cltensor cache info", "cltensor doctor"]


def test_scripts_have_the_options_that_are_named():
    for page, text in PAGES.items():
        for script, rest in re.findall(r"(?:^    |`)ci/([a-z]+)((?: +[^\s#`]+)*)", text, re.M):
            file = ROOT / "ci" / script
            if not file.is_file():
                assert file.is_dir() or list((ROOT / "ci").glob(f"{script}.*")), f"{page}: ci/{script}"
                continue
            known = file.read_text(encoding="utf-8")
            beside = {"oclgrind": "oclgrind_gate.py", "drivers": "driver_table.py"}
            known += (ROOT / "ci" / beside[script]).read_text(encoding="utf-8") if script in beside else ""
            options = re.findall(r"(?<!\S)(--[a-z]+)", rest.partition(" -- ")[0])
            assert [o for o in options if o not in known and o != "--help"] == [], f"{page}: ci/{script}{rest}"


def test_settings_are_those_of_the_code():
    """Every CLTENSOR_ name in a page is a setting; the README has all of them."""
    table = set(re.findall(r"^\| `(CLTENSOR_\w+)` \|", PAGES["README.md"], re.M))
    assert table == set(config.SETTINGS)
    of_cpp = (f.read_text(encoding="utf-8") for kind in ("CMakeLists.txt", "include/**/*.hpp") for f in (ROOT / "cpp").glob(kind))
    others = {*config.SETTINGS, "CLTENSOR_GENERATOR",  # of the tests alone
              *(name for text in of_cpp for name in re.findall(r"(?:option\(|setting\(\")(CLTENSOR_\w+)", text))}
    named = {(page, name) for page, text in PAGES.items() for name in re.findall(r"\bCLTENSOR_[A-Z_]+\b", text)}
    assert {n for n in named if n[1] not in others} == set()


def test_extras_are_those_of_the_package():
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    table = re.search(r"\| extra \|.*?(?=\n\n)", PAGES["README.md"], re.S)[0]
    assert set(re.findall(r"^\| `(\w+)`", table, re.M)) == set(setup["options.extras_require"])


def test_every_page_and_every_example_is_named():
    listed = set(re.findall(r"\]\((docs/[\w-]+\.md)\)", PAGES["README.md"]))
    assert listed == {page for page in PAGES if page.startswith("docs/")}
    rows = re.findall(r"^\| (`\w+\.py`(?:, `\w+\.py`)*) \|", PAGES["docs/examples.md"], re.M)
    assert {name for row in rows for name in re.findall(r"\w+\.py", row)} == PROGRAMS
    links = {(page, link) for page, text in PAGES.items() for link in re.findall(r"\]\(([\w./-]+)\)", text)}
    assert {(p, link) for p, link in links if not (ROOT / p).parent.joinpath(link).exists()} == set()


# --- figures ---------------------------------------------------------------------------------------------------------

#: a number, another one that it is compared with, their unit
FIGURE = re.compile(r"(?<![\w.,])(\d(?:[\d,.]*\d)?)(?:,? (?:to|and|not|beside|instead of|were) \d[\d,.]*)? ?"
                    r"(us|ms|GFLOP/s|TFLOP/s|GB/s)\b")


def figures(text):
    return {f"{m[1]} {m[2]}" for m in FIGURE.finditer(" ".join(text.split()))}


def test_figures_of_speed_stand_on_the_pages_of_measurements():
    """A page that tells how fast something is repeats one of the pages where it was measured."""
    known = set().union(*(figures(PAGES[page]) for page in MEASURED))
    assert {(page, f) for page, text in PAGES.items() if page not in MEASURED for f in figures(text) - known} == set()


def test_measured_cases_are_those_of_the_benchmarks():
    rows = re.findall(r"^\| ([a-z]+) \| ([^|]+) \| ([\dx^]+) \|", PAGES["docs/performance.md"], re.M)
    rows = [row for row in rows if row[0] in FAMILIES]
    assert len(rows) > 100
    wrong = []
    for family, name, text in rows:
        size = (1 << int(text[2:]),) if text.startswith("2^") else tuple(map(int, text.split("x")))
        wrong += [(family, name, text)] if not any(c.name == name and c.size(size) == size for c in FAMILIES[family].cases) else []
    assert wrong == []


def test_figures_are_found_in_text():
    assert figures("from 37 to\n28 ms, 0.5 us, 1,730 GB/s; v3.1 us2") == {"37 ms", "0.5 us", "1,730 GB/s"}


def test_figures_that_the_code_has_are_the_codes(monkeypatch):
    from cltensor.runtime import launch
    from cltensor.tune import search

    assert re.search(r"at least (\d+) % faster", PAGES["README.md"])[1] == f"{100 * search.MARGIN:.0f}"
    monkeypatch.delenv("CLTENSOR_CACHE_LIMIT", raising=False)
    assert f"size limit in MiB ({config.cache_limit() >> 20})" in PAGES["README.md"]
    assert f"within {launch.LIGHT * 1e6:.0f} us" in PAGES["docs/architecture.md"]
