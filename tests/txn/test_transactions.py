"""Snapshots, private pages, savepoints and conflicts, against a model: a dict of page contents."""

import os
import random

import pytest

from turdb._testing import txn as t

UA = t.USER_AREA_OFFSET


@pytest.fixture(params=["memory", "posix"])
def store(request, tmp_path):
    if request.param == "memory":
        store = t.Store(t.memory_env(), "db")
    else:
        store = t.Store(t.posix_env(), str(tmp_path / "db"))
    yield store
    store.close()


def begin_writing(store):
    txn = store.begin()
    txn.start_writing()
    return txn


def user_bytes(txn, file=1, n=4):
    return txn.view(file).page(0)[UA : UA + n]


def test_commit_is_seen_by_later_snapshots_only(store):
    before = store.begin()
    assert user_bytes(before) == b"\0\0\0\0"
    writer = begin_writing(store)
    writer.write(1, 0, UA, b"abcd")
    assert user_bytes(writer) == b"abcd"
    assert user_bytes(store.begin()) == b"\0\0\0\0"
    writer.commit()
    assert user_bytes(before) == b"\0\0\0\0"
    assert user_bytes(store.begin()) == b"abcd"
    before.refresh()
    assert user_bytes(before) == b"abcd"


def test_rollback_leaves_nothing(store):
    writer = begin_writing(store)
    file, path = writer.create_file("root/a.tbd")
    assert path == "root/a.tbd"
    writer.write(1, 0, UA, b"abcd")
    writer.rollback()
    assert user_bytes(store.begin()) == b"\0\0\0\0"
    with pytest.raises(RuntimeError, match="Internal: .*no file with id"):
        store.begin().view(file)
    again = begin_writing(store)
    assert again.create_file("root/a.tbd")[1] == "root/a.tbd"


def test_names_do_not_collide(store):
    writer = begin_writing(store)
    paths = [writer.create_file("root/a.tbd")[1] for _ in range(3)]
    assert paths == ["root/a.tbd", "root/a~1.tbd", "root/a~2.tbd"]
    writer.commit()


def test_savepoints_nest(store):
    writer = begin_writing(store)
    writer.write(1, 0, UA, b"1")
    outer = writer.savepoint()
    writer.write(1, 0, UA, b"2")
    page = writer.allocate(1)
    writer.write(1, page, 100, b"x")
    inner = writer.savepoint()
    writer.write(1, 0, UA, b"3")
    file, _ = writer.create_file("root/b.tbd")
    writer.rollback_to(inner)
    assert user_bytes(writer, n=1) == b"2"
    with pytest.raises(RuntimeError, match="no file with id"):
        writer.view(file)
    writer.write(1, 0, UA, b"4")
    writer.rollback_to(inner)
    assert user_bytes(writer, n=1) == b"2"
    writer.rollback_to(outer)
    assert user_bytes(writer, n=1) == b"1"
    assert writer.view(1).page_count == 1
    writer.commit()
    assert user_bytes(store.begin(), n=1) == b"1"


def test_views_stay_what_they_were_after_freeze(store):
    writer = begin_writing(store)
    writer.write(1, 0, UA, b"1")
    view = writer.view(1)
    writer.freeze()
    writer.write(1, 0, UA, b"2")
    assert view.page(0)[UA : UA + 1] == b"1"
    assert user_bytes(writer, n=1) == b"2"


def test_one_writer_at_a_time(store):
    first = begin_writing(store)
    second = store.begin()
    with pytest.raises(RuntimeError, match="Busy: database is locked"):
        second.start_writing(0)
    first.write(1, 0, UA, b"1")
    first.commit()
    second.start_writing(0)  # has read nothing, so it moves on
    assert user_bytes(second, n=1) == b"1"


def test_stale_reader_that_writes_conflicts(store):
    reader = store.begin()
    user_bytes(reader)
    writer = begin_writing(store)
    writer.write(1, 0, UA, b"1")
    writer.commit()
    with pytest.raises(RuntimeError, match="Conflict: database changed since"):
        reader.start_writing()
    reader.refresh()
    reader.start_writing()


def test_file_versions(store):
    start = store.begin().file_version(1)
    writer = begin_writing(store)
    assert writer.file_version(1) == start
    writer.write(1, 0, UA, b"1")
    changed = writer.file_version(1)
    assert changed != start
    saved = writer.savepoint()
    writer.write(1, 0, UA, b"2")
    assert writer.file_version(1) not in (start, changed)
    writer.rollback_to(saved)
    assert writer.file_version(1) == changed
    writer.commit()
    assert store.begin().file_version(1) == changed


@pytest.mark.parametrize("seed", range(6))
def test_random_histories_match_a_model(store, seed):
    rng = random.Random(seed)
    writer = begin_writing(store)
    file, _ = writer.create_file("root/m.tbd")
    writer.commit()
    committed = {}
    snapshots = []
    for _ in range(40):
        writer = begin_writing(store)
        model, saves = dict(committed), []
        for _ in range(rng.randrange(1, 15)):
            action = rng.random()
            if action < 0.3 or not model:
                page = writer.allocate(file)
                assert page not in model
                assert writer.view(file).page(page)[16:] == bytes(t.PAGE_BYTES - 16)
                model[page] = b"\0" * 8
            elif action < 0.6:
                page = rng.choice(sorted(model))
                model[page] = os.urandom(8) if seed % 2 else rng.randbytes(8)
                writer.write(file, page, 5000, model[page])
            elif action < 0.7:
                page = rng.choice(sorted(model))
                del model[page]
                writer.free(file, page)
            elif action < 0.8:
                data = bytearray(rng.randbytes(t.PAGE_BYTES * 2))
                first = writer.extend_direct(file, data)
                for i in range(2):
                    model[first + i] = bytes(data[i * t.PAGE_BYTES + 5000 :][:8])
            elif action < 0.9:
                saves.append((writer.savepoint(), dict(model)))
            elif saves:
                depth, saved = saves[rng.randrange(len(saves))]
                saves = [s for s in saves if s[0] <= depth]
                writer.rollback_to(depth)
                model = dict(saved)
        if rng.random() < 0.8:
            writer.commit(rng.randrange(3))
            committed = model
        else:
            writer.rollback()
        if rng.random() < 0.3:
            snapshots.append((store.begin().view(file), committed))
        if rng.random() < 0.2:
            store.checkpoint()
        for view, expected in snapshots[-5:] + [(store.begin().view(file), committed)]:
            for page, content in expected.items():
                assert view.page(page)[5000:5008] == content
