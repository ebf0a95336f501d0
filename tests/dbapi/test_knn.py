"""con.knn and ORDER BY distance against exact search by numpy."""

import numpy as np
import pytest

import turdb

ROWS, DIM, K = 3000, 24, 10
OPERATORS = {"l2": "<->", "cosine": "<=>", "ip": "<#>"}


def exact(metric, vectors, queries):
    if metric == "l2":
        return np.linalg.norm(vectors[None] - queries[:, None], axis=2)
    products = queries @ vectors.T
    if metric == "ip":
        return -products
    return 1 - products / np.linalg.norm(queries, axis=1)[:, None] / np.linalg.norm(vectors, axis=1)


@pytest.fixture(scope="module")
def data():
    random = np.random.default_rng(7)
    centres = random.normal(size=(20, DIM)) * 2
    vectors = (centres[random.integers(20, size=ROWS)] + random.normal(size=(ROWS, DIM))).astype(np.float32)
    queries = (centres[random.integers(20, size=30)] + random.normal(size=(30, DIM))).astype(np.float32)
    return vectors, queries


@pytest.fixture(scope="module", params=OPERATORS)
def indexed(request, data):
    con = turdb.connect(":memory:")
    con.execute(f"create table t(id integer primary key, part integer, e vector({DIM}))")
    con.append("t", {"id": np.arange(ROWS), "part": np.arange(ROWS) % 10, "e": data[0]})
    con.commit()
    con.execute(f"create index i on t using hnsw (e vector_{request.param}_ops)")
    con.commit()
    yield con, request.param
    con.close()


def recall(found, truth):
    return np.mean([len(set(a) & set(b)) / len(b) for a, b in zip(found.tolist(), truth.tolist())])


def test_knn(indexed, data):
    con, metric = indexed
    ids, distances = con.knn("t", "e", data[1], K)
    assert ids.shape == distances.shape == (30, K) and ids.dtype == np.int64 and distances.dtype == np.float32
    truth = exact(metric, *data)
    assert recall(ids, np.argsort(truth, axis=1)[:, :K]) >= 0.97
    assert np.allclose(distances, np.take_along_axis(truth, ids, axis=1), rtol=1e-3, atol=1e-3)
    assert (np.diff(distances, axis=1) >= 0).all()


def test_knn_with_where(indexed, data):
    con, metric = indexed
    ids, _ = con.knn("t", "e", data[1], K, where="part = ? and id < :limit", parameters=(3, 2000))
    members = np.array([i for i in range(2000) if i % 10 == 3])
    truth = members[np.argsort(exact(metric, data[0][members], data[1]), axis=1)[:, :K]]
    assert set(ids.ravel().tolist()) <= set(members.tolist())
    assert recall(ids, truth) >= 0.97


def test_sql_agrees_with_knn(indexed, data):
    con, metric = indexed
    truth = np.argsort(exact(metric, *data), axis=1)[:, :K]
    found = [
        [row[0] for row in con.execute(f"select id from t order by e {OPERATORS[metric]} ? limit {K}", (query,))]
        for query in data[1]
    ]
    assert recall(np.array(found), truth) >= 0.97


def test_one_query(indexed, data):
    con, _ = indexed
    ids, distances = con.knn("t", "e", data[1][0].tolist(), 3)
    assert ids.shape == distances.shape == (1, 3)


def test_fewer_rows_than_k():
    con = turdb.connect(":memory:")
    con.execute("create table t(id integer primary key, e vector(2))")
    con.executemany("insert into t values(?, ?)", [(1, [0, 0]), (2, [3, 4])])
    ids, distances = con.knn("t", "e", [[0, 0]], 4)
    assert ids.tolist() == [[1, 2, -1, -1]] and distances.tolist() == [[0, 5, np.inf, np.inf]]
    ids, _ = con.knn("t", "e", [[0, 0]], 2, where="id > 5")
    assert ids.tolist() == [[-1, -1]]
    assert con.knn("t", "e", np.zeros((0, 2)), 2)[0].shape == (0, 2)
    con.rollback()
    con.close()


BAD = [
    (turdb.DataError, dict(queries=[[1, 2, 3]])),
    (turdb.DataError, dict(queries=[["a", "b"]])),
    (turdb.DataError, dict(queries=[[1, 2], [3]])),
    (turdb.DataError, dict(queries=[[1, np.nan]])),
    (turdb.DataError, dict(queries=np.zeros((1, 1, 2)))),
    (turdb.ProgrammingError, dict(k=0)),
    (turdb.ProgrammingError, dict(k=-1)),
    (turdb.ProgrammingError, dict(k=1.5)),
    (turdb.ProgrammingError, dict(ef=0)),
    (turdb.ProgrammingError, dict(table="nope")),
    (turdb.ProgrammingError, dict(column="nope")),
    (turdb.Error, dict(column="id")),
    (turdb.ProgrammingError, dict(where="nope = 1")),
    (turdb.ProgrammingError, dict(where="id = = 1")),
    (turdb.ProgrammingError, dict(where="id = ?")),
    (turdb.ProgrammingError, dict(where="id = ?", parameters=(1, 2))),
    (turdb.ProgrammingError, dict(parameters=(1,))),
    (turdb.ProgrammingError, dict(where="1) or (1")),
]


@pytest.mark.parametrize("error, change", BAD)
def test_bad_calls(error, change):
    con = turdb.connect(":memory:", isolation_level=None)
    con.execute("create table t(id integer primary key, e vector(2))")
    con.execute("insert into t values(1, ?)", ([1, 2],))
    arguments = dict(table="t", column="e", queries=[[0, 0]], k=1)
    with pytest.raises(error):
        con.knn(**{**arguments, **change})
    assert con.knn(**arguments)[0].tolist() == [[1]]
    con.close()
