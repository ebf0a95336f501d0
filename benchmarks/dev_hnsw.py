"""The vector rooms by themselves against hnswlib: kernels, codes, build, search, filters, files.

    PYTHONPATH=python python benchmarks/dev_hnsw.py --data FOLDER     # of the whole set, see examples/debian
    PYTHONPATH=python python benchmarks/dev_hnsw.py --smoke

Needs the development extensions (TURDB_TESTING=ON), numpy, and hnswlib for the comparison. Everything runs in one
process on the same vectors; queries are the data's own and rows with noise. Times are the best of several runs.
docs/decisions/0003-vector-codes.md quotes it.
"""

import argparse
import pathlib
import tempfile
import time

import numpy as np

from turdb._testing import hnsw, vec

try:
    import hnswlib
except ImportError:
    hnswlib = None


def load(arguments):
    rng = np.random.default_rng(0)
    if arguments.data is None:
        centre = rng.standard_normal((50, 384))
        rows = centre[rng.integers(0, 50, 4000)] + 0.7 * rng.standard_normal((4000, 384))
        own = rows[:0]
    else:
        folder = pathlib.Path(arguments.data)
        rows = np.load(folder / "embeddings.f16.npy").astype(np.float32)
        own = np.load(folder / "queries.f32.npy")
    rows = rows.astype(np.float32)
    noisy = rows[rng.choice(len(rows), arguments.queries, replace=False)]
    noisy = noisy + 0.03 * np.linalg.norm(noisy, axis=1).mean() * rng.standard_normal(noisy.shape)
    queries = np.concatenate([own, noisy]).astype(np.float32)
    return rows, queries / np.linalg.norm(queries, axis=1, keepdims=True)


def recall(found, truth):
    return np.mean([len(set(a) & set(b)) / len(b) for a, b in zip(found, truth)])


def words(mask):
    padded = np.zeros((len(mask) + 63) // 64 * 64, np.uint8)
    padded[: len(mask)] = mask
    return np.packbits(padded, bitorder="little").view(np.uint64)


def time_kernels(dim):
    print(f"\nkernels, {dim} dimensions in L1, ns a call")
    print(f"{'':10}" + "".join(f"{what:>9}" for what in ("sq8", "l2", "cosine", "ip", "l1")))
    for isa in vec.available():
        times = [min(vec.time_kernel(isa, what, dim, 300_000) for _ in range(5)) for what in ("sq8", "l2", "cosine", "ip", "l1")]
        print(f"{isa:10}" + "".join(f"{t:9.1f}" for t in times))


def time_builds(rows, threads):
    print(f"\nbuild, {len(rows):,} x {rows.shape[1]}, m=16, ef_construction=200, {threads} threads")
    start, cpu = time.perf_counter(), time.process_time()
    index = hnsw.MemoryIndex(rows, "cosine", threads=threads)
    ours = time.perf_counter() - start, time.process_time() - cpu
    print(f"turdb      {ours[0]:6.2f} s  ({ours[1]:.2f} s of CPU)")
    peer = None
    if hnswlib is not None:
        peer = hnswlib.Index("cosine", rows.shape[1])
        start, cpu = time.perf_counter(), time.process_time()
        peer.init_index(len(rows), M=16, ef_construction=200)
        peer.add_items(rows, num_threads=threads)
        theirs = time.perf_counter() - start, time.process_time() - cpu
        print(f"hnswlib    {theirs[0]:6.2f} s  ({theirs[1]:.2f} s of CPU)   turdb is {theirs[0] / ours[0]:.2f} times as fast")
    return index, peer


def time_searches(index, peer, queries, truth):
    print("\nsearch, k=10, one query at a time, one thread")
    print("          ef   recall@10   us a query   keys a query")
    lines = {"turdb": [], "hnswlib": []}
    for ef in (10, 16, 24, 32, 48, 64, 96, 128, 200):
        ids, _, counters = index.search_many(queries, ef=ef)
        micros = min(index.time_search(queries, ef=ef) for _ in range(5)) * 1e6
        lines["turdb"].append((recall(ids, truth), micros))
        print(f"turdb    {ef:4} {recall(ids, truth):10.4f} {micros:12.1f} {counters['computed'] / len(queries):12.0f}")
    if peer is None:
        return
    for ef in (10, 16, 24, 32, 48, 64, 96, 128, 200):
        peer.set_ef(ef)
        best = np.inf
        for _ in range(3):
            start = time.perf_counter()
            ids, _ = peer.knn_query(queries, k=10, num_threads=1)
            best = min(best, (time.perf_counter() - start) / len(queries) * 1e6)
        lines["hnswlib"].append((recall(ids, truth), best))
        print(f"hnswlib  {ef:4} {recall(ids, truth):10.4f} {best:12.1f}")
    print("at the recall of   hnswlib   turdb   ratio (turdb at the smallest ef that reaches it)")
    for level, theirs in lines["hnswlib"]:
        enough = [micros for reached, micros in lines["turdb"] if reached >= level]
        if enough:
            mine = min(enough)
            print(f"{level:15.4f} {theirs:9.1f} {mine:7.1f} {theirs / mine:7.2f}")


def time_filters(index, rows, queries):
    print("\nfiltered search, k=10, ef=64")
    rng = np.random.default_rng(1)
    some = queries[:100]
    for share in (0.001, 0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 0.9):
        mask = rng.random(len(rows)) < share
        bits = words(mask)
        truth = [hnsw.exact(rows, "cosine", query, k=10, filter=bits)[0] for query in some]
        ids, _, counters = index.search_many(some, filter=bits)
        micros = min(index.time_search(some, filter=bits) for _ in range(3)) * 1e6
        print(f"{share:6.1%} match: recall {recall(ids, truth):.4f}, {micros:8.1f} us, {counters['method']}")


def time_files(rows, queries, truth):
    print("\nthe same in the files of a store")
    with tempfile.TemporaryDirectory() as folder:
        index = hnsw.FileIndex(folder + "/db", rows.shape[1], "cosine")
        index.append(rows)
        start = time.perf_counter()
        index.build(2)
        print(f"build and commit   {time.perf_counter() - start:6.2f} s")
        found = [index.search(query)[0] - 1000 for query in queries]
        micros = min(index.time_search(queries) for _ in range(5)) * 1e6
        print(f"mapped             {micros:6.1f} us a query, recall {recall(found, truth):.4f}")
        index.append(rows[:1000] + 1e-3)
        start = time.perf_counter()
        index.absorb(threads=2)
        print(f"absorb 1,000       {time.perf_counter() - start:6.2f} s")
        micros = min(index.time_search(queries) for _ in range(5)) * 1e6
        print(f"before checkpoint  {micros:6.1f} us a query")


def time_exact(rows, queries):
    print("\nexact scan, k=10")
    for threads in (1, 2):
        best = np.inf
        for query in queries[:5]:
            start = time.perf_counter()
            hnsw.exact(rows, "cosine", query, k=10, threads=threads)
            best = min(best, time.perf_counter() - start)
        print(f"{threads} thread(s): {best * 1e3:6.2f} ms, {rows.nbytes / best / 1e9:5.1f} GB/s")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="folder of the Debian embeddings; synthetic vectors without it")
    parser.add_argument("--queries", type=int, default=950, help="noisy rows used as queries beside the data's own")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--smoke", action="store_true", help="a few seconds on synthetic vectors")
    arguments = parser.parse_args()
    if arguments.smoke:
        arguments.data, arguments.queries = None, 100
    rows, queries = load(arguments)
    truth = [hnsw.exact(rows, "cosine", query, k=10)[0] for query in queries]
    time_kernels(rows.shape[1])
    index, peer = time_builds(rows, arguments.threads)
    time_searches(index, peer, queries, truth)
    time_filters(index, rows, queries)
    time_exact(rows, queries)
    time_files(rows, queries, truth)


if __name__ == "__main__":
    main()
