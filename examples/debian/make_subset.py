#!/usr/bin/env python3
"""Choose the 20,000 packages of this folder out of the whole Debian set.

    python make_subset.py SOURCE_FOLDER [--packages 20000] [--out .]

SOURCE_FOLDER holds packages.tsv.gz, depends.tsv.gz, embeddings.f16.npy, queries.txt and queries.f32.npy for every
binary package of the release. Kept are, in this order until the number is reached:

1. the 20 nearest packages of each question, so that every question has its answers;
2. packages that people install for themselves: neither debugging symbols, headers, translations, documentation nor
   transitional packages, from the sections of applications and tools;
3. every other package, the most depended upon first (without those same variants).

Rows keep the order of the source. Of the edges, those between kept packages remain. Embeddings become int8 with a
float32 scale per vector (largest magnitude / 127), which is a quarter of float32 at a cosine error below 0.0002.
The result depends on the source only: running it again writes the same bytes.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import re
from collections import Counter
from pathlib import Path

import numpy as np

APPLICATION_SECTIONS = frozenset(
    ["admin", "comm", "database", "editors", "electronics", "embedded", "fonts", "games", "gnome", "gnu-r", "gnustep", "graphics", "hamradio", "httpd", "interpreters", "kde", "mail", "math", "misc", "net", "news", "otherosfs", "science", "shells", "sound", "tex", "text", "utils", "vcs", "video", "web", "x11", "xfce"]
)
DULL_SECTIONS = frozenset(["debug", "doc", "introspection", "libdevel", "localization", "oldlibs", "tasks", "metapackages"])
DULL_NAME = re.compile(
    r"-(dbg|dbgsym|dev|doc|docs|devel|locales?|l10n|i18n|help|headers|udeb|lang|data|common|examples?|tests?)$"
    r"|-(l10n|locale|i18n|help|lang|language-pack|headers)-|^(linux-headers|linux-image|linux-modules)-"
)
ANSWERS_PER_QUESTION = 20


def read_rows(path: Path) -> list[list[str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.reader(file, delimiter="\t"))


def write_rows(path: Path, rows: list[list[str]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter="\t", lineterminator="\n").writerows(rows)
    # No time stamp and no name in the gzip header, so that equal input gives equal bytes.
    with open(path, "wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as file:
        file.write(text.getvalue().encode("utf-8"))


def quantise(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """int8 codes [n, dim] and float32 scales [n] such that codes * scales[:, None] is close to `vectors`."""
    scales = np.abs(vectors).max(axis=1) / np.float32(127)
    return np.rint(vectors / scales[:, None]).astype(np.int8), scales.astype(np.float32)


def choose(packages: list[list[str]], edges: list[list[str]], vectors: np.ndarray, queries: np.ndarray, count: int) -> list[int]:
    """Row numbers of the packages to keep, ascending."""
    nearest = np.argsort(-(queries @ vectors.T), axis=1, kind="stable")[:, :ANSWERS_PER_QUESTION]
    answers = set(nearest.ravel().tolist())
    dependents = Counter(target for _, target, *_ in edges)

    def rank(row: int) -> tuple[int, int, str]:
        name, _, section = packages[row][:3]
        if row in answers:
            tier = 0
        elif section in DULL_SECTIONS or DULL_NAME.search(name):
            tier = 3
        else:
            tier = 1 if section in APPLICATION_SECTIONS else 2
        return tier, -dependents[name], name

    return sorted(sorted(range(len(packages)), key=rank)[:count])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("--packages", type=int, default=20_000)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    arguments = parser.parse_args()
    source, out = arguments.source, arguments.out

    header, *packages = read_rows(source / "packages.tsv.gz")
    edge_header, *edges = read_rows(source / "depends.tsv.gz")
    vectors = np.load(source / "embeddings.f16.npy").astype(np.float32)
    queries = np.load(source / "queries.f32.npy")
    kept = choose(packages, edges, vectors, queries, arguments.packages)
    names = {packages[row][0] for row in kept}
    kept_edges = [edge for edge in edges if edge[0] in names and edge[1] in names]

    write_rows(out / "packages.tsv.gz", [header] + [packages[row] for row in kept])
    write_rows(out / "depends.tsv.gz", [edge_header] + kept_edges)
    codes, scales = quantise(vectors[kept])
    np.save(out / "embeddings.i8.npy", codes)
    np.save(out / "scales.f32.npy", scales)
    np.save(out / "queries.f32.npy", queries)
    (out / "queries.txt").write_bytes((source / "queries.txt").read_bytes())
    size = sum(path.stat().st_size for path in out.iterdir() if path.suffix in {".gz", ".npy", ".txt"})
    print(f"{len(kept):,} packages, {len(kept_edges):,} edges, {size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
