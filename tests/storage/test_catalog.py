"""The catalog: definitions survive their bytes, names behave as in SQLite, DDL commits and rolls back with its files."""

import os
import pathlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turdb._testing import catalog

COLUMNS = [("a", "INTEGER"), ("b", "TEXT"), ("e", "VECTOR(4)")]


@pytest.fixture
def db():
    return catalog.Database()


def make(txn, name, schema="", columns=COLUMNS, without_rowid=False):
    return catalog.create_table(txn, schema, name, columns, without_rowid)


# --- bytes ---------------------------------------------------------------------------------------


def test_definitions_survive_their_bytes():
    table = catalog.rich_table("Ünïcode 'quoted'")
    assert catalog.recode_table(table) == table
    index = catalog.rich_index()
    assert catalog.recode_index(index) == index


@given(st.data())
@settings(max_examples=400, deadline=None, derandomize=True)
def test_damaged_definitions_give_errors_and_never_crash(data):
    recode, good = data.draw(
        st.sampled_from([(catalog.recode_table, catalog.rich_table("t")), (catalog.recode_index, catalog.rich_index())])
    )
    bytes_ = bytearray(good)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(bytes_) - 1))
        bytes_[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(bytes_)))
    for damaged in (bytes(bytes_), bytes(bytes_[:cut])):
        try:
            recode(damaged)
        except RuntimeError as error:
            assert str(error).startswith(("Corruption: ", "NewerFormat: "))


@given(st.binary(max_size=200))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_random_bytes_never_crash(noise):
    for prefix in (b"", b"\x01"):
        try:
            catalog.recode_table(prefix + noise)
        except RuntimeError as error:
            assert str(error).startswith(("Corruption: ", "NewerFormat: "))


def test_unknown_fields_and_versions_are_refused_as_newer():
    table = catalog.rich_table("t")
    with pytest.raises(RuntimeError, match="^NewerFormat: .*'t'"):
        catalog.recode_table(table + bytes([120, 1, 0]))
    with pytest.raises(RuntimeError, match="^NewerFormat: "):
        catalog.recode_table(b"\x02" + table[1:])
    with pytest.raises(RuntimeError, match="^Corruption: "):
        catalog.recode_table(b"")


def test_file_names_are_escaped():
    assert catalog.escape("plain_Name-7") == "plain_Name-7"
    assert catalog.escape("a/b.c d%") == "a%2Fb%2Ec%20d%25"
    assert catalog.escape("..") == "%2E%2E"
    assert len(catalog.escape("ü" * 200)) <= 80


# --- names ----------------------------------------------------------------------------------------


def test_names_are_found_without_regard_to_case_and_main_means_root(db):
    txn = db.begin()
    assert make(txn, "Packages") == "root/Packages.tbd"
    assert catalog.create_index(txn, "packages", "By_A", 0) == "root/Packages.By_A.idx"
    catalog.create_trigger(txn, "PACKAGES", "Trig")
    for schema in ("", "main", "MAIN", "root", "Root"):
        assert catalog.find(txn, schema, "pACKAGES") == (True, False, False)
        assert catalog.find(txn, schema, "by_a") == (False, True, False)
        assert catalog.find(txn, schema, "TRIG") == (False, False, True)
    assert catalog.find(txn, "other", "packages") == (False, False, False)


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda t: make(t, "T"), "Name: table T already exists"),
        (lambda t: make(t, "V"), "Name: view V already exists"),
        (lambda t: make(t, "I"), "Name: there is already an index named I"),
        (lambda t: catalog.create_index(t, "t", "i", 0), "Name: index i already exists"),
        (lambda t: catalog.create_index(t, "t", "v", 0), "Name: there is already a table named v"),
        (lambda t: catalog.create_index(t, "v", "j", 0), "Name: views may not be indexed"),
        (lambda t: catalog.create_index(t, "nix", "j", 0), "Name: no such table: root.nix"),
        (lambda t: catalog.create_trigger(t, "t", "G"), "Name: trigger G already exists"),
        (lambda t: catalog.create_trigger(t, "nix", "h"), "Name: no such table: root.nix"),
        (lambda t: make(t, "x", schema="nowhere"), "Name: unknown database nowhere"),
        (lambda t: catalog.create_schema(t, "ROOT"), "Name: schema ROOT already exists"),
        (lambda t: catalog.drop_index(t, "nix"), "Name: no such index: nix"),
        (lambda t: catalog.drop_trigger(t, "nix"), "Name: no such trigger: nix"),
        (lambda t: catalog.rename_table(t, "t", "v"), "Name: there is already another table or index with this name: v"),
    ],
)
def test_refused_names(db, change, message):
    txn = db.begin()
    make(txn, "t")
    catalog.create_view(txn, "v")
    catalog.create_index(txn, "t", "i", 0)
    catalog.create_trigger(txn, "t", "g")
    before = catalog.describe(txn)
    with pytest.raises(RuntimeError) as error:
        change(txn)
    assert str(error.value) == message
    assert catalog.describe(txn) == before


def test_similar_names(db):
    txn = db.begin()
    for name in ("packages", "package", "depends", "x"):
        make(txn, name, columns=COLUMNS[:1])
    assert catalog.similar(txn, "pakages") == ["packages", "package"]
    assert catalog.similar(txn, "DEPENDS_") == ["depends"]
    assert catalog.similar(txn, "something_else") == []


# --- changes -----------------------------------------------------------------------------------------


def test_dropping_a_table_takes_indexes_triggers_and_files(tmp_path):
    db = catalog.Database(str(tmp_path / "x.turdb"))
    root = tmp_path / "x.turdb" / "root"
    txn = db.begin()
    make(txn, "t")
    catalog.create_index(txn, "t", "i", 0)
    catalog.create_trigger(txn, "t", "g")
    txn.commit()
    db.checkpoint()
    assert sorted(p.name for p in root.iterdir()) == ["t.e.vec", "t.i.idx", "t.tbd"]
    txn = db.begin()
    catalog.drop_table(txn, "t")
    assert catalog.describe(txn)["tables"] == {}
    txn.commit()
    del txn
    db.reopen()
    assert [p.name for p in root.iterdir()] == []
    txn = db.begin()
    make(txn, "t")
    assert catalog.find(txn, "", "i") == (False, False, False)


def test_rename_takes_indexes_and_triggers_along(db):
    txn = db.begin()
    make(txn, "t")
    catalog.create_index(txn, "t", "i", 0)
    catalog.create_trigger(txn, "t", "g")
    catalog.rename_table(txn, "t", "u")
    catalog.rename_table(txn, "u", "U")
    assert catalog.describe(txn)["tables"] == {"U": (["a", "b", "e"], ["i"], ["g"])}


def test_an_added_vector_column_gets_a_file(tmp_path):
    db = catalog.Database(str(tmp_path / "x.turdb"))
    txn = db.begin()
    make(txn, "t", columns=COLUMNS[:1])
    catalog.add_column(txn, "t", "v", "VECTOR(8)")
    txn.commit()
    db.checkpoint()
    assert os.path.exists(tmp_path / "x.turdb" / "root" / "t.v.vec")


def test_schemas(tmp_path):
    db = catalog.Database(str(tmp_path / "x.turdb"))
    txn = db.begin()
    catalog.create_schema(txn, "Sales")
    assert make(txn, "t", schema="sales") == "sales/t.tbd"
    make(txn, "t")
    assert catalog.find(txn, "SALES", "T")[0] and catalog.find(txn, "", "t")[0]
    with pytest.raises(RuntimeError, match="Name: schema sales is not empty"):
        catalog.drop_schema(txn, "sales")
    with pytest.raises(RuntimeError, match="may not be dropped"):
        catalog.drop_schema(txn, "main")
    txn.commit()
    db.reopen()
    assert catalog.describe(db.begin(False))["schemas"] == ["root", "Sales"]


def test_the_version_moves_with_every_change_and_snapshots_stay(db):
    txn = db.begin()
    versions = [catalog.describe(txn)["version"]]
    for name in ("a", "b", "c"):
        make(txn, name, columns=COLUMNS[:1])
        versions.append(catalog.describe(txn)["version"])
    assert versions == sorted(set(versions))
    reader = db.begin(False)
    assert catalog.describe(reader)["tables"] == {}
    txn.commit()
    assert catalog.describe(reader)["tables"] == {}
    assert list(catalog.describe(db.begin(False))["tables"]) == ["a", "b", "c"]


OPS = st.one_of(
    st.tuples(st.sampled_from(["create", "drop", "rename", "index", "unindex"]), st.integers(0, 4), st.integers(0, 4)),
    st.tuples(st.sampled_from(["savepoint", "rollback_to", "commit", "rollback", "reopen"])),
)


@given(st.lists(OPS, max_size=30))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_random_ddl_matches_a_dict(ops):
    """Every history of DDL, savepoints, rollbacks and reopens leaves what a dict of dicts has."""
    db = catalog.Database()
    txn = db.begin()
    committed: dict[str, list[str]] = {}
    model: dict[str, list[str]] = {}
    saved: list[tuple[int, dict[str, list[str]]]] = []
    counter = 0

    def copy(tables):
        return {name: list(indexes) for name, indexes in tables.items()}

    for op, *args in ops:
        names = [f"t{i}" for i in args]
        if op == "create" and names[0] not in model:
            make(txn, names[0], columns=COLUMNS[:2])
            model[names[0]] = []
        elif op == "drop" and names[0] in model:
            catalog.drop_table(txn, names[0])
            del model[names[0]]
        elif op == "rename" and names[0] in model and names[1] not in model:
            catalog.rename_table(txn, names[0], names[1])
            model = {(names[1] if n == names[0] else n): i for n, i in model.items()}
        elif op == "index" and names[0] in model:
            counter += 1
            catalog.create_index(txn, names[0], f"i{counter}", 0)
            model[names[0]].append(f"i{counter}")
        elif op == "unindex" and model.get(names[0]):
            catalog.drop_index(txn, model[names[0]].pop(0))
        elif op == "savepoint":
            saved.append((txn.savepoint(), copy(model)))
        elif op == "rollback_to" and saved:
            depth, model = saved[-1][0], copy(saved[-1][1])
            txn.rollback_to(depth)
        elif op in ("commit", "rollback", "reopen"):
            if op == "rollback":
                txn.rollback()
                model = copy(committed)
            else:
                txn.commit()
                committed = copy(model)
            saved = []
            del txn
            if op == "reopen":
                db.reopen()
            txn = db.begin()
        seen = catalog.describe(txn)["tables"]
        assert {name: indexes for name, (_, indexes, _) in seen.items()} == model
        assert list(seen) == list(model)


def test_unreadable_catalog_is_corruption_not_a_crash(tmp_path):
    path = tmp_path / "x.turdb"
    db = catalog.Database(str(path))
    txn = db.begin()
    make(txn, "t")
    txn.commit()
    del txn
    db.close()
    file = pathlib.Path(path, "turdb_catalog", "catalog.tbd")
    content = bytearray(file.read_bytes())
    content[16384 + 100] ^= 0xFF
    file.write_bytes(content)
    db = catalog.Database(str(path))
    with pytest.raises(RuntimeError, match="Corruption: .*catalog.tbd"):
        catalog.describe(db.begin(False))


def test_the_example_of_the_format_page():
    example = "01 01 01 0a 02 04 72 6f 6f 74 03 01 67 04 01 74 05 01 58"
    assert catalog.encode_trigger(5, "root", "g", "t", "X") == bytes.fromhex(example.replace(" ", ""))
