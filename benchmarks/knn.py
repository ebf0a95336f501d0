#!/usr/bin/env python3
"""Nearest neighbours through SQL against hnswlib, usearch and faiss called directly: build, recall, latency, throughput.

    python benchmarks/knn.py                        the 20,000 packages of examples/debian
    python benchmarks/knn.py --data FOLDER          the whole set, or any folder that dataset.load() reads
    python benchmarks/knn.py --smoke                a small one, to see that it runs

All build with M = 16, ef_construction = 200 and 2 threads on the same float32 vectors (cosine). Each engine's ef is the
smallest of a fixed list whose recall@10 reaches the target, so that latencies are compared at equal recall. Single
queries run one by one in turn among the engines; medians over rounds. Ratios are other / turdb: above 1, turdb is faster.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path
from typing import Any, Optional

import harness
import numpy as np
from dataset import exact_neighbours, load

import turdb

M, EF_CONSTRUCTION, THREADS, K = 16, 200, 2, 10
EFS = (10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 128, 160, 192, 256, 384, 512, 768, 1024)


class Turdb:
    name = "turdb, SQL"

    def __init__(self, vectors: np.ndarray) -> None:
        self.con = turdb.connect(":memory:", isolation_level=None)
        self.con.execute(f"CREATE TABLE t (id INTEGER PRIMARY KEY, e VECTOR({vectors.shape[1]}))")
        self.con.append("t", {"id": np.arange(len(vectors)), "e": vectors})

    def build(self) -> None:
        self.con.execute(f"CREATE INDEX i ON t USING hnsw (e vector_cosine_ops) WITH (m={M}, ef_construction={EF_CONSTRUCTION})")

    def set_ef(self, ef: int) -> None:
        self.con.execute(f"PRAGMA hnsw_ef_search = {ef}")

    def one(self, query: np.ndarray) -> list[int]:
        return [row[0] for row in self.con.execute("SELECT id FROM t ORDER BY e <=> ? LIMIT 10", (query,)).fetchall()]

    def batch(self, queries: np.ndarray) -> np.ndarray:
        return self.con.knn("t", "e", queries, K, threads=THREADS)[0]


class Hnswlib:
    name = "hnswlib"

    def __init__(self, vectors: np.ndarray) -> None:
        self.vectors = vectors
        self.index = self.module.Index(space="cosine", dim=vectors.shape[1])
        self.index.init_index(len(vectors), M=M, ef_construction=EF_CONSTRUCTION)

    def build(self) -> None:
        self.index.add_items(self.vectors, np.arange(len(self.vectors)), num_threads=THREADS)

    def set_ef(self, ef: int) -> None:
        self.index.set_ef(ef)

    def one(self, query: np.ndarray) -> list[int]:
        return self.index.knn_query(query, k=K, num_threads=1)[0][0].tolist()

    def batch(self, queries: np.ndarray) -> np.ndarray:
        return self.index.knn_query(queries, k=K, num_threads=THREADS)[0]


class Usearch:
    name = "usearch"

    def __init__(self, vectors: np.ndarray) -> None:
        self.vectors = vectors
        self.index = self.module.Index(
            ndim=vectors.shape[1], metric="cos", dtype="f32", connectivity=M, expansion_add=EF_CONSTRUCTION
        )

    def build(self) -> None:
        self.index.add(np.arange(len(self.vectors)), self.vectors, threads=THREADS)

    def set_ef(self, ef: int) -> None:
        self.index.expansion_search = ef

    def one(self, query: np.ndarray) -> list[int]:
        return self.index.search(query, K).keys.tolist()

    def batch(self, queries: np.ndarray) -> np.ndarray:
        return self.index.search(queries, K, threads=THREADS).keys


class Faiss:
    name = "faiss HNSW"

    def __init__(self, vectors: np.ndarray) -> None:
        self.vectors = vectors  # of unit length: the inner product is the cosine
        self.index = self.module.IndexHNSWFlat(vectors.shape[1], M, self.module.METRIC_INNER_PRODUCT)
        self.index.hnsw.efConstruction = EF_CONSTRUCTION

    def build(self) -> None:
        self.module.omp_set_num_threads(THREADS)
        self.index.add(self.vectors)

    def set_ef(self, ef: int) -> None:
        self.index.hnsw.efSearch = ef

    def one(self, query: np.ndarray) -> list[int]:
        return self.index.search(query[None], K)[1][0].tolist()

    def batch(self, queries: np.ndarray) -> np.ndarray:
        return self.index.search(queries, K)[1]


def engines(names: Optional[list[str]]) -> list[type]:
    chosen: list[type] = [Turdb]
    for module_name, peer in (("hnswlib", Hnswlib), ("usearch.index", Usearch), ("faiss", Faiss)):
        if names is not None and module_name.split(".")[0] not in names:
            continue
        module = harness.optional(module_name)
        if module is not None:
            peer.module = module  # type: ignore[attr-defined]
            chosen.append(peer)
    return chosen


def recall_of(engine: Any, queries: np.ndarray, truth: np.ndarray) -> float:
    found = [engine.one(query) for query in queries]
    return statistics.mean(len(set(a) & set(b)) / K for a, b in zip(found, truth.tolist()))


def tune(engine: Any, queries: np.ndarray, truth: np.ndarray, target: float) -> tuple[int, float]:
    """The smallest ef that reaches the target, and the recall there."""
    ef, recall = 0, 0.0
    for ef in EFS:
        engine.set_ef(ef)
        recall = recall_of(engine, queries, truth)
        if recall >= target:
            break
    return ef, recall


def latencies(built: list[Any], queries: np.ndarray, rounds: int) -> dict[str, float]:
    """Median over rounds of the mean time of a query, engines in turn."""
    times: dict[str, list[float]] = {engine.name: [] for engine in built}
    for round_number in range(rounds + 1):
        for engine in built:
            start = time.perf_counter()
            for query in queries:
                engine.one(query)
            if round_number > 0:
                times[engine.name].append((time.perf_counter() - start) / len(queries))
    return {name: statistics.median(values) for name, values in times.items()}


def more_queries(vectors: np.ndarray, queries: np.ndarray, count: int) -> np.ndarray:
    """The real questions, and after them blends of a question and a package: near the data, but none of it."""
    random = np.random.default_rng(2024)
    blend = queries[random.integers(len(queries), size=count)] + vectors[random.integers(len(vectors), size=count)]
    blend /= np.linalg.norm(blend, axis=1, keepdims=True)
    return np.ascontiguousarray(np.vstack([queries, blend]), dtype=np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of another data set (default: examples/debian)")
    parser.add_argument("--target", type=float, nargs="*", default=[0.95, 0.98], help="recalls to compare at")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peers", nargs="*", help="only these of hnswlib, usearch, faiss")
    parser.add_argument("--smoke", action="store_true")
    arguments = parser.parse_args()
    data = load(arguments.data)
    vectors, count = data.embeddings, 450
    if arguments.smoke:
        vectors, count, arguments.target, arguments.rounds = vectors[:2000], 50, [0.95], 1
    queries = more_queries(vectors, data.queries, count)
    truth = exact_neighbours(vectors, queries, K)
    print(f"{len(vectors):,} x {vectors.shape[1]} float32, cosine, {len(queries)} queries; {harness.describe_machine()}\n")

    built, rows, first = [], [], None
    for engine_type in engines(arguments.peers):
        engine = engine_type(vectors)
        taken = harness.seconds(engine.build)
        first = first or taken
        built.append(engine)
        rows.append((engine.name, harness.readable(taken), f"{taken / first:.2f}"))
    print(f"Build, M={M}, ef_construction={EF_CONSTRUCTION}, {THREADS} threads")
    harness.print_table(("engine", "time", "x turdb"), rows)

    for target in arguments.target:
        tuned = {engine.name: tune(engine, queries, truth, target) for engine in built}
        single = latencies(built, queries, arguments.rounds)
        batch = harness.in_turn({engine.name: lambda engine=engine: engine.batch(queries) for engine in built}, arguments.rounds)
        own, own_batch = single[Turdb.name], batch[Turdb.name]
        rows = [
            (name, ef, f"{recall:.4f}", harness.readable(single[name]), f"{single[name] / own:.2f}",
             f"{len(queries) / batch[name]:,.0f}", f"{batch[name] / own_batch:.2f}")
            for name, (ef, recall) in tuned.items()
        ]
        print(f"recall@{K} of at least {target}")
        harness.print_table(("engine", "ef", "recall", "one query", "x turdb", f"batch q/s, {THREADS} threads", "x turdb"), rows)


if __name__ == "__main__":
    main()
