"""Savepoints that nest, go and come back, beside views that were taken in between, against dicts."""

from __future__ import annotations

import random

import pytest

from turdb._testing import txn as t

PAGES = 6
BYTE = 200  # where a page's value is


class Model:
    """What a transaction's pages hold, what each savepoint saved, what each view must go on showing."""

    def __init__(self, pages: list[int]) -> None:
        self.now = dict.fromkeys(pages, 0)
        self.saved: list[dict] = []
        self.views: list[tuple] = []


def step(rng: random.Random, txn, file: int, model: Model) -> None:
    action = rng.choices(["write", "savepoint", "release", "rollback", "view", "forget"], [12, 4, 4, 3, 2, 1])[0]
    depth = rng.randint(1, len(model.saved)) if model.saved else 0
    if action == "write":
        page, value = rng.choice(sorted(model.now)), rng.randrange(1, 256)
        txn.write(file, page, BYTE, bytes([value]))
        model.now[page] = value
    elif action == "savepoint" and len(model.saved) < 5:
        assert txn.savepoint() == len(model.saved) + 1
        model.saved.append(dict(model.now))
    elif action == "release" and depth:
        txn.release(depth)
        del model.saved[depth - 1 :]
    elif action == "rollback" and depth:
        txn.rollback_to(depth)
        del model.saved[depth:]
        model.now = dict(model.saved[-1])
    elif action == "view":
        txn.freeze()
        model.views.append((txn.view(file), dict(model.now)))
    elif action == "forget" and model.views:
        model.views.pop(rng.randrange(len(model.views)))


def values(view, pages) -> dict:
    return {page: view.page(page)[BYTE] for page in pages}


@pytest.mark.parametrize("seed", range(40))
def test_random_savepoints(tmp_path, seed):
    rng = random.Random(seed)
    store = t.Store(t.posix_env(), str(tmp_path / "db"))
    txn = store.begin()
    txn.start_writing()
    file, _ = txn.create_file("root/t.tbd")
    model = Model([txn.allocate(file) for _ in range(PAGES)])
    for _ in range(300):
        step(rng, txn, file, model)
        assert values(txn.view(file), model.now) == model.now
        for view, shown in model.views:
            assert values(view, shown) == shown
    model.views.clear()
    txn.commit()
    assert values(store.begin().view(file), model.now) == model.now
    store.close()


def test_statements_with_savepoints_do_not_copy_pages_again(tmp_path):
    """A page that a transaction has copied once is not copied for each statement that had a savepoint of its own."""
    store = t.Store(t.posix_env(), str(tmp_path / "db"))
    txn = store.begin()
    txn.start_writing()
    file, _ = txn.create_file("root/t.tbd")
    pages = [txn.allocate(file) for _ in range(PAGES)]
    txn.commit()
    txn.start_writing()
    for page in pages:
        txn.write(file, page, BYTE, b"\x01")
    before = txn.private_bytes
    for _ in range(50):
        depth = txn.savepoint()
        txn.write(file, pages[0], BYTE, b"\x02")
        txn.release(depth)
        for page in pages:
            txn.write(file, page, BYTE, b"\x03")
    assert txn.private_bytes - before == 50 * t.PAGE_BYTES  # the page that each changed while it had a savepoint
    store.close()
