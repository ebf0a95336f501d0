"""JSON functions and table functions against the standard library's sqlite3."""

import json
import sqlite3

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import turdb

OURS, THEIRS = turdb.connect(":memory:"), sqlite3.connect(":memory:")

documents = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | st.sampled_from([0.5, -1e20]) | st.text("ab\"\\\n\u00e9", max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "c d"]), inner, max_size=3), max_leaves=8)
paths = st.sampled_from(["$", "$.a", "$.b", "$[0]", "$[1]", "$[#-1]", "$.a[0]", '$."c d"', "$.a.b", "$[0].a", "$[#]"])


def check(sql, *args):
    assert OURS.execute(sql, args).fetchall() == THEIRS.execute(sql, args).fetchall(), (sql, args)


@settings(max_examples=150, deadline=None)
@given(documents, paths, paths)
def test_reading(document, path, other):
    text = json.dumps(document)
    check("SELECT json(?1), json_valid(?1), json_type(?1), json_type(?1, ?2), json_array_length(?1, ?2), json_extract(?1, ?2)", text, path)
    check("SELECT json_extract(?1, ?2, ?3), ?1 -> ?2, ?1 ->> ?2", text, path, other)


@settings(max_examples=150, deadline=None)
@given(documents, paths.filter(lambda p: p != "$"))
def test_changing(document, path):
    text = json.dumps(document)
    check("SELECT json_set(?1, ?2, 5), json_insert(?1, ?2, 'x'), json_replace(?1, ?2, json('[1]')), json_remove(?1, ?2)", text, path)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.sampled_from("abc"), documents, max_size=3), documents)
def test_patch(target, patch):
    text = OURS.execute("SELECT json_patch(?, ?)", (json.dumps(target), json.dumps(patch))).fetchone()[0]
    assert json.loads(text) == json.loads(THEIRS.execute("SELECT json_patch(?, ?)", (json.dumps(target), json.dumps(patch))).fetchone()[0])


@settings(max_examples=150, deadline=None)
@given(documents)
def test_rows(document):
    text = json.dumps(document)
    for function in ("json_each", "json_tree"):
        check(f"SELECT key, value, type, atom, fullkey, path FROM {function}(?)", text)


def test_making():
    check("SELECT json_array(1, 2.5, 'x', NULL, json('{}')), json_object('a', 1, 'b', json_array()), json_quote('a\"b'), json_quote(1)")
    check("SELECT json_group_array(column1), json_group_object(column1, column2) FROM (VALUES ('x', 1), ('y', NULL))")
    check("SELECT '[1,2,3]' -> 1, '{\"a\":{\"b\":2}}' -> 'a' ->> 'b', '{\"a\":null}' -> 'a', '{\"a\":null}' ->> 'a'")
    check("SELECT json_valid('{'), json_valid('[1,]'), json_valid('01'), json_valid('\"\\u00e9\"')")


@pytest.mark.parametrize("sql", ["SELECT json('{')", "SELECT json_extract('{}', 'a')", "SELECT json_object('a')", "SELECT json_array(x'00')"])
def test_errors(sql):
    with pytest.raises(turdb.Error):
        OURS.execute(sql).fetchall()
