"""Print the size of each folder: files, lines, the median file and the longest one."""

import statistics
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("cltensor", "templates", "kernels_cl", "examples", "tests", "ci", "docs")
SUFFIXES = {".py", ".pyi", ".mako", ".cl", ".clh", ".md", ".sh", ""}


def rooms():
    """The folders to report: each package of cltensor, then the other top-level folders."""
    inner = [p for p in sorted((ROOT / "cltensor").iterdir()) if p.is_dir() and p.name != "__pycache__"]
    return [*inner, *(ROOT / name for name in FOLDERS if (ROOT / name).is_dir())]


def lengths(folder):
    """{file: lines} of the text files under a folder."""
    files = (p for p in folder.rglob("*") if p.is_file() and p.suffix in SUFFIXES and "__pycache__" not in p.parts)
    return {p: len(p.read_text(encoding="utf-8").splitlines()) for p in files}


def main():
    print(f"{'folder':<22}{'files':>6}{'lines':>8}{'median':>8}   longest")
    for folder in rooms():
        sizes = lengths(folder)
        if not sizes:
            continue
        longest = max(sizes, key=sizes.get)
        print(f"{folder.relative_to(ROOT)!s:<22}{len(sizes):>6}{sum(sizes.values()):>8}"
              f"{statistics.median(sizes.values()):>8.0f}   {longest.relative_to(folder)} {sizes[longest]}")


if __name__ == "__main__":
    main()
