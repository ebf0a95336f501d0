"""Makes the frozen databases of this format version: ``python tests/compat/make.py`` (docs/testing.md says when).

Writes tests/compat/format<version>/<name>.tar.gz, each with a database directory `db` and `expected.json`:

- closed: closed in good order;
- killed: by SIGKILL, with commits in the log after the last checkpoint and a transaction under way;
- checkpoint: killed inside a checkpoint that had begun to overwrite pages, one of which is torn as by a loss of power.
"""

from __future__ import annotations

import os
import random
import signal
import struct
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

PAGE_BYTES = 16384
ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "python"), str(Path(__file__).parent)]

import contents  # noqa: E402

import turdb  # noqa: E402


def format_version(db: Path) -> int:
    return struct.unpack_from("<I", (db / "turdb.meta").read_bytes(), 8)[0]


def begin(db: str) -> contents.Content:
    con = turdb.connect(db, isolation_level=None)
    con.execute("pragma auto_vacuum = none")
    con.executescript(contents.SCHEMA)
    content = contents.Content(con)
    content.transaction(content.first_part)
    con.execute("pragma hnsw_absorb = sync")
    con.execute("pragma hnsw_absorb = off")
    con.execute("pragma wal_checkpoint")
    con.execute("pragma wal_autocheckpoint = 1000000")
    content.transaction(content.second_part)
    content.new_column()
    return content


def write_expected(db: str, content: contents.Content) -> None:
    (Path(db).parent / "expected.json").write_text(contents.to_json(content.expected()))


def closed(db: str) -> None:
    content = begin(db)
    write_expected(db, content)
    content.con.close()


def killed(db: str) -> None:
    content = begin(db)
    content.transaction(content.new_table)
    write_expected(db, content)
    content.con.execute("begin")
    content.con.execute("delete from docs where id > 100")
    content.con.execute("insert into kinds (id, t) values (1000, 'not committed')")
    os.kill(os.getpid(), signal.SIGKILL)


def checkpoint(db: str) -> None:
    content = begin(db)
    content.transaction(content.new_table)
    write_expected(db, content)
    print("ready", flush=True)
    content.con.execute("pragma wal_checkpoint")
    time.sleep(60)


def is_inside_checkpoint(db: Path) -> bool:
    """The page images are of a state that turdb.meta does not have yet (docs/format/directory.md)."""
    images = (db / "wal" / "doublewrite").read_bytes()[:32]
    (checkpoint_lsn,) = struct.unpack_from("<Q", (db / "turdb.meta").read_bytes(), 32)
    return images[8:16] == b"turdbdbl" and struct.unpack_from("<Q", images, 24)[0] > checkpoint_lsn


def tear_a_page(db: Path) -> None:
    """Makes a page that the checkpoint overwrites one that was written by half, so that its image is needed."""
    meta = (db / "turdb.meta").read_bytes()
    paths, at = {}, 48
    for _ in range(struct.unpack_from("<I", meta, 44)[0]):
        file, _, length = struct.unpack_from("<IIH", meta, at)
        paths[file] = meta[at + 10 : at + 10 + length].decode()
        at += 10 + length
    images = (db / "wal" / "doublewrite").read_bytes()
    for i in range(struct.unpack_from("<I", images, 4)[0]):
        file, page = struct.unpack_from("<II", images, 64 + 8 * i)
        if paths.get(file, "").endswith("docs.tbd"):
            with open(db / paths[file], "r+b") as data:
                data.seek(page * PAGE_BYTES + PAGE_BYTES // 2)
                data.write(b"\xaa" * (PAGE_BYTES // 2))
            return
    raise SystemExit("no page of docs.tbd is among the images")


def kill_inside_checkpoint(folder: Path) -> None:
    rng = random.Random(1)
    for attempt in range(500):
        db = folder / str(attempt) / "db"
        db.parent.mkdir()
        process = subprocess.Popen([sys.executable, __file__, "checkpoint", str(db)], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(rng.random() * 0.03)
        process.kill()
        process.communicate()
        if is_inside_checkpoint(db):
            tear_a_page(db)
            db.parent.rename(folder / "checkpoint")
            return
    raise SystemExit("no kill fell into a checkpoint")


def pack(folder: Path, name: str) -> None:
    target = Path(__file__).parent / f"format{format_version(folder / 'db')}"
    target.mkdir(exist_ok=True)
    with tarfile.open(target / f"{name}.tar.gz", "w:gz") as archive:
        for part in ("db", "expected.json"):
            archive.add(folder / part, part)
    print(target / f"{name}.tar.gz", os.path.getsize(target / f"{name}.tar.gz"), "bytes")


def main() -> None:
    if len(sys.argv) == 3:
        {"closed": closed, "killed": killed, "checkpoint": checkpoint}[sys.argv[1]](sys.argv[2])
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for what, code in (("closed", 0), ("killed", -signal.SIGKILL)):
            (folder / what).mkdir()
            done = subprocess.run([sys.executable, __file__, what, str(folder / what / "db")])
            assert done.returncode == code, done
        kill_inside_checkpoint(folder)
        for what in ("closed", "killed", "checkpoint"):
            pack(folder / what, what)


if __name__ == "__main__":
    main()
