"""Histories of transactions on lists, and what is wrong with them: a checker after Elle (Kingsbury & Alvaro, VLDB 2021).

Every value is appended once to one list, so a list that was read tells the order of its writers. From that follow the
dependencies between transactions: ww (the next append), wr (who read it), rw (who appended after what was read), and real
time (who began after a commit had returned). A cycle among them is an anomaly; which cycles are allowed depends on
the level. Lists that do not exist count as empty, so that phantoms are dependencies like any other.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any, Optional


@dataclass
class Txn:
    name: Any
    ops: list = field(default_factory=list)  # ("append", key, value) or ("read", key, tuple of values)
    is_committed: bool = False
    began: int = 0  # clock before its first statement
    ended: int = 0  # clock after COMMIT returned

    def appends(self) -> list:
        return [(key, value) for kind, key, value in self.ops if kind == "append"]


@dataclass
class Graph:
    """Edges by kind; the node of a moment in real time is ("time", n)."""

    edges: dict = field(default_factory=lambda: defaultdict(dict))  # from -> to -> (kind, why)
    loop: Optional[list] = None  # an edge from a node to itself

    def add(self, a: Any, b: Any, kind: str, why: str) -> None:
        if a == b:
            self.loop = [(a, kind, why)]
        elif b not in self.edges[a]:
            self.edges[a][b] = (kind, why)

    def cycle(self) -> Optional[list]:
        """A short cycle as [(node, kind, why)], or None."""
        if self.loop is not None:
            return self.loop
        component = self.component_with_cycle()
        if component is None:
            return None
        best: Optional[list] = None
        for start in sorted(component, key=str)[:50]:
            path = self.way_back(start, component)
            if path and (best is None or len(path) < len(best)):
                best = path
        return best

    def way_back(self, start: Any, component: set) -> Optional[list]:
        """Breadth first from `start` to itself."""
        came_from: dict = {}
        waiting = [start]
        for node in waiting:
            for other in self.edges.get(node, {}):
                if other == start:
                    path = [(node, *self.edges[node][other])]
                    while node != start:
                        before = came_from[node]
                        path.append((before, *self.edges[before][node]))
                        node = before
                    return path[::-1]
                if other in component and other not in came_from:
                    came_from[other] = node
                    waiting.append(other)
        return None

    def component_with_cycle(self) -> Optional[set]:
        """Tarjan's strongly connected components, without recursion."""
        index: dict = {}
        low: dict = {}
        on_stack: set = set()
        stack: list = []
        for root in list(self.edges):
            if root in index:
                continue
            work = [(root, iter(self.edges.get(root, {})))]
            index[root] = low[root] = len(index)
            stack.append(root)
            on_stack.add(root)
            while work:
                node, others = work[-1]
                for other in others:
                    if other not in index:
                        index[other] = low[other] = len(index)
                        stack.append(other)
                        on_stack.add(other)
                        work.append((other, iter(self.edges.get(other, {}))))
                        break
                    if other in on_stack:
                        low[node] = min(low[node], index[other])
                else:
                    work.pop()
                    if work:
                        low[work[-1][0]] = min(low[work[-1][0]], low[node])
                    if low[node] == index[node]:
                        component = set()
                        while True:
                            member = stack.pop()
                            on_stack.discard(member)
                            component.add(member)
                            if member == node:
                                break
                        if len(component) > 1:
                            return component
        return None


class Checker:
    """`final`: key -> tuple of values, read when all transactions were over."""

    def __init__(self, txns: list, final: dict) -> None:
        self.txns = txns
        self.final = final
        self.committed = [t for t in txns if t.is_committed]
        self.writer = {value: t for t in txns for _, value in t.appends()}

    # --- what no level allows ----------------------------------------------------------------------

    def problems(self) -> list:
        """Lost and aborted writes, intermediate and impossible reads."""
        found = []
        placed = {value for values in self.final.values() for value in values}
        for t in self.committed:
            found += [f"{t.name} committed {value} to {key} and it is lost" for key, value in t.appends() if value not in placed]
        for key, values in self.final.items():
            if len(set(values)) < len(values):
                found.append(f"{key} holds a value twice: {values}")
            found += [f"G1a: {key} holds {v} of {self.writer[v].name}, which did not commit"
                      for v in values if not self.writer[v].is_committed]
        for t in self.txns:
            found += self.problems_of_reads(t)
        return found

    def problems_of_reads(self, t: Txn) -> list:
        found = []
        own: dict = defaultdict(list)
        for kind, key, value in t.ops:
            if kind == "append":
                own[key].append(value)
                continue
            others = value[: len(value) - len(own[key])]
            if list(value[len(others) :]) != own[key]:
                found.append(f"{t.name} read {value} from {key} and had appended {own[key]}")
                continue
            final = self.final.get(key, ())
            if others != final[: len(others)]:
                found.append(f"{t.name} read {others} from {key}, no prefix of {final}")
            for v in others:
                if not self.writer[v].is_committed:
                    found.append(f"G1a: {t.name} read {v} of {self.writer[v].name}, which did not commit")
            if others and self.writer[others[-1]] is not t:
                last = [v for k, v in self.writer[others[-1]].appends() if k == key][-1]
                if last != others[-1]:
                    found.append(f"G1b: {t.name} read {others} from {key}, between two writes of {self.writer[others[-1]].name}")
        return found

    # --- dependencies --------------------------------------------------------------------------------

    def dependencies(self) -> list:
        """(from, to, kind, why) between committed transactions."""
        out = []
        for key, values in self.final.items():
            writers = [self.writer[v] for v in values]
            out += [(a.name, b.name, "ww", f"{key}: {v} before {w}")
                    for a, b, v, w in zip(writers, writers[1:], values, values[1:]) if a is not b]
        for t in self.committed:
            own: dict = defaultdict(int)
            for kind, key, value in t.ops:
                if kind == "append":
                    own[key] += 1
                    continue
                n = len(value) - own[key]  # how many are others'
                if n > 0:
                    out.append((self.writer[value[n - 1]].name, t.name, "wr", f"{key}: read {value[n - 1]}"))
                later = [v for v in self.final.get(key, ())[n:] if self.writer[v] is not t]
                if later:
                    out.append((t.name, self.writer[later[0]].name, "rw", f"{key}: read up to {value[:n][-1:]} before {later[0]}"))
        return [edge for edge in out if edge[0] != edge[1]]

    def add_real_time(self, graph: Graph) -> None:
        ends = sorted((t.ended, t.name) for t in self.committed)
        times = [end for end, _ in ends]
        moments = {name: ("time", n) for n, (_, name) in enumerate(ends)}
        for n, (_, name) in enumerate(ends):
            graph.add(name, moments[name], "time", "had committed")
            if n + 1 < len(ends):
                graph.add(("time", n), ("time", n + 1), "time", "then")
        for t in self.committed:
            n = bisect_left(times, t.began)
            if n > 0:
                graph.add(("time", n - 1), t.name, "time", "before it began")

    def graph(self, kinds: set, real_time: bool) -> Graph:
        graph = Graph()
        for a, b, kind, why in self.dependencies():
            if kind in kinds:
                graph.add(a, b, kind, why)
        if real_time:
            self.add_real_time(graph)
        return graph

    def snapshot_graph(self) -> Graph:
        """Its cycles are those of the dependencies in which no two rw follow each other: what snapshots rule out."""
        graph = self.graph({"ww", "wr"}, real_time=True)
        rw = defaultdict(list)
        for a, b, kind, why in self.dependencies():
            if kind == "rw":
                rw[a].append((b, why))
        for a in list(graph.edges):
            for b, (kind, why) in list(graph.edges[a].items()):
                for c, then in rw.get(b, ()):
                    if kind in ("ww", "wr", "time"):
                        graph.add(a, c, f"{kind}+rw", f"{why} of {b}, {then}")
        return graph

    def anomaly(self, level: str) -> Optional[str]:
        """What the level forbids and this history shows."""
        problems = self.problems()
        if problems:
            return "; ".join(problems[:5])
        if level == "serializable":
            cycle = self.graph({"ww", "wr", "rw"}, real_time=True).cycle()
        elif level == "snapshot":
            cycle = self.snapshot_graph().cycle()
        else:
            cycle = self.graph({"ww", "wr"}, real_time=False).cycle()
        return None if cycle is None else self.describe(cycle)

    def describe(self, cycle: list) -> str:
        lines = [f"  {node} --{kind}--> ({why})" for node, kind, why in cycle]
        names = {node for node, _, _ in cycle}
        lines += [f"  {t.name}: {t.ops}" for t in self.committed if t.name in names]
        return "a cycle:\n" + "\n".join(lines)
