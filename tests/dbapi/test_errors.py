"""Every kind of error reaches Python as the class that the conventions name, with its codes."""

import ctypes
import os
import subprocess
import sys

import pytest

import turdb
from turdb import _core

CLASSES = {
    "Syntax": (turdb.SQLSyntaxError, turdb.ProgrammingError, turdb.OperationalError),
    "Name": (turdb.SQLNameError, turdb.ProgrammingError, turdb.OperationalError),
    "Parameter": (turdb.ProgrammingError,),
    "Misuse": (turdb.ProgrammingError,),
    "Constraint": (turdb.IntegrityError,),
    "Overflow": (turdb.DataError,),
    "BadValue": (turdb.DataError,),
    "Dimension": (turdb.DataError,),
    "TooBig": (turdb.DataError,),
    "Conflict": (turdb.OperationalError,),
    "Busy": (turdb.OperationalError,),
    "Deadlock": (turdb.OperationalError,),
    "Io": (turdb.OperationalError,),
    "DiskFull": (turdb.OperationalError,),
    "ReadOnly": (turdb.OperationalError,),
    "Interrupted": (turdb.OperationalError,),
    "OutOfMemory": (turdb.OperationalError,),
    "Corruption": (turdb.DatabaseError, turdb.CorruptionError),
    "ForeignFile": (turdb.DatabaseError,),
    "NewerFormat": (turdb.DatabaseError,),
    "Internal": (turdb.InternalError,),
    "Unsupported": (turdb.NotSupportedError,),
}
CONSTRAINTS = {
    1: (2067, "SQLITE_CONSTRAINT_UNIQUE"),
    2: (1555, "SQLITE_CONSTRAINT_PRIMARYKEY"),
    3: (2579, "SQLITE_CONSTRAINT_ROWID"),
    4: (1299, "SQLITE_CONSTRAINT_NOTNULL"),
    5: (275, "SQLITE_CONSTRAINT_CHECK"),
    6: (787, "SQLITE_CONSTRAINT_FOREIGNKEY"),
    7: (3091, "SQLITE_CONSTRAINT_DATATYPE"),
}


def test_the_table_knows_every_kind():
    assert set(_core.error_kinds()) - {"Ok"} == set(CLASSES)


@pytest.mark.parametrize("kind", CLASSES)
def test_kind(kind):
    number = _core.error_kinds().index(kind)
    with pytest.raises(CLASSES[kind][0]) as caught:
        _core.raise_error_kind(number, 0, "a message: ä")
    error = caught.value
    for wanted in CLASSES[kind]:
        assert isinstance(error, wanted)
    assert str(error) == "a message: ä"
    assert error.kind == kind
    assert isinstance(error.sqlite_errorcode, int) and error.sqlite_errorname.startswith("SQLITE_")
    assert error.retryable == (kind in {"Conflict", "Busy", "Deadlock"})


@pytest.mark.parametrize("constraint", CONSTRAINTS)
def test_constraint_codes(constraint):
    with pytest.raises(turdb.IntegrityError) as caught:
        _core.raise_error_kind(_core.error_kinds().index("Constraint"), constraint, "x")
    assert (caught.value.sqlite_errorcode, caught.value.sqlite_errorname) == CONSTRAINTS[constraint]


def test_codes_of_real_errors(con):
    con.execute("create table t(id integer primary key, u unique, n not null, c check (c > 0))")
    con.execute("insert into t values(1, 1, 1, 1)")
    for sql, name in [
        ("insert into t values(2, 1, 1, 1)", "SQLITE_CONSTRAINT_UNIQUE"),
        ("insert into t values(1, 2, 1, 1)", "SQLITE_CONSTRAINT_PRIMARYKEY"),
        ("insert into t values(2, 2, null, 1)", "SQLITE_CONSTRAINT_NOTNULL"),
        ("insert into t values(2, 2, 1, -1)", "SQLITE_CONSTRAINT_CHECK"),
    ]:
        with pytest.raises(turdb.IntegrityError) as caught:
            con.execute(sql)
        assert caught.value.sqlite_errorname == name


def test_unknown_names_come_with_a_suggestion(con):
    con.execute("create table packages(name text, section text)")
    with pytest.raises(turdb.ProgrammingError, match="did you mean.*name"):
        con.execute("select naem from packages")
    with pytest.raises(turdb.ProgrammingError, match="did you mean.*packages"):
        con.execute("select * from packagse")
    with pytest.raises(turdb.ProgrammingError):
        con.append("packages", {"nmae": ["x"]})
    with pytest.raises(turdb.ProgrammingError):
        con.append("nowhere", {"name": ["x"]})


def test_syntax_errors_tell_where(con):
    with pytest.raises(turdb.ProgrammingError, match="line 2"):
        con.execute("select 1\nfrom from")


def test_opening_what_is_no_database(tmp_path):
    (tmp_path / "notes.txt").write_text("not a database, just a file with some text in it")
    with pytest.raises(turdb.DatabaseError, match=r"notes\.txt"):
        turdb.connect(str(tmp_path / "notes.txt"))
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "holiday.jpg").write_bytes(b"\xff\xd8")
    with pytest.raises(turdb.DatabaseError, match="folder"):
        turdb.connect(str(folder))
    assert sorted(entry.name for entry in folder.iterdir()) == ["holiday.jpg"]


def test_opening_what_does_not_exist(tmp_path):
    with pytest.raises(turdb.OperationalError):
        turdb.connect(str(tmp_path / "x.turdb"), read_only=True)
    with pytest.raises(turdb.OperationalError):
        turdb.connect(f"file:{tmp_path}/x.turdb?mode=rw", uri=True)
    assert not (tmp_path / "x.turdb").exists()


def test_read_only_connections_do_not_write(path):
    turdb.connect(path).close()
    con = turdb.connect(path, read_only=True)
    with pytest.raises(turdb.OperationalError):
        con.execute("create table t(a)")
    con.close()


def test_read_only_connections_beside_one_that_writes_stay_so(path):
    with turdb.connect(path) as writer:
        writer.execute("create table t(a)")
    con = turdb.connect(path, read_only=True)
    for query_only in (1, 0):
        con.execute(f"pragma query_only = {query_only}")
        with pytest.raises(turdb.OperationalError, match=f"readonly database: this connection opened '{path}' read_only"):
            con.execute("insert into t values (1)")
    assert writer.execute("select count(*) from t").fetchone() == (0,)
    con.close()
    writer.close()


def connecting(path, **options):
    """What another process is told that connects; one that may no more than its files say, even as root."""
    script = (
        "import sys, turdb\n"
        f"try:\n    con = turdb.connect(sys.argv[1], timeout=0, **{options})\n"
        "    print(con.execute('select count(*) from t').fetchone())\n"
        "except turdb.Error as error:\n    print(type(error).__name__, error)\n"
    )
    libc = ctypes.CDLL(None)

    def give_up_overriding():
        for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
            libc.prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP

    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path))
    done = subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True, env=environment,
                          preexec_fn=give_up_overriding)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_second_process_is_told_who_writes_and_what_to_do(path):
    with turdb.connect(path) as con:
        con.execute("create table t(a)")
    told = connecting(path)
    assert told.startswith("OperationalError cannot open database") and f"being written by process {os.getpid()};" in told
    assert told.endswith("open it read_only to read meanwhile, or wait with a longer timeout")
    assert connecting(path, read_only=True) == "(0,)"
    con.close()


def test_a_folder_that_may_not_be_written(tmp_path):
    folder = tmp_path / "shelf"
    folder.mkdir()
    with turdb.connect(str(folder / "old")) as con:
        con.execute("create table t(a)")
    con.close()
    for place in (folder / "old", folder):
        place.chmod(0o555)
    try:
        told = connecting(str(folder / "new"))
        assert told == f"OperationalError cannot create directory '{folder / 'new'}': Permission denied"
        (folder / "old" / "turdb.lock").chmod(0o444)
        told = connecting(str(folder / "old"))
        assert told.startswith(f"OperationalError cannot open database '{folder / 'old'}' for writing: ")
        assert told.endswith("Permission denied; it may still be opened read_only")
        assert connecting(str(folder / "old"), read_only=True) == "(0,)"
    finally:
        for place in (folder, folder / "old"):
            place.chmod(0o755)
