"""The demo, the notebook and the README's example run as they stand."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = dict(os.environ, PYTHONPATH=str(ROOT / "python"), PYTHONWARNINGS="error::ResourceWarning")


def run(*arguments, cwd=None):
    process = subprocess.run([sys.executable, *map(str, arguments)], capture_output=True, text=True, env=ENVIRONMENT, cwd=cwd)
    assert process.returncode == 0, process.stdout[-2000:] + process.stderr[-4000:]
    return process.stdout


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """What the demo prints the first and the second time."""
    pytest.importorskip("rich")
    database = tmp_path_factory.mktemp("demo") / "debian.turdb"
    return [run(ROOT / "examples" / "debian" / "demo.py", "--database", database) for _ in range(2)]


def test_demo_loads_once(outputs):
    first, second = outputs
    assert "append 20,000 packages" in first and "CREATE INDEX packages_by_meaning" in first
    assert "append" not in second


@pytest.mark.parametrize("which", [0, 1])
def test_demo_answers_are_right(outputs, which):
    recalls = [float(value) for value in re.findall(r"of all 50 questions: ([\d.]+)", outputs[which])]
    assert len(recalls) == 2 and min(recalls) >= 0.97


@pytest.mark.parametrize("which", [0, 1])
def test_demo_tells_the_whole_story(outputs, which):
    output = outputs[which]
    for part in ["Ten questions", "WHERE section = 'net'", "packages", "depend on", "Delete and update", "another process", "it finds 19,999"]:
        assert part in output
    assert max(map(len, output.splitlines())) <= 120


def test_notebook():
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    path = ROOT / "notebooks" / "01-semantic-search.ipynb"
    notebook = nbformat.read(path, as_version=4)
    nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(path.parent)}}).execute()
    text = "".join(output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", []))
    assert float(re.search(r"by default settings: ([\d.]+)", text).group(1)) >= 0.97
    images = [output for cell in notebook.cells for output in cell.get("outputs", []) if "image/png" in output.get("data", {})]
    assert len(images) == 2


def test_readme_example(tmp_path):
    examples = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert examples
    (tmp_path / "example.py").write_text(examples[0])
    output = run(tmp_path / "example.py", cwd=tmp_path)
    assert "sqlite" in output.lower()
