"""Simulated histories with fixed seeds; docs/testing.md says how to run more of them and how to replay one.

TURDB_SIM_SEEDS is the number of histories of each kind, TURDB_SEED where they begin.
"""

import os

import pytest

from .model import index_of, predicate_sql
from .plan import make_plan
from .run import Failure, Run
from .shrink import play, play_apart, shrink

SEEDS = int(os.environ.get("TURDB_SIM_SEEDS", "30"))
FIRST = int(os.environ.get("TURDB_SEED", "1"))
GROUPS = 6  # tests of several histories each, so that processes of pytest-xdist share them


def check(seeds, database, with_faults):
    for seed in seeds:
        plan = make_plan(seed, with_faults)
        failure = play(plan, database)
        if failure is not None:
            small = shrink(plan, lambda p: play_apart(p, database), most_tries=300)
            lines = []
            play(small, database, lines.append)
            faults = " --faults" if with_faults else ""
            pytest.fail(f"{failure}\n\npython -m tests.sim --seed {seed}{faults} --database {database}\n\n" + "\n".join(lines))


@pytest.mark.parametrize("group", range(GROUPS))
def test_histories_with_faults(group):
    check(range(FIRST + group, FIRST + 2 * SEEDS, GROUPS), "faults", True)


@pytest.mark.parametrize("group", range(GROUPS))
def test_histories_without_faults(group):
    check(range(FIRST + group, FIRST + 2 * SEEDS, GROUPS), "faults", False)


@pytest.mark.parametrize("group", range(2))
def test_histories_in_a_folder(group):
    check(range(FIRST + group, FIRST + max(4, SEEDS // 6), 2), "folder", False)


class Lying:
    """A database that answers wrongly, to see that the simulator notices."""

    has_faults = False

    def __init__(self, real, lie):
        self.real, self.lie = real, lie

    def connect(self):
        con, lie = self.real.connect(), self.lie

        class Connection:
            in_transaction = property(lambda self: con.in_transaction)
            close = staticmethod(con.close)

            @staticmethod
            def execute(sql):
                changed = lie(sql)
                return ([], 1) if changed is None else con.execute(changed)

        return Connection()

    def has_fired(self):
        return False

    def object_files(self):
        return self.real.object_files()

    def remove(self):
        self.real.remove()


def forget_commits(sql):
    return "rollback" if sql == "commit" else sql


def lose_deletes(sql):
    return None if sql.startswith("delete") else sql


def forget_an_index_condition(sql):
    return sql.replace(" where a >= 5", "") if sql.startswith("select") else sql


def lose_isolation(sql):
    return "begin isolation level read committed" if sql.startswith("begin") else sql


@pytest.mark.parametrize("lie", [forget_commits, lose_deletes, forget_an_index_condition, lose_isolation])
def test_wrong_answers_are_noticed(lie):
    from .drivers import FaultDatabase

    for seed in range(60):
        try:
            Run(make_plan(seed), Lying(FaultDatabase(), lie)).play()
        except Failure:
            return
    pytest.fail("no history noticed")


def test_shrinking_keeps_what_fails():
    plan = make_plan(5)
    plan.steps.append([1, {"op": "power", "seed": 1}])
    small = shrink(plan, lambda p: "yes" if any(op["op"] == "power" for _, op in p.steps) else None)
    assert small.steps == [[1, {"op": "power", "seed": 1}]]


def test_plans_are_the_same_for_a_seed(tmp_path):
    plan = make_plan(11, with_faults=True)
    assert plan == make_plan(11, with_faults=True) != make_plan(12, with_faults=True)
    path = str(tmp_path / "plan.json")
    plan.save(path)
    assert type(plan).load(path) == plan


def test_statements_are_spelt_as_meant():
    index = {"op": "create index", "table": "t", "name": "i", "columns": [["mod", "a", 3], "b"], "unique": True,
             "where": [">=", "a", 5], "kind": "btree"}
    assert index_of(index).sql("t") == "create unique index i on t (a % 3, b) where a >= 5"
    assert predicate_sql(["and", ["=", "b", "it's"], ["null", "a"]]) == "(b = 'it''s' and a is null)"
