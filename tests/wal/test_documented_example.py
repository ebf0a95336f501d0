"""The example in docs/format/wal.md is a frame as the code reads it."""

import pathlib
import re

from turdb._testing import env as e
from turdb._testing import pager as p

DOC = pathlib.Path(__file__).parents[2] / "docs" / "format" / "wal.md"


def test_example_decodes():
    block = DOC.read_text().split("## Example")[1].split("```")[1]
    frame = bytes.fromhex("".join("".join(re.findall(r"^(?:[0-9a-f]{2} ?)+", line)) for line in block.splitlines()))
    assert len(frame) == 24
    assert int.from_bytes(frame[:4], "little") == e.crc32c(0, frame[4:])
    assert int.from_bytes(frame[4:8], "little") == len(frame) - 9
    assert frame[8] == 2 and frame[9] == 4  # commit; page against what it was
    file, page, delta = frame[10], frame[11], frame[12:]
    assert (file, page) == (1, 0)
    changed = p.apply(delta, bytes(p.PAGE_BYTES))
    assert changed[144:152] == b"abcdefgh"
    assert changed[:144] + changed[152:] == bytes(p.PAGE_BYTES - 8)
