"""The leak check: once everything is dropped, a database must be back at the pages that an empty one has."""

import threading
from pathlib import Path

import turdb

EMPTY_PAGES = 2  # the header and the root of the catalog


class Leak(AssertionError):
    pass


def used_pages(cur):
    pages = cur.execute("pragma page_count").fetchone()[0]
    return pages - cur.execute("pragma freelist_count").fetchone()[0]


def drop_everything(cur):
    cur.execute("begin immediate")
    for kind in ("trigger", "view", "table"):
        for schema, name in objects(cur, kind):
            cur.execute(f'drop {kind} "{schema}"."{name}"')
    cur.execute("commit")


def objects(cur, kind):
    if kind == "trigger":
        rows = cur.execute("select 'main', name from sqlite_schema where type = 'trigger'").fetchall()
    else:
        rows = cur.execute("select schema, name from pragma_table_list where type = ?", (kind,)).fetchall()
    return [tuple(part.replace('"', '""') for part in row) for row in rows if not row[1].startswith("sqlite_")]


def check(con, path=None):
    """Checks the database of a connection, drops what is in it, and looks for pages and files that stay behind."""
    if con.in_transaction:
        con.rollback()
    con.isolation_level = None
    cur = con.cursor()
    cur.row_factory = None
    findings = [row[0] for row in cur.execute("pragma integrity_check").fetchall()]
    findings = [finding for finding in findings if finding != "ok"]
    if findings:
        raise Leak(f"integrity_check: {findings}")
    drop_everything(cur)
    cur.execute("pragma wal_checkpoint").fetchall()
    used = used_pages(cur)
    if used != EMPTY_PAGES:
        raise Leak(f"{used} pages in use after everything was dropped, where {EMPTY_PAGES} are")
    if path is not None:
        left = [file.name for folder in Path(path).iterdir() if folder.name == "root" for file in folder.iterdir()]
        if left:
            raise Leak(f"files of dropped objects are left: {left}")


class Watch:
    """Stands in for turdb.connect during a test and remembers the databases that it made (not those of a shared fixture)."""

    def __init__(self):
        self.connect = turdb.connect
        self.connections = []
        self.thread = threading.get_ident()

    def __call__(self, database, *args, **kwargs):
        existed = Path(database).exists()
        con = self.connect(database, *args, **kwargs)
        if threading.get_ident() != self.thread:
            return con  # it is another thread's to close
        if not existed or str(database) in {path for path, _ in self.connections}:
            self.connections.append((str(database), con))
        return con

    def check(self):
        paths = set()
        for database, con in self.connections:
            if database != ":memory:":
                paths.add(database)
            elif is_open(con):
                check(con)
        for _, con in self.connections:
            con.close()
        for path in sorted(paths):
            if not Path(path).is_dir():
                continue  # the test removed it
            con = self.connect(path)
            check(con, path)
            con.close()


def is_open(con):
    try:
        con.execute("select 1").fetchall()
    except turdb.Error:
        return False
    return True
