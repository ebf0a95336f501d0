"""What holds for every source file: its size, its opening comment, no notes of things left undone."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MOST_LINES = 600
SOURCE_SUFFIXES = {".h", ".cc", ".py", ".pyi", ".cmake"}
LEFT_UNDONE = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")


def sources() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode == 0:
        paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    else:  # an unpacked archive
        paths = [path for folder in ("cpp", "python", "tests", "benchmarks", "examples") for path in (ROOT / folder).rglob("*")]
    return sorted(path for path in paths if path.suffix in SOURCE_SUFFIXES and path.exists())


SOURCES = sources()


def test_there_are_sources():
    assert len(SOURCES) > 50


@pytest.mark.parametrize("folder", ["cpp", "python", "benchmarks", "examples"])
def test_no_file_is_too_long(folder):
    long = {
        path.relative_to(ROOT).as_posix(): lines
        for path in SOURCES
        if path.is_relative_to(ROOT / folder) and (lines := len(path.read_text().splitlines())) >= MOST_LINES
    }
    assert not long


def test_nothing_is_left_undone():
    found = [path.relative_to(ROOT).as_posix() for path in SOURCES if LEFT_UNDONE.search(path.read_text())]
    assert not found


def test_headers_open_with_a_comment():
    headers = [path for path in SOURCES if path.suffix == ".h"]
    assert not [path.relative_to(ROOT).as_posix() for path in headers if not path.read_text().startswith("//")]


def test_versions_agree():
    import turdb

    text = (ROOT / "python" / "turdb" / "__init__.py").read_text()
    assert f'__version__ = "{turdb.__version__}"' in text
