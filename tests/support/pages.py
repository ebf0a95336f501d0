"""Pages of the data files of a closed database, read and changed behind its back, with checksums made right again."""

import struct

from turdb._testing import env

PAGE_BYTES = 16384
ROW_INTERIOR, ROW_LEAF, KEY_INTERIOR, KEY_LEAF, OVERFLOW, OVERFLOW_PIECES = 3, 4, 13, 14, 7, 15
FREE_TRUNK, VECTOR_HEADER, VECTOR_DATA, HNSW_HEADER, HNSW_NODES = 2, 8, 9, 10, 11


class DataFile:
    """A file as a list of mutable pages; save() seals those that changed."""

    def __init__(self, path):
        self.path = path
        with open(path, "rb") as file:
            data = file.read()
        self.pages = [bytearray(data[at : at + PAGE_BYTES]) for at in range(0, len(data), PAGE_BYTES)]
        self.file_id = self.u32(0, 28)

    def u16(self, page, offset):
        return struct.unpack_from("<H", self.pages[page], offset)[0]

    def u32(self, page, offset):
        return struct.unpack_from("<I", self.pages[page], offset)[0]

    def i64(self, page, offset):
        return struct.unpack_from("<q", self.pages[page], offset)[0]

    def put(self, page, offset, kind, value):
        struct.pack_into("<" + kind, self.pages[page], offset, value)

    def kind(self, page):
        return self.pages[page][4]

    def of_kind(self, kind):
        return [i for i in range(1, len(self.pages)) if self.kind(i) == kind]

    @property
    def free_trunk(self):
        return self.u32(0, 36)

    def save(self, seal=True):
        with open(self.path, "r+b") as file:
            for i, page in enumerate(self.pages):
                if seal:
                    identity = struct.pack("<II", self.file_id, i)
                    struct.pack_into("<I", page, 0, env.crc32c(env.crc32c(0, identity), bytes(page[4:])))
                file.seek(i * PAGE_BYTES)
                file.write(page)
