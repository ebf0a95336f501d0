"""VACUUM and VACUUM INTO when the power goes or the disk fails: one state or the other, and no file left over."""

import pytest

from turdb._testing import backup as engine


def small(env):
    con = engine.Connection(env)
    con.execute("PRAGMA auto_vacuum = NONE")
    con.execute("PRAGMA hnsw_absorb = off")
    con.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, x TEXT, e VECTOR(4))")
    con.execute("CREATE INDEX i ON t(x)")
    con.execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300) "
                "INSERT INTO t SELECT i, 'x' || i || printf('%.*c', 200, 'y'), '[' || i || ', 1, 2, 3]' FROM n")
    con.execute("CREATE INDEX h ON t USING hnsw (e vector_l2_ops)")
    con.execute("DELETE FROM t WHERE id % 3 = 0")
    con.execute("PRAGMA wal_checkpoint")
    return con


def rows_of(con):
    assert con.execute("PRAGMA integrity_check") == [("ok",)]
    return con.execute("SELECT id, x, vector_norm(e) FROM t ORDER BY x")


def calls_of(work):
    env = engine.FaultEnv()
    con = small(env)
    expected = rows_of(con)
    first = env.calls() + 1
    work(con)
    last = env.calls()
    con.close()
    assert last > first
    return expected, range(first, last + 1)


@pytest.mark.parametrize("seed", [1, 2])
def test_power_loss_at_every_call_of_vacuum(seed):
    expected, calls = calls_of(lambda con: con.execute("VACUUM"))
    for call in calls:
        env = engine.FaultEnv()
        con = small(env)
        env.cut_power_at(call)
        try:
            con.execute("VACUUM")
        except RuntimeError:
            pass
        con.close()
        env.restart(seed * 1000 + call)
        con = engine.Connection(env)
        assert rows_of(con) == expected, call
        con.execute("VACUUM")
        con.execute("INSERT INTO t VALUES (3, 'three', '[3, 1, 2, 3]')")
        con.close()
        assert sorted(name.split(".")[-1] for name in env.list("db/root")) == ["hnsw", "idx", "tbd", "vec"], call
        con = engine.Connection(env)
        assert len(rows_of(con)) == len(expected) + 1
        con.close()


def test_power_loss_at_every_call_of_vacuum_into():
    expected, calls = calls_of(lambda con: con.execute("VACUUM INTO 'copy'"))
    for call in calls:
        env = engine.FaultEnv()
        con = small(env)
        env.cut_power_at(call)
        with pytest.raises(RuntimeError):
            con.execute("VACUUM INTO 'copy'")
        con.close()
        env.restart(call)
        con = engine.Connection(env)
        assert rows_of(con) == expected, call
        con.close()
    # Once it has returned, it is on the disk.
    env = engine.FaultEnv()
    con = small(env)
    con.execute("VACUUM INTO 'copy'")
    env.cut_power_at(env.calls() + 1)
    with pytest.raises(RuntimeError):
        con.execute("INSERT INTO t VALUES (3, 'three', NULL)")
    con.close()
    for seed in range(3):
        env.restart(seed)
        con = engine.Connection(env, "copy")
        assert rows_of(con) == expected
        con.close()


@pytest.mark.parametrize("statement", ["VACUUM", "VACUUM INTO 'copy'"])
def test_an_error_of_the_disk_at_every_call(statement):
    """The statement fails or has worked; either way the database goes on (or says that it must be reopened)."""
    expected, calls = calls_of(lambda con: con.execute(statement))
    for call in calls:
        env = engine.FaultEnv()
        con = small(env)
        env.fail_at(call)
        try:
            con.execute(statement)
        except RuntimeError as error:
            assert str(error).startswith(("Io: ", "DiskFull: ", "ReadOnly: ")), error
            if "INTO" in statement:
                assert not env.exists("copy") or env.list("copy") != [], call
        assert rows_of(con) == expected, call
        con.close()
        con = engine.Connection(env)
        assert rows_of(con) == expected, call
        con.close()
