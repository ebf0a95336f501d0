"""Pages of key trees: what they hold byte by byte, pages of the first layout, prefixes that come and go, and how full they are."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.key_pages import INTERIORS, LEAVES, PLAIN, decode, make_plain

import turdb
from turdb._testing import btree as b


def check(tree, model):
    findings, used = tree.check()
    assert findings == []
    assert used + tree.free_count() + 1 == tree.page_count()
    assert tree.walk() == sorted(model.items())
    assert tree.walk(False) == sorted(model.items(), reverse=True)


def content(tree, page_id=1):
    """(key's part in the page, payload's) of all leaves, in order, by an independent reading of the pages."""
    page = decode(tree.page(page_id))
    if page.level == 0:
        return [(cell.key, cell.rest) for cell in page.cells]
    children = [page.first_child] + [int.from_bytes(cell.rest[-4:], "little") for cell in page.cells]
    return [entry for child in children for entry in content(tree, child)]


def kinds(tree):
    """Kinds of the tree's pages, root first."""
    out, todo = [], [1]
    while todo:
        page = decode(tree.page(todo.pop()))
        out.append(page.kind)
        if page.level > 0:
            todo += [page.first_child] + [int.from_bytes(cell.rest[-4:], "little") for cell in page.cells]
    return out


short = st.one_of(
    st.binary(max_size=6), st.text(alphabet="ab\x00\x01\xff", max_size=5).map(lambda s: s.encode("latin1"))
)
shared = st.builds(lambda n, tail: b"shared beginning"[:n] + tail, st.integers(0, 16), short)
payloads = st.one_of(st.just(b""), st.just(b"four"), st.binary(max_size=20))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.dictionaries(st.one_of(short, shared), payloads, max_size=40), st.data())
def test_a_page_holds_what_its_bytes_say(model, data):
    tree = b.KeyTree()
    for key, payload in model.items():
        tree.insert(key, payload)
    assert content(tree) == sorted(model.items())
    for key in data.draw(st.lists(st.sampled_from(sorted(model)), unique=True)) if model else []:
        if data.draw(st.booleans()):
            tree.erase(key)
            del model[key]
        else:
            model[key] = data.draw(payloads)
            tree.update(key, model[key])
    assert content(tree) == sorted(model.items())
    check(tree, model)


@pytest.mark.parametrize("prefix_bytes", [0, 3, 60, 130, 1990, 1997, 1999])
def test_searches_at_the_edges_of_prefix_head_and_page(prefix_bytes):
    """Keys that end in the prefix, in the head, behind it, at the last byte in the page and in a chain."""
    rng = random.Random(prefix_bytes)
    prefix = b"p" * prefix_bytes
    tails = [b""] + [bytes(rng.choices(b"\x00\x01p\xff", k=n)) for n in (1, 1, 2, 2, 3, 3, 4, 4, 5, 6, 9, 10, 11, 40)]
    model = {prefix + tail: b"" for tail in tails}
    tree = b.KeyTree()
    for key in sorted(model, key=lambda key: rng.random()):
        assert tree.insert(key, b"")
        assert not tree.insert(key, b"")
    check(tree, model)
    ordered = sorted(model)
    near = (
        {key[:-1] for key in ordered}
        | {key + end for key in ordered for end in (b"\x00", b"\x01", b"\xff")}
        | {b"o", b"q"}
    )
    for key in near | set(ordered):
        assert (tree.find(key) is not None) == (key in model)
        assert tree.seek(key, True) == min((k for k in ordered if k >= key), default=None)
        assert tree.seek(key, False) == max((k for k in ordered if k <= key), default=None)


def test_a_key_without_the_prefix_of_a_full_page():
    """Thousands of short keys behind a long common beginning fill pages that could never hold them whole."""
    tree = b.KeyTree()
    model = {b"x" * 1900 + b"%04d" % i: b"" for i in range(4000)}
    tree.append(sorted(model.items()))
    pages = tree.check()[1]
    assert pages < 10
    for key in (b"a", b"x" * 1900, b"x" * 1899 + b"y", b"x" * 1900 + b"2000+", b"z", b"x" * 500):
        assert tree.insert(key, b"edge")
        model[key] = b"edge"
        check(tree, model)
    assert tree.check()[1] <= pages + 6
    for key in sorted(model, key=lambda key: (len(key), key)):
        assert tree.erase(key)
        del model[key]
        if len(model) % 500 == 0:
            check(tree, model)


def test_one_payload_of_another_length_in_a_full_page():
    tree = b.KeyTree()
    model = {b"%05d" % i: b"abcd" for i in range(8000)}
    tree.append(sorted(model.items()))
    for key in (b"00000", b"04000", b"07999"):
        model[key] = b"abcde"
        assert tree.update(key, b"abcde")
        check(tree, model)


def plain_tree(rng, model):
    """A tree whose pages are all of the first layout, half empty as random inserts and erases leave them."""
    tree = b.KeyTree()
    keys = sorted(model)
    rng.shuffle(keys)
    extra = [key + b"~" for key in keys]
    for key in keys + extra:
        tree.insert(key, model.get(key, b"gone"))
    for key in extra:
        tree.erase(key)
    assert make_plain(tree) > 0
    assert set(kinds(tree)) <= set(PLAIN)
    return tree


def plain_model(rng):
    model = {
        b"%02d" % rng.randrange(100) + b"key %05d" % rng.randrange(10**5): b"p" * rng.randrange(30) for _ in range(6000)
    }
    model.update({b"50" + b"c" * 2500 + b"%03d" % i: b"y" * rng.choice([0, 5000]) for i in range(3)})
    return model


def test_pages_of_the_first_layout_are_read_as_they_are():
    rng = random.Random(1)
    model = plain_model(rng)
    tree = plain_tree(rng, model)
    before = [tree.page(i) for i in range(1, tree.page_count())]
    check(tree, model)
    assert tree.count() == len(model)
    ordered = sorted(model)
    for key in rng.sample(ordered, 300) + [b"", b"5", b"\xff", ordered[7] + b"\x00"]:
        assert tree.find(key) == ((key, model[key]) if key in model else None)
        assert tree.seek(key, True) == min((k for k in ordered if k >= key), default=None)
    assert before == [tree.page(i) for i in range(1, tree.page_count())]


@pytest.mark.parametrize("change", ["insert", "update", "erase", "append", "mixed"])
def test_pages_of_the_first_layout_become_new_ones_when_they_change(change):
    rng = random.Random(2)
    model = plain_model(rng)
    tree = plain_tree(rng, model)
    tree.commit()
    old = kinds(tree)
    for i, key in enumerate(rng.sample(sorted(model), 3000 if change != "append" else 1)):
        how = change if change != "mixed" else rng.choice(["insert", "update", "erase"])
        if how == "insert":
            assert tree.insert(key + b"new", b"n" * (i % 40))
            model[key + b"new"] = b"n" * (i % 40)
        elif how == "update":
            model[key] = b"u" * (i % 60)
            assert tree.update(key, model[key])
        elif how == "erase":
            del model[key]
            assert tree.erase(key)
        else:
            more = {b"~%05d" % n: b"m" * (n % 9) for n in range(3000)}
            tree.append(sorted(more.items()))
            model.update(more)
        if i % 400 == 0:
            check(tree, model)
    check(tree, model)
    now = kinds(tree)
    assert set(now) & set(LEAVES + INTERIORS) - set(PLAIN), "pages of the new layout"
    if change != "append":  # everywhere
        assert now.count(6) < old.count(6) / 10
    tree.rollback()
    assert kinds(tree) == old


@pytest.mark.parametrize("order", ["random", "strides", "descending"])
def test_inserts_in_any_order_leave_pages_well_filled(order):
    """A full page shares the cells of its neighbours before it splits, so pages are nine tenths full and not two thirds."""
    keys = [b"key%07d" % (i * 7919 % 1000003 if order == "strides" else 60000 - i) for i in range(60000)]
    if order == "random":
        random.Random(3).shuffle(keys)
    tree = b.KeyTree()
    model = {}
    full = b.KeyTree()
    for key in keys:
        tree.insert(key, b"12")
        model[key] = b"12"
    full.append(sorted(model.items()))
    most = {"random": 1.2, "strides": 1.25, "descending": 1.05}[order]
    assert full.check()[1] <= tree.check()[1] <= full.check()[1] * most
    check(tree, model)


@pytest.mark.parametrize("low, high", [(1, 1), (0, 40), (100, 500), (300, 3000)])
def test_random_inserts_of_keys_and_payloads_of_any_length(low, high):
    rng = random.Random(low)
    tree, full, model = b.KeyTree(), b.KeyTree(), {}
    for _ in range(2_000_000 // (high + 60)):
        key = b"k%d" % rng.randrange(3) + rng.randbytes(16)[: rng.choice([3, 9, 16])] + b"l" * rng.randint(low, high)
        payload = bytes(rng.choice([1, 1, 2, 5, high // 4]))
        if tree.insert(key, payload):
            model[key] = payload
        if len(model) % 3000 == 0:
            assert tree.check()[0] == []
    check(tree, model)
    full.append(sorted(model.items()))
    assert tree.check()[1] <= full.check()[1] * 1.3 + 2
    for key in rng.sample(sorted(model), len(model) // 2):  # and what is left is shared again
        tree.erase(key)
        del model[key]
    check(tree, model)
    for key in rng.sample(sorted(model), len(model) // 3):
        assert tree.insert(key + b"+", b"again")
        model[key + b"+"] = b"again"
    check(tree, model)


@pytest.mark.parametrize("step", [1, -1])
def test_a_run_of_keys_between_others_leaves_full_pages(step):
    """As the rows of one customer among those of all: each page that the run fills stays as it is."""
    tree, model = b.KeyTree(), {b"%03d" % i + b"x" * 9: b"" for i in range(1000)}
    tree.append(sorted(model.items()))
    before = tree.check()[1]
    for i in range(0, 20000)[::step]:
        key = b"500y%08d" % i
        tree.insert(key, b"")
        model[key] = b""
    check(tree, model)
    full = b.KeyTree()
    full.append(sorted(model.items()))
    assert tree.check()[1] <= full.check()[1] + before + 1


def test_pages_of_keys_in_order_get_the_prefix_that_their_keys_have():
    keys = [b"a long beginning that all have %06d" % i for i in range(20000)]
    full = b.KeyTree()
    full.append([(key, b"") for key in keys])
    for ordered in (keys, keys[::-1]):
        tree = b.KeyTree()
        for key in ordered:
            tree.insert(key, b"")
        check(tree, dict.fromkeys(keys, b""))
        assert tree.check()[1] <= full.check()[1] * 1.05


@pytest.mark.parametrize("how", ["built", "ascending", "random"])
def test_the_root_of_keys_that_begin_alike_has_their_prefix(tmp_path, how):
    """It begins with one key, and so without a prefix: then all its heads were the same four bytes, and a search compared cell after cell."""
    con = turdb.connect(tmp_path / "db", isolation_level=None)
    con.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT)")
    keys = list(range(100_000, 130_000))
    if how == "random":
        random.Random(1).shuffle(keys)
    if how != "built":
        con.execute("CREATE INDEX i ON t(a)")
    con.execute("BEGIN")
    con.executemany("INSERT INTO t(a) VALUES (?)", ((f"a common beginning {key}",) for key in keys))
    con.execute("COMMIT")
    if how == "built":
        con.execute("CREATE INDEX i ON t(a)")
    con.execute("PRAGMA wal_checkpoint")
    (path,) = con.execute("SELECT path FROM turdb_catalog.storage WHERE name = 'i'").fetchone()
    assert con.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    con.close()
    with open(tmp_path / "db" / path, "rb") as file:
        file.seek(16384)
        root = file.read(16384)
    level, prefix = int.from_bytes(root[26:28], "little"), int.from_bytes(root[24:26], "little")
    assert level == 1 and prefix >= len("a common beginning ")
