"""PageTable against dicts: copies share nodes and never see each other's changes."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from turdb._testing import pager as p

pages = st.one_of(st.integers(0, 70), st.integers(4000, 4200), st.sampled_from([2**18, 2**24 + 5, 2**31, 2**32 - 1]))


class Tables(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.table, self.model = p.PageTable(), {}
        self.epoch = p.next_epoch()
        self.frozen = []
        self.mark = 0

    @rule(page=pages)
    def set(self, page):
        self.mark += 1
        self.table.set(page, self.mark, self.epoch)
        self.model[page] = self.mark

    @rule(page=pages)
    def erase(self, page):
        self.table.erase(page, self.epoch)
        self.model.pop(page, None)

    @rule()
    def freeze(self):
        self.frozen.append((self.table.copy(), dict(self.model)))
        self.epoch = p.next_epoch()

    @rule(i=st.integers(0, 3))
    def roll_back(self, i):
        if self.frozen:
            table, model = self.frozen[i % len(self.frozen)]
            self.table, self.model = table.copy(), dict(model)
            self.epoch = p.next_epoch()

    @invariant()
    def agrees(self):
        assert dict(self.table.items()) == self.model
        assert [page for page, _ in self.table.items()] == sorted(self.model)
        assert self.table.is_empty == (not self.model)
        for page in (0, 1, 63, 64, 4096, 2**32 - 1):
            assert self.table.find(page) == self.model.get(page)
        for table, model in self.frozen[-3:]:
            assert dict(table.items()) == model
            changed = [k for k, v in self.model.items() if model.get(k) != v]
            assert self.table.changed_since(table) == sorted(changed)


TestTables = Tables.TestCase
TestTables.settings = settings(deadline=None, max_examples=60, stateful_step_count=40)
