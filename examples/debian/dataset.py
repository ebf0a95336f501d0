"""Load the Debian example: packages, dependency edges, description embeddings and questions.

    >>> from dataset import load
    >>> data = load()                 # the 20,000 packages beside this file
    >>> data.embeddings.shape, data.embeddings.dtype
    ((20000, 384), dtype('float32'))
    >>> full = load("/path/to/the/full/set")   # any folder with packages.tsv.gz and embeddings.f16.npy
"""

from __future__ import annotations

import csv
import gzip
from dataclasses import dataclass
from pathlib import Path
from typing import Optional, Union

import numpy as np

HERE = Path(__file__).resolve().parent
DIMENSIONS = 384
INTEGER_COLUMNS = ("installed_size_kib", "download_size")


@dataclass(frozen=True)
class Dataset:
    """One release of the archive; row i of every array and list belongs to the same package.

    packages      column name -> list of n values (str, or int for installed_size_kib and download_size)
    depends       "package", "target", "kind", "constraint" -> list of str, one place per edge
    embeddings    float32 [n, 384], unit length: the meaning of "name: description"
    questions     plain English
    queries       float32 [len(questions), 384], unit length: their meaning, by the same model
    """

    packages: dict[str, list]
    depends: dict[str, list]
    embeddings: np.ndarray
    questions: list[str]
    queries: np.ndarray

    def __len__(self) -> int:
        return len(self.packages["name"])


def read_columns(path: Path) -> dict[str, list]:
    """Columns of a gzipped tab-separated file with a header line."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file, delimiter="\t")
    columns: dict[str, list] = dict(zip(header, map(list, zip(*rows))))
    for name in INTEGER_COLUMNS:
        if name in columns:
            columns[name] = [int(text) for text in columns[name]]
    return columns


def read_embeddings(folder: Path) -> np.ndarray:
    """float32 [n, 384] of unit length, from int8 codes with scales or from float16."""
    if (folder / "embeddings.i8.npy").exists():
        vectors = np.load(folder / "embeddings.i8.npy").astype(np.float32)
        vectors *= np.load(folder / "scales.f32.npy")[:, None]
    else:
        vectors = np.load(folder / "embeddings.f16.npy").astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def load(folder: Optional[Union[str, Path]] = None) -> Dataset:
    """The data set in `folder`, or the one beside this file."""
    folder = Path(folder) if folder is not None else HERE
    return Dataset(
        packages=read_columns(folder / "packages.tsv.gz"),
        depends=read_columns(folder / "depends.tsv.gz"),
        embeddings=read_embeddings(folder),
        questions=(folder / "queries.txt").read_text(encoding="utf-8").splitlines(),
        queries=np.load(folder / "queries.f32.npy"),
    )


def exact_neighbours(vectors: np.ndarray, queries: np.ndarray, k: int) -> np.ndarray:
    """Rows of the k nearest vectors of each query by cosine, nearest first: int64 [queries, k]."""
    similarity = queries @ vectors.T
    best = np.argpartition(-similarity, k - 1, axis=1)[:, :k]
    order = np.argsort(-np.take_along_axis(similarity, best, axis=1), axis=1, kind="stable")
    return np.take_along_axis(best, order, axis=1)
