"""Pages of key trees taken apart, and put together in the first layout, as docs/format/key_page.md says."""

import struct
from typing import NamedTuple

PAGE_BYTES, INLINE_BYTES, VARIED = 16384, 2000, 65535
LEAVES, INTERIORS, PLAIN = (14, 6), (13, 5), (5, 6)


class Cell(NamedTuple):
    key: bytes  # the part in the page
    key_bytes: int  # of the whole key
    payload_bytes: int  # of the whole payload
    is_outside: bool  # the payload
    rest: bytes  # behind the key: chain of the key, payload or its chain


class Page(NamedTuple):
    kind: int
    level: int
    first_child: int
    cells: list


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 128:
            return value, at


def as_varint(value):
    out = bytearray()
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes([value])


def take_cell(page, at, prefix, head, payload):
    """The cell at a place; `head` is None in the first layout."""
    field, at = varint(page, at)
    key_bytes, is_cut = (field >> 1) + len(prefix), field & 1
    is_outside = 0
    if payload == VARIED:
        field, at = varint(page, at)
        payload, is_outside = field >> 1, field & 1
    in_page = min(key_bytes, INLINE_BYTES) if is_cut else key_bytes
    assert is_cut == (key_bytes > INLINE_BYTES)
    start = b"" if head is None else (prefix + head)[:in_page]
    assert head is None or head[max(0, in_page - len(prefix)) :] == bytes(max(0, 4 - in_page + len(prefix)))
    end = at + in_page - len(start)
    rest = end + 4 * is_cut + (4 if is_outside else payload)
    return Cell(start + page[at:end], key_bytes, payload, bool(is_outside), page[end:rest])


def decode(page):
    kind = page[4]
    count, field, heap, _dead, p, level, first_child = struct.unpack_from("<HHHHHHI", page, 16)
    assert (level == 0) == (kind in LEAVES)
    cells = []
    if kind in PLAIN:
        for i in range(count):
            at = struct.unpack_from("<H", page, 32 + 4 * field + 2 * i)[0]
            assert at >= heap
            cells.append(take_cell(page, at, b"", None, VARIED))
            hint = cells[-1].key[p : p + 4].ljust(4, b"\0")
            assert struct.unpack_from("<I", page, 32 + 4 * i)[0] == int.from_bytes(hint, "big")
    else:
        prefix = page[PAGE_BYTES - p :] if p else b""
        for i in range(count):
            head, at = struct.unpack_from("<IH", page, 32 + 6 * i)
            assert heap <= at < PAGE_BYTES - p
            cells.append(take_cell(page, at, prefix, head.to_bytes(4, "big"), field))
    return Page(kind, level, first_child, cells)


def as_plain(page):
    """The page in the first layout, as earlier builds wrote it; None when it does not fit."""
    content = decode(page)
    keys = [cell.key for cell in content.cells]
    cells = []
    for cell in content.cells:
        lengths = as_varint(2 * cell.key_bytes + (cell.key_bytes > INLINE_BYTES)) + as_varint(
            2 * cell.payload_bytes + cell.is_outside
        )
        cells.append(lengths + cell.key + cell.rest)
    slots = len(cells) + 1
    heap = PAGE_BYTES - sum(map(len, cells))
    if 32 + 6 * slots > heap:
        return None
    p = 0
    while len(keys) > 1 and p < min(len(keys[0]), len(keys[-1])) and keys[0][p] == keys[-1][p]:
        p += 1
    out = bytearray(page[:PAGE_BYTES])
    out[16:] = bytes(PAGE_BYTES - 16)
    out[4] = 6 if content.level == 0 else 5
    struct.pack_into("<HHHHHHI", out, 16, len(cells), slots, heap, 0, p, content.level, content.first_child)
    at = PAGE_BYTES
    for i, cell in enumerate(cells):
        at -= len(cell)
        out[at : at + len(cell)] = cell
        struct.pack_into("<I", out, 32 + 4 * i, int.from_bytes(keys[i][p : p + 4].ljust(4, b"\0"), "big"))
        struct.pack_into("<H", out, 32 + 4 * slots + 2 * i, at)
    return bytes(out)


def make_plain(tree):
    """Puts every page of a key tree that allows it into the first layout; how many that are."""
    changed = 0
    for i in range(1, tree.page_count()):
        page = tree.page(i)
        plain = as_plain(page) if page[4] in LEAVES + INTERIORS else None
        if plain is None:
            continue
        for offset in range(4, PAGE_BYTES):
            if plain[offset] != page[offset]:
                tree.poke(i, offset, plain[offset])
        changed += 1
    return changed
