"""Checksums, and the same promises from the operating system's files and from those in memory."""

import random
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turdb._testing import env as e

READ_ONLY, READ_WRITE, CREATE, CREATE_NEW = range(4)


def test_crc32c_known_values():
    # RFC 3720, B.4
    assert e.crc32c(0, b"123456789") == 0xE3069283
    assert e.crc32c(0, bytes(32)) == 0x8A9136AA
    assert e.crc32c(0, b"\xff" * 32) == 0x62A8AB43
    assert e.crc32c(0, bytes(range(32))) == 0x46DD794E
    assert e.crc32c(0, b"") == 0


@settings(deadline=None, max_examples=150)
@given(st.integers(0, 2**32), st.integers(0, 20000), st.integers(0, 20000), st.integers(0, 2**32 - 1))
def test_crc32c_by_instruction_and_table_agree(seed, length, cut, crc):
    data = random.Random(seed).randbytes(length)
    expected = e.crc32c_by_table(crc, data)
    assert e.crc32c(crc, data) == expected
    assert e.crc32c(e.crc32c(crc, data[:cut]), data[cut:]) == expected


@pytest.fixture(params=["posix", "memory"])
def place(request, tmp_path):
    if request.param == "posix":
        return e.posix_env(), str(tmp_path / "dir")
    return e.memory_env(), "dir"


def test_files_and_directories(place):
    env, root = place
    env.mkdir(root + "/a/b")
    assert env.dir_exists(root + "/a") and not env.file_exists(root + "/a")
    with pytest.raises(RuntimeError, match="Io: cannot open"):
        env.open(root + "/x", READ_WRITE)
    env.open(root + "/x", CREATE).write(0, b"hello")
    with pytest.raises(RuntimeError, match="Io: cannot create"):
        env.open(root + "/x", CREATE_NEW)
    env.rename(root + "/x", root + "/a/y")
    assert env.list(root) == ["a"] and env.list(root + "/a") == ["b", "y"]
    assert env.open(root + "/a/y", READ_ONLY).read(0, 5) == b"hello"
    env.sync_dir(root)
    env.delete(root + "/a/y")
    with pytest.raises(RuntimeError, match="Io: cannot delete"):
        env.delete(root + "/a/y")
    env.rmdir(root + "/a/b")
    assert env.list(root + "/a") == []


def test_mapping_outlives_its_file_and_shows_writes(place):
    env, root = place
    env.mkdir(root)
    file = env.open(root + "/f", CREATE)
    file.write(0, b"a" * 4096)
    mapping = file.map(1 << 20)
    file.write(4096, b"b" * 4096)
    file.write(0, b"c")
    assert mapping.read(0, 2) == b"ca" and mapping.read(4096, 1) == b"b"
    env.delete(root + "/f")
    del file
    assert mapping.read(8000, 3) == b"bbb"


@pytest.mark.parametrize("seed", range(5))
def test_reads_writes_truncates_against_a_bytearray(place, seed):
    env, root = place
    env.mkdir(root)
    rng = random.Random(seed)
    file, model = env.open(root + "/f", CREATE), bytearray()
    for _ in range(200):
        action, offset = rng.random(), rng.randrange(3000)
        if action < 0.4:
            data = rng.randbytes(rng.randrange(500))
            file.write(offset, data)
            parts = [data]
        elif action < 0.6:
            parts = [rng.randbytes(rng.randrange(100)) for _ in range(rng.randrange(6))]
            file.write_vector(offset, parts)
        elif action < 0.7:
            file.truncate(offset)
            model[offset:] = b""
            model.extend(bytes(offset - len(model)))
            continue
        else:
            length = rng.randrange(200)
            if length and offset + length > len(model):
                with pytest.raises(RuntimeError, match="unexpected end of file"):
                    file.read(offset, length)
            else:
                assert length == 0 or file.read(offset, length) == bytes(model[offset : offset + length])
            continue
        data = b"".join(parts)
        if data:
            model.extend(bytes(max(0, offset + len(data) - len(model))))
            model[offset : offset + len(data)] = data
        assert file.size() == len(model)


def test_temporary_files_have_no_name(place):
    env, root = place
    env.mkdir(root)
    one, other = env.open_temp(root), env.open_temp(root)
    one.write(5, b"first")
    other.write(0, b"second")
    assert one.read(0, 10) == bytes(5) + b"first" and other.read(0, 6) == b"second"
    one.truncate(2)
    assert one.size() == 2 and env.list(root) == []


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs a directory that nobody can write to")
def test_temporary_files_where_nothing_can_be_made():
    """As beside a database on a read-only file system: the system's place for temporary files is taken."""
    file = e.posix_env().open_temp("/sys")
    file.write(0, b"x")
    assert file.read(0, 1) == b"x"
    with pytest.raises(RuntimeError, match=r"Io.*temporary file in '/no/such/directory'.*No such file"):
        e.posix_env().open_temp("/no/such/directory")
