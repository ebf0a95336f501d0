"""Vectors through the executor: what columns take, distances over columns, exact searches with filters, against numpy."""

import numpy as np
import pytest

import turdb

N, DIM = 700, 12


@pytest.fixture(scope="module")
def con():
    con = turdb.connect(":memory:")
    con.execute(f"CREATE TABLE v (id INTEGER PRIMARY KEY, g INTEGER, e VECTOR({DIM}) NOT NULL, o VECTOR({DIM}))")
    rng = np.random.default_rng(3)
    con.vectors = rng.standard_normal((N, DIM)).astype(np.float32)
    con.executemany("INSERT INTO v VALUES (?, ?, ?, ?)",
                    [(i + 1, i % 7, con.vectors[i], None if i % 3 else con.vectors[i]) for i in range(N)])
    con.commit()
    return con


METRICS = {
    "vector_distance_l2": lambda m, q: np.sqrt(((m - q) ** 2).sum(1)),
    "vector_distance_cosine": lambda m, q: 1 - m @ q / np.linalg.norm(m, axis=1) / np.linalg.norm(q),
    "vector_distance_inner_product": lambda m, q: -(m @ q),
    "inner_product": lambda m, q: m @ q,
    "vector_distance_l1": lambda m, q: np.abs(m - q).sum(1),
}


@pytest.mark.parametrize("name", METRICS)
def test_distances_over_a_column(con, name):
    query = con.vectors[5] + 0.1
    rows = con.execute(f"SELECT {name}(e, ?), {name}(o, ?) FROM v ORDER BY id", (query, query)).fetchall()
    expected = METRICS[name](con.vectors.astype(np.float64), query.astype(np.float64))
    np.testing.assert_allclose([r[0] for r in rows], expected, rtol=1e-4, atol=1e-5)
    assert [r[1] is None for r in rows] == [bool(i % 3) for i in range(N)]


@pytest.mark.parametrize("operator, name", [("<->", "vector_distance_l2"), ("<=>", "vector_distance_cosine"), ("<#>", "vector_distance_inner_product"), ("<+>", "vector_distance_l1")])
def test_nearest(con, operator, name):
    query = con.vectors[17] * 0.5 + 0.2
    expected = METRICS[name](con.vectors.astype(np.float64), query.astype(np.float64))
    order = np.argsort(expected, kind="stable")
    got = con.execute(f"SELECT id, e {operator} ? AS d FROM v ORDER BY d LIMIT 10", (query,)).fetchall()
    assert [r[0] for r in got] == (order[:10] + 1).tolist()
    np.testing.assert_allclose([r[1] for r in got], expected[order[:10]], rtol=1e-4, atol=1e-5)
    wanted = [i + 1 for i in order if i % 7 == 3][2:8]
    got = con.execute(f"SELECT id FROM v WHERE g = 3 ORDER BY e {operator} ? LIMIT 6 OFFSET 2", (query.tobytes(),)).fetchall()
    assert [r[0] for r in got] == wanted
    assert con.execute(f"SELECT id FROM v WHERE g = 99 ORDER BY e {operator} ? LIMIT 6", (query,)).fetchall() == []


def test_an_update_of_other_columns_keeps_the_vector(con):
    con.execute("BEGIN")
    con.execute("UPDATE v SET g = g + 100 WHERE id <= 20")
    first = con.execute("SELECT g, vec_to_json(e) FROM v WHERE id = 1").fetchone()
    assert first[0] == 100
    np.testing.assert_allclose(np.array(eval(first[1])), con.vectors[0], rtol=1e-6)
    con.execute("UPDATE v SET e = ? WHERE id = 1 RETURNING vector_dims(e)", ([1.0] * DIM,)).fetchall()
    assert con.execute("SELECT l2_distance(e, ?) FROM v WHERE id = 1", ([1.0] * DIM,)).fetchone()[0] == 0
    con.execute("ROLLBACK")


@pytest.mark.parametrize("value, error, why", [
    ([1.0, 2.0], turdb.DataError, rf"column e of table v is VECTOR\({DIM}\): got 2 dimensions"),
    ([float("nan")] * DIM, turdb.DataError, "NaN"),
    ([float("inf")] * DIM, turdb.DataError, "infinity"),
    ("[1, 2", turdb.DataError, "cannot read a vector"),
    (7, turdb.DataError, "a vector is expected"),
    (None, turdb.IntegrityError, "NOT NULL constraint failed: v.e"),
])
def test_what_a_vector_column_refuses(con, value, error, why):
    with pytest.raises(error, match=why):
        con.execute("INSERT INTO v (e) VALUES (?)", (value,))
    assert con.execute("SELECT count(*) FROM v").fetchone()[0] == N


def test_a_query_of_other_dimensions(con):
    with pytest.raises(turdb.DataError, match="got 3 dimensions|no distance|dimensions"):
        con.execute("SELECT id FROM v ORDER BY e <-> ? LIMIT 3", ([1.0, 2.0, 3.0],)).fetchall()
