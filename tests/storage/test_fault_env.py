"""The file system that injects faults keeps to its own rules, so that the tests on top of it prove what they say."""

import pytest

from turdb._testing import engine as e

SECTOR = 512


@pytest.fixture
def env():
    env = e.fault_env()
    env.mkdir("d")
    return env


def durable_file(env, path="d/f", data=b"0" * 4096):
    env.write(path, 0, data)
    env.sync(path)
    env.sync_dir("d")
    return data


def test_synced_bytes_survive_and_names_need_their_directory(env):
    durable_file(env)
    env.write("d/unnamed", 0, b"x")
    env.sync("d/unnamed")  # its name is not durable
    seen = set()
    for seed in range(40):
        other = e.fault_env()
        other.mkdir("d")
        durable_file(other)
        other.write("d/unnamed", 0, b"x")
        other.sync("d/unnamed")
        other.cut_power()
        other.restart(seed)
        assert other.read("d/f") == b"0" * 4096
        seen.add(tuple(other.list("d")))
    assert seen == {("f",), ("f", "unnamed")}


def test_any_subset_of_unsynced_writes_survives():
    """Three writes to places of their own: each of the eight subsets is found after some restart."""
    seen = set()
    for seed in range(300):
        env = e.fault_env()
        env.mkdir("d")
        durable_file(env)
        for i in range(3):
            env.write("d/f", i * SECTOR, bytes([65 + i]) * SECTOR)
        env.cut_power()
        env.restart(seed)
        data = env.read("d/f")
        seen.add(tuple(data[i * SECTOR] != 48 for i in range(3)))
        assert all(len(set(data[i * SECTOR : (i + 1) * SECTOR])) == 1 for i in range(8)), "a sector is torn"
    assert len(seen) == 8


def test_a_write_is_torn_at_sectors_and_order_is_kept_within_one():
    torn = set()
    for seed in range(900):
        env = e.fault_env()
        env.mkdir("d")
        durable_file(env)
        env.write("d/f", 100, b"a" * 1500)  # four sectors, of which two in part
        env.cut_power()
        env.restart(seed)
        data = env.read("d/f")
        assert data[:100] == b"0" * 100 and data[1600:] == b"0" * 2496
        bounds = [100, 512, 1024, 1536, 1600]
        pieces = [data[begin:end] for begin, end in zip(bounds, bounds[1:])]
        assert all(len(set(piece)) == 1 for piece in pieces)
        torn.add(tuple(piece[0] == ord("a") for piece in pieces))
    assert len(torn) == 16


def test_short_writes_end_anywhere():
    lengths = set()
    for pad in range(60):
        env = e.fault_env()
        env.mkdir("d")
        durable_file(env, data=b"0" * 100)
        for _ in range(pad):
            env.sync("d/f")  # calls, so that the seed of the cut differs
        env.fail_at(env.calls() + 1, e.SHORT_WRITE)
        with pytest.raises(RuntimeError, match="Io: .*injected short write"):
            env.write("d/f", 0, b"a" * 100)
        data = env.read("d/f")
        n = data.count(b"a")
        assert data == b"a" * n + b"0" * (100 - n)
        lengths.add(n)
        env.write("d/f", 0, b"b" * 100)
        assert env.read("d/f") == b"b" * 100
    assert len(lengths) > 20


def test_a_full_disk_cuts_writes_and_refuses_files(env):
    durable_file(env)
    env.fail_at(env.calls() + 1, e.DISK_FULL, 2)
    with pytest.raises(RuntimeError, match="DiskFull"):
        env.write("d/f", 0, b"a" * 100)
    with pytest.raises(RuntimeError, match="DiskFull"):
        env.write("d/new", 0, b"a")
    assert env.read("d/f")[:100] == b"a" * 50 + b"0" * 50
    assert env.list("d") == ["f"]


def test_after_a_failed_sync_a_later_one_proves_nothing():
    """As on Linux: what the failed sync did not write is forgotten, though the file still reads as written."""
    kept = set()
    for pad in range(40):
        env = e.fault_env()
        env.mkdir("d")
        durable_file(env)
        for _ in range(pad):
            env.sync("d/f")
        env.write("d/f", 0, b"a" * SECTOR)
        env.fail_at(env.calls() + 1, e.IO_ERROR)
        with pytest.raises(RuntimeError, match="Io: cannot sync"):
            env.sync("d/f")
        assert env.read("d/f")[:SECTOR] == b"a" * SECTOR
        env.sync("d/f")
        env.cut_power()
        env.restart(pad)
        kept.add(env.read("d/f")[:1])
    assert kept == {b"a", b"0"}


def test_a_killed_process_leaves_its_writes_as_durable_as_before(env):
    durable_file(env)
    env.write("d/f", 0, b"a" * SECTOR)
    env.kill_process()
    assert env.read("d/f")[:SECTOR] == b"a" * SECTOR
    env.sync("d/f")
    env.cut_power()
    env.restart(1)
    assert env.read("d/f")[:SECTOR] == b"a" * SECTOR
