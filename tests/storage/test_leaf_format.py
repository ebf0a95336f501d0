"""docs/format/row_leaf.md, key_page.md: pages decoded from scratch, as the pages say, and their worked examples."""

import struct

from hypothesis import given, settings
from hypothesis import strategies as st

from turdb._testing import btree as b


def entry(page, at):
    tag = page[at]
    if tag < 0xC0:
        return page[at + 1 : at + 1 + tag].decode()
    if tag in (0xC0, 0xC1):
        n = struct.unpack_from("<H", page, at + 1)[0]
        data = page[at + 3 : at + 3 + n]
        return data.decode() if tag == 0xC0 else data
    if tag == 0xC4:
        return struct.unpack_from("<d", page, at + 1)[0]
    if tag == 0xC5:
        return None
    assert 0xD0 <= tag <= 0xD8
    return int.from_bytes(page[at + 1 : at + 1 + tag - 0xD0], "little", signed=True)


def entry_bytes(page, at):
    tag = page[at]
    if tag < 0xC0:
        return 1 + tag
    if tag in (0xC0, 0xC1):
        return 3 + struct.unpack_from("<H", page, at + 1)[0]
    return {0xC4: 9, 0xC5: 1}.get(tag) or 1 + tag - 0xD0


def decode_leaf(page):
    rows, capacity, columns, w, flags, base, keys, heap, _dead, end = struct.unpack_from("<HHHBBqHHHH", page, 16)
    assert page[4] == 4 and rows <= capacity and end <= heap and not flags & 1
    out = {}
    for i in range(rows):
        delta = int.from_bytes(page[keys + w * i : keys + w * (i + 1)], "little") if w else i
        out[base + delta] = []
    physical = []
    for c in range(columns + (flags >> 1 & 1)):
        offset, encoding, column_flags = struct.unpack_from("<HBB", page, 40 + 4 * c)
        width = [0, 1, 2, 4, 8, 8, 2, 2][encoding]
        values = []
        for i in range(rows):
            raw = page[offset + width * i : offset + width * (i + 1)]
            is_null = encoding == 0
            if column_flags & 1:
                bits = offset + width * capacity
                is_null = not page[bits + i // 8] >> (i % 8) & 1
            if is_null:
                values.append(None)
            elif encoding <= 4:
                values.append(int.from_bytes(raw, "little", signed=True))
            elif encoding == 5:
                values.append(struct.unpack("<d", raw)[0])
            elif encoding == 6:
                at = int.from_bytes(raw, "little")
                values.append(entry(page, at) if at else None)
            else:
                at = int.from_bytes(raw, "little")
                for _ in range(column_flags >> 2):
                    at += entry_bytes(page, at)
                values.append(entry(page, at))
        physical.append(values)
    lengths = physical.pop() if flags & 2 else [columns] * rows
    for i, key in enumerate(out):
        out[key] = [physical[c][i] for c in range(lengths[i])]
    return out


cells = st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1), st.integers(-5, 5), st.floats(allow_nan=False), st.text(max_size=8), st.binary(max_size=300))


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.dictionaries(st.one_of(st.integers(0, 30), st.integers(-(2**63), 2**63 - 1)), st.lists(cells, max_size=3), max_size=12))
def test_a_leaf_is_what_its_page_says(rows):
    tree = b.RowTree()
    for key, row in rows.items():
        tree.insert(key, row)
    decoded = decode_leaf(tree.page(1))
    assert list(decoded) == sorted(rows)
    for key, row in rows.items():
        assert [(type(v), v) for v in decoded[key]] == [(type(v), v) for v in row]


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.tuples(*[cells] * 4), min_size=1, max_size=12), st.integers(3, 20))
def test_a_packed_leaf_is_what_its_page_says(rows, columns):
    tree, model = b.RowTree(), {}
    for key in range(2000):
        row = [*rows[key % len(rows)], *(f"{key * 7919 + c:x}" for c in range(columns))]
        tree.insert(key, row)
        model[key] = row
        if tree.page_count() > 3:
            break
    decoded = {}
    for page in range(2, tree.page_count()):
        if tree.page(page)[4] == 4:
            decoded |= decode_leaf(tree.page(page))
    for key, row in decoded.items():
        assert [(type(v), v) for v in row] == [(type(v), v) for v in model[key]]


def test_worked_example_of_row_leaf():
    tree = b.RowTree()
    tree.insert(10, [1, "ab", None])
    tree.insert(11, [300, "ab", 2.5])
    tree.insert(12, [None, "c", None])
    page = tree.page(1)
    assert page[16:52] == bytes.fromhex(
        "03 00 48 04 03 00 00 00 0a 00 00 00 00 00 00 00 00 00 f8 3f 00 00 b4 34"
        "34 00 02 01 54 09 06 00 e4 11 05 01"
    )
    assert page[52:58] == bytes.fromhex("01 00 2c 01 00 00")
    assert page[2388:2394] == bytes.fromhex("fd 3f fa 3f f8 3f")
    assert page[16376:] == bytes.fromhex("01 63 02 61 62 02 61 62")
    assert decode_leaf(page) == {10: [1, "ab", None], 11: [300, "ab", 2.5], 12: [None, "c", None]}


def test_worked_example_of_packs():
    rows = [[k, f"name {k}", None if k % 2 else f"street {7 * k}", f"town {13 * k}"] for k in range(400)]
    tree = b.RowTree()
    tree.append([(0, [list(column) for column in zip(*rows)])])
    page = tree.page(1)
    assert page[16:56] == bytes.fromhex(
        "90 01 37 02 04 00 00 00 00 00 00 00 00 00 00 00 00 00 3d 19 00 00 14 09"
        "38 00 02 00 a6 04 07 00 a6 04 07 04 a6 04 07 08"
    )
    assert page[1190:1194] == bytes.fromhex("e9 3f d9 3f")
    assert page[16345:16361] == bytes.fromhex("06 6e 61 6d 65 20 31 c5 07 74 6f 77 6e 20 31 33")
    assert page[16361:] == bytes.fromhex("06 6e 61 6d 65 20 30 08 73 74 72 65 65 74 20 30 06 74 6f 77 6e 20 30")
    assert decode_leaf(page) == dict(enumerate(rows))


def test_worked_example_of_key_page():
    tree = b.KeyTree()
    tree.insert(b"\x80ab\x00\xf1\x05", b"")
    tree.insert(b"\x80ac\x00\xf1\x07", b"")
    page = tree.page(1)
    assert page[4] == 14
    assert page[16:44] == bytes.fromhex("02 00 00 00 fa 3f 00 00 00 00 00 00 00 00 00 00 00 62 61 80 fd 3f 00 63 61 80 fa 3f")
    assert page[16378:] == bytes.fromhex("0c f1 07 0c f1 05")
