"""Any order of inserts, updates, deletes, vector changes, vacuums, backups and reopenings, against a dict; sound after each step."""

import shutil
import tempfile

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import turdb

DIM = 8
ids = st.integers(0, 60)
texts = st.one_of(st.none(), st.text(max_size=8), st.integers(0, 3).map(lambda i: "long" * (1 + 6000 * i)))
vectors = st.one_of(st.none(), st.tuples(*[st.integers(-5, 5)] * DIM))


def as_vector(value):
    return None if value is None else np.array(value, np.float32)


class Churn(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.folder = tempfile.mkdtemp()
        self.path = f"{self.folder}/db.turdb"
        self.con = None
        self.model = {}  # id -> (text, vector)
        self.snapshot = None
        self.n = 0

    @initialize(background=st.booleans())
    def begin(self, background):
        self.con = turdb.connect(self.path, isolation_level=None)
        if not background:
            self.con.execute("PRAGMA auto_vacuum = NONE")
        self.con.execute(f"CREATE TABLE t(id INTEGER PRIMARY KEY, x TEXT, e VECTOR({DIM}))")
        self.con.execute("CREATE INDEX i ON t(x)")
        self.con.execute("CREATE INDEX part ON t(length(x)) WHERE id % 2 = 0")
        self.con.execute("CREATE INDEX h ON t USING hnsw (e vector_l2_ops) WITH (m = 4)")
        self.con.execute(f"CREATE TABLE w(id INTEGER PRIMARY KEY, x TEXT, e VECTOR({DIM})) WITHOUT ROWID")

    def both(self, sql, *parameters):
        for table in "tw":
            self.con.execute(sql.format(table), parameters)

    @rule(rows=st.lists(st.tuples(ids, texts, vectors), max_size=30))
    def put(self, rows):
        self.con.execute("BEGIN")
        for i, text, vector in rows:
            self.both("INSERT OR REPLACE INTO {} VALUES (?, ?, ?)", i, text, as_vector(vector))
            self.model[i] = (text, vector)
        self.con.execute("COMMIT")

    @rule(first=ids, vector=vectors)
    def move_vectors(self, first, vector):
        self.both("UPDATE {} SET e = ? WHERE id BETWEEN ? AND ? + 10", as_vector(vector), first, first)
        for i in range(first, first + 11):
            if i in self.model:
                self.model[i] = (self.model[i][0], vector)

    @rule(by=st.integers(2, 5), rest=st.integers(0, 4))
    def delete_some(self, by, rest):
        self.both("DELETE FROM {} WHERE id % ? = ?", by, rest)
        self.model = {i: row for i, row in self.model.items() if i % by != rest}

    @rule()
    def delete_all(self):
        self.both("DELETE FROM {}")
        self.model = {}

    @rule()
    def rolled_back(self):
        self.con.execute("BEGIN")
        self.both("DELETE FROM {} WHERE id < 30")
        self.con.execute("ROLLBACK")

    @rule(what=st.sampled_from(["VACUUM", "VACUUM t", "VACUUM w", "PRAGMA incremental_vacuum", "PRAGMA wal_checkpoint",
                                "PRAGMA hnsw_absorb = sync", "REINDEX"]))
    def maintain(self, what):
        self.con.execute(what).fetchall()

    @rule()
    def reopen(self):
        self.drop_snapshot()
        self.con.close()
        self.con = turdb.connect(self.path, isolation_level=None)

    @precondition(lambda self: self.snapshot is None)
    @rule()
    def take_snapshot(self):
        reader = turdb.connect(self.path, isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT 1 FROM w").fetchone()
        self.snapshot = (reader, dict(self.model))

    @precondition(lambda self: self.snapshot is not None)
    @rule()
    def drop_snapshot(self):
        if self.snapshot is not None:
            reader, model = self.snapshot
            self.compare(reader, model)
            reader.close()
            self.snapshot = None

    @rule(compact=st.booleans())
    def go_on_in_a_copy(self, compact):
        self.drop_snapshot()
        self.n += 1
        path = f"{self.folder}/copy{self.n}.turdb"
        if compact:
            self.con.execute("VACUUM INTO ?", (path,))
        else:
            self.con.backup(path, pages=7)
        self.con.close()
        self.con, self.path = turdb.connect(path, isolation_level=None), path

    def compare(self, con, model):
        expected = [(i, text, vector) for i, (text, vector) in sorted(model.items())]
        for table in "tw":
            rows = con.execute(f"SELECT id, x, e FROM {table} ORDER BY id").fetchall()
            assert [(i, x, None if e is None else tuple(e.astype(int).tolist())) for i, x, e in rows] == expected
        by_index = con.execute("SELECT count(*) FROM t WHERE x >= ''").fetchone()[0]
        assert by_index == sum(text is not None for text, _ in model.values())
        query = np.arange(DIM, dtype=np.float32)
        near = con.execute("SELECT id, e <-> ? FROM t ORDER BY e <-> ? LIMIT 3", (query, query)).fetchall()
        true = sorted(float(np.linalg.norm(np.array(v, np.float32) - query)) for _, v in model.values() if v is not None)
        np.testing.assert_allclose([d for _, d in near], true[:3], rtol=1e-5)

    @invariant()
    def sound(self):
        if self.con is None:
            return
        assert self.con.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        self.compare(self.con, self.model)
        if self.snapshot is not None:
            self.compare(*self.snapshot)

    def teardown(self):
        if self.snapshot is not None:
            self.snapshot[0].close()
        if self.con is not None:
            self.con.close()
        shutil.rmtree(self.folder)


TestChurn = Churn.TestCase
TestChurn.settings = settings(max_examples=15, stateful_step_count=20, deadline=None)
