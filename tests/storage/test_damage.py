"""Cut and flipped bytes: a prefix of the commits, or a clear error of the right kind; never a crash or a wrong byte."""

import random

import pytest

from turdb._testing import env as e
from turdb._testing import txn as t

UA = t.USER_AREA_OFFSET
N_COMMITS = 12


def commit(store, n):
    txn = store.begin()
    txn.start_writing()
    txn.write(1, 0, UA, n.to_bytes(8, "little"))
    if n == 1:
        txn.create_file("root/a.tbd")
        txn.extend_zeroed(2, 3)
    txn.write(2, 1 + n % 3, 700, n.to_bytes(8, "little"))
    txn.commit(2)


def build(env, close=False, checkpoint_at=None):
    store = t.Store(env, "db", segment_bytes=150)
    for n in range(1, N_COMMITS + 1):
        commit(store, n)
        if n == checkpoint_at:
            store.checkpoint()
    if close:
        store.close()
    return store


def files_of(env):
    paths = [f"db/{name}" for name in env.list("db") if name.startswith("turdb.meta")]
    for folder in ("wal", "root", "turdb_catalog"):
        paths += [f"db/{folder}/{name}" for name in env.list(f"db/{folder}")]
    return {path: env.read(path) for path in paths}


def put(files):
    env = t.fault_env()
    for folder in ("db/wal", "db/root", "db/turdb_catalog"):
        env.mkdir(folder)
    for path, data in files.items():
        env.write(path, 0, data)
    return env


def read_all(env):
    """The number of commits that the store shows, after checking that it is exactly a prefix; or the error's kind."""
    try:
        store = t.Store(env, "db")
        txn = store.begin()
        n = int.from_bytes(txn.view(1).page(0)[UA : UA + 8], "little")
        if n > 0:
            view = txn.view(2)
            for residue in range(3):
                newest = n - (n - residue) % 3
                expected = newest.to_bytes(8, "little") if newest > 0 else bytes(8)
                assert view.page(1 + residue)[700:708] == expected
        return n
    except RuntimeError as error:
        kind = str(error).split(":")[0]
        assert kind in ("Corruption", "ForeignFile", "NewerFormat"), error
        return kind


@pytest.fixture(scope="module")
def crashed():
    env = t.fault_env()
    store = build(env)
    files = files_of(env)
    store.close()
    return files


def test_undamaged(crashed):
    assert read_all(put(crashed)) == N_COMMITS


def segments(files):
    return sorted(path for path in files if "/wal." in path)


def test_log_cut_at_every_byte(crashed):
    paths = segments(crashed)
    assert len(paths) > 2
    seen = set()
    last = paths[-1]
    used = len(crashed[last].rstrip(b"\0"))
    for length in range(used + 2):
        files = dict(crashed)
        files[last] = crashed[last][:length]
        seen.add(read_all(put(files)))
    assert N_COMMITS in seen and all(isinstance(n, int) for n in seen)
    first = dict(crashed)
    first[paths[0]] = crashed[paths[0]][:80]
    assert read_all(put(first)) == "Corruption"


def test_log_flipped_at_every_byte(crashed):
    for path in segments(crashed):
        used = len(crashed[path].rstrip(b"\0"))
        for at in range(used):
            data = bytearray(crashed[path])
            data[at] ^= 1 << (at % 8)
            read_all(put({**crashed, path: bytes(data)}))


@pytest.fixture(scope="module")
def closed():
    env = t.fault_env()
    build(env, close=True)
    return files_of(env)


def test_meta_cut_and_flipped(closed):
    meta = closed["db/turdb.meta"]
    for at in range(len(meta)):
        assert isinstance(read_all(put({**closed, "db/turdb.meta": meta[:at]})), str)
        data = bytearray(meta)
        data[at] ^= 0x10
        assert isinstance(read_all(put({**closed, "db/turdb.meta": bytes(data)})), str)


def with_page_count(meta, file, count):
    """turdb.meta with another page count for a file, behind an intact checksum."""
    changed, at = bytearray(meta), 48
    while int.from_bytes(changed[at : at + 4], "little") != file:
        at += 10 + int.from_bytes(changed[at + 8 : at + 10], "little")
    changed[at + 4 : at + 8] = count.to_bytes(4, "little")
    changed[12:16] = e.crc32c(0, bytes(changed[16:])).to_bytes(4, "little")
    return bytes(changed)


@pytest.mark.parametrize("count", [0, 1, 3, 5, 1000, 2**31, 2**32 - 1])
def test_a_page_count_that_is_not_the_files(closed, count):
    """Nothing is reserved for pages that only the damage counts, and nobody walks over them."""
    meta = closed["db/turdb.meta"]
    assert with_page_count(meta, 2, 4) == meta
    store = t.Store(put({**closed, "db/turdb.meta": with_page_count(meta, 2, count)}), "db")
    txn = store.begin()
    assert txn.view(1).page(0)
    with pytest.raises(RuntimeError, match="Corruption: file 'root/a.tbd'") as error:
        txn.view(2)
    assert count == 0 or f"its header counts 4 pages where {count} were expected" in str(error.value)
    txn.start_writing()
    with pytest.raises(RuntimeError, match="Corruption: file 'root/a.tbd'"):
        txn.write(2, 1, 700, b"x")
    if count != 1:  # as many as the catalog has
        assert read_all(put({**closed, "db/turdb.meta": with_page_count(meta, 1, count)})) == "Corruption"


@pytest.mark.parametrize("path", ["db/root/a.tbd", "db/turdb_catalog/catalog.tbd"])
def test_data_file_damage_is_named(closed, path):
    data = closed[path]
    rng = random.Random(1)
    for _ in range(200):
        at = rng.randrange(len(data))
        flipped = bytearray(data)
        flipped[at] ^= 1 << rng.randrange(8)
        assert read_all(put({**closed, path: bytes(flipped)})) == "Corruption"
    for length in (0, 1, 100, t.PAGE_BYTES, len(data) - 1, len(data) - t.PAGE_BYTES):
        if length < len(data):
            assert read_all(put({**closed, path: data[:length]})) == "Corruption"
    missing = {name: content for name, content in closed.items() if name != path}
    env = put(missing)
    store = t.Store(env, "db")
    with pytest.raises(RuntimeError, match=f"Corruption: file '{path[3:]}' of the database is missing"):
        store.begin().view(1 if "catalog" in path else 2)


def test_newer_and_foreign(closed, tmp_path):
    data = bytearray(closed["db/turdb.meta"])
    data[8:12] = (999).to_bytes(4, "little")
    assert read_all(put({**closed, "db/turdb.meta": bytes(data)})) == "NewerFormat"
    assert read_all(put({**closed, "db/turdb.meta": b"something else entirely" * 9})) == "ForeignFile"
    plain = tmp_path / "x.db"
    plain.write_bytes(b"SQLite format 3\0" + bytes(4000))
    with pytest.raises(RuntimeError, match="ForeignFile: .*it is an SQLite database"):
        t.Store(t.posix_env(), str(plain))
    plain.write_bytes(b"hello")
    with pytest.raises(RuntimeError, match="ForeignFile: .*it is a plain file"):
        t.Store(t.posix_env(), str(plain))
    full = tmp_path / "full"
    full.mkdir()
    (full / "letter.txt").write_text("dear")
    with pytest.raises(RuntimeError, match="ForeignFile: .*holds 'letter.txt'"):
        t.Store(t.posix_env(), str(full))
    with pytest.raises(RuntimeError, match="no such directory"):
        t.Store(t.posix_env(), str(tmp_path / "absent"), create=False)
    lost = {name: content for name, content in closed.items() if "meta" not in name}
    assert read_all(put(lost)) == "Corruption"
