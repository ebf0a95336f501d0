"""The pages for readers name files and tests that there are."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BASES = [ROOT, ROOT / "tests", ROOT / "cpp"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page):
    targets = re.findall(r"\]\(([^)#]+)", page.read_text())
    assert not [target for target in targets if not target.startswith("http") and not (page.parent / target).exists()]


def test_tests_that_are_named_exist():
    text = (ROOT / "docs" / "testing.md").read_text()
    named = re.findall(r"`((?:tests/)?\w+/test_\w+\.py)(?:::(test_\w+))?`", text)
    assert len(named) > 40
    for path, name in named:
        (source,) = [base / path for base in BASES if (base / path).exists()]
        assert f"def {name}(" in source.read_text() or not name, (path, name)
    defined = set(re.findall(r"def (test_\w+)\(", "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))))
    assert set(re.findall(r"`(test_\w+)`", text)) <= defined
