"""Files of a store whose pages say what they hold, so that every snapshot can be checked page by page."""

from turdb._testing import txn as t

PAGE = t.PAGE_BYTES


def begin(store):
    txn = store.begin()
    txn.start_writing()
    return txn


def write(txn, file, value, pages):
    """Page i of the file gets value + i in 64 places and at its end."""
    for page in pages:
        number = (value + page).to_bytes(8, "little")
        txn.write(file, page, 64, number * 64)
        txn.write(file, page, PAGE - 8, number)


def fill(store, file, value, pages, synchronous=1):
    """write(), in a transaction of its own."""
    txn = begin(store)
    write(txn, file, value, pages)
    txn.commit(synchronous)


def filled(value, first, n):
    """The bytes of n whole pages from page `first` on, as write() would leave them."""
    body = bytearray(PAGE * n)
    for i in range(n):
        number = (value + first + i).to_bytes(8, "little")
        body[i * PAGE + 64 : i * PAGE + 576] = number * 64
        body[(i + 1) * PAGE - 8 : (i + 1) * PAGE] = number
    return body


def read(view):
    """What write() put into each page; None for a page that was never filled."""
    values = []
    for page in range(1, view.page_count):
        body = view.page(page)
        assert body[64 : 64 + 512] == body[64:72] * 64 and body[PAGE - 8 :] == body[64:72]
        value = int.from_bytes(body[64:72], "little")
        values.append(value - page if value else None)
    return values


def make_file(store, n, name="root/t.tbd"):
    txn = begin(store)
    file, _ = txn.create_file(name)
    txn.extend_zeroed(file, n)
    txn.commit(1)
    fill(store, file, 1000, range(1, n + 1))
    return file
