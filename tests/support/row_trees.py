"""A RowTree compared with its model, a dict of rows by key."""

def identical(a, b):
    """Same values and same storage classes: 1 and 1.0 differ."""
    return len(a) == len(b) and all(type(x) is type(y) and x == y for x, y in zip(a, b))


def check(tree, model):
    findings, used = tree.check()
    assert findings == []
    assert used + tree.free_count() + 1 == tree.page_count()
    assert tree.count() == len(model)
    walked = tree.walk()
    assert [k for k, _ in walked] == sorted(model)
    for key, row in walked:
        assert identical(row, model[key]), (key, row, model[key])


def check_scan(tree, model, first, last, columns, defaults, max_rows):
    keys, got, _ = tree.scan(first, last, columns, defaults, max_rows)
    expected = [k for k in sorted(model) if first <= k <= last]
    assert keys == expected
    for j, column in enumerate(columns):
        want = [model[k][column] if column < len(model[k]) else defaults[j] for k in expected]
        assert identical(got[j], want)
