"""Every kernel table that this CPU runs agrees with numpy; the integer kernels agree exactly."""

import numpy as np
import pytest

from turdb._testing import vec

ISAS = vec.available()
DIMS = [*range(1, 131), 384, 768, 1536]
METRICS = ["l2", "cosine", "ip", "l1", "hamming"]


def reference_key(metric, a, b):
    a, b = a.astype(np.float64), b.astype(np.float64)
    if metric == "l2":
        return ((a - b) ** 2).sum()
    if metric == "cosine":
        return 1 - a @ b / (np.linalg.norm(a) * np.linalg.norm(b))
    if metric == "ip":
        return -(a @ b)
    if metric == "l1":
        return np.abs(a - b).sum()
    return (a != b).sum()


def pair(rng, dim):
    a = rng.standard_normal(dim).astype(np.float32)
    b = rng.standard_normal(dim).astype(np.float32)
    same = rng.random(dim) < 0.3
    b[same] = a[same]
    return a, b


def test_scalar_and_active_are_available():
    assert "scalar" in ISAS
    assert vec.active() in ISAS
    assert ISAS[-1] == "scalar"


def test_override_by_name():
    before = vec.active()
    assert vec.set_active("scalar") and vec.active() == "scalar"
    assert not vec.set_active("no such table") and vec.active() == "scalar"
    assert vec.set_active(before)


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("metric", METRICS)
def test_key_matches_numpy(isa, metric):
    rng = np.random.default_rng(1)
    for dim in DIMS:
        a, b = pair(rng, dim)
        expected = reference_key(metric, a, b)
        for shift in (0, 4, 20, 1):
            got = vec.key(isa, metric, a, b, shift)
            assert got == pytest.approx(expected, rel=2e-5, abs=2e-5 * np.sqrt(dim)), (dim, shift)


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("metric", METRICS)
def test_batch_matches_single(isa, metric):
    rng = np.random.default_rng(2)
    for dim in (1, 3, 7, 16, 17, 100, 384, 1536):
        wide = rng.standard_normal((33, dim + 5)).astype(np.float32)
        query = rng.standard_normal(dim).astype(np.float32)
        for rows in (wide[:, :dim], wide[::2, 3 : 3 + dim], wide[:0, :dim], wide[:1, :dim]):
            keys = vec.batch(isa, metric, query, rows)
            expected = [reference_key(metric, query, row) for row in rows]
            np.testing.assert_allclose(keys, expected, rtol=2e-5, atol=2e-5 * np.sqrt(dim))
            np.testing.assert_array_equal(vec.gather(isa, metric, query, rows), keys[::-1])


@pytest.mark.parametrize("metric", METRICS)
def test_distance_is_the_users(metric):
    rng = np.random.default_rng(3)
    a, b = pair(rng, 384)
    expected = reference_key(metric, a, b)
    if metric == "l2":
        expected = np.sqrt(expected)
    assert vec.distance(metric, a, b) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("isa", ISAS)
def test_special_values(isa):
    inf, nan = np.inf, np.nan
    one = np.ones(37, np.float32)
    for position in (0, 20, 36):
        bad = one.copy()
        bad[position] = nan
        for metric in ("l2", "ip", "l1", "cosine"):
            assert vec.key(isa, metric, one, bad) == inf  # a NaN key sorts last
        assert vec.key(isa, "hamming", one, bad) == 1
        assert vec.key(isa, "hamming", bad, bad) == 1  # NaN differs from itself
        bad[position] = -inf
        assert vec.key(isa, "l2", one, bad) == inf
        assert vec.key(isa, "l1", one, bad) == inf
        assert vec.key(isa, "ip", one, bad) == inf
    zero = np.zeros(37, np.float32)
    assert vec.key(isa, "cosine", zero, one) == inf
    assert vec.key(isa, "hamming", zero, -zero) == 0  # -0 equals 0
    assert vec.key(isa, "cosine", one * np.float32(1e15), one * np.float32(1e15)) == pytest.approx(0, abs=1e-6)
    assert vec.key(isa, "l2", one * np.float32(3e38), -one * np.float32(3e38)) == inf
    denormal = np.full(37, 1e-40, np.float32)
    assert vec.key(isa, "l1", denormal, zero) == pytest.approx(37e-40, rel=1e-3)


def test_cosine_of_a_zero_vector_is_nan():
    assert np.isnan(vec.distance("cosine", np.zeros(5), np.ones(5)))


@pytest.mark.parametrize("isa", ISAS)
def test_norm_and_product(isa):
    rng = np.random.default_rng(4)
    for dim in DIMS:
        a, b = pair(rng, dim)
        assert vec.norm_squared(isa, a) == pytest.approx(float(a.astype(float) @ a), rel=1e-5)
        assert vec.inner_product(isa, a, b) == pytest.approx(float(a.astype(float) @ b), rel=1e-5, abs=1e-4)


def test_normalize():
    rng = np.random.default_rng(5)
    a = rng.standard_normal(384).astype(np.float32)
    unit, norm = vec.normalize(a)
    np.testing.assert_allclose(unit, a / np.linalg.norm(a), rtol=1e-5)
    assert norm == pytest.approx(np.linalg.norm(a), rel=1e-5)
    unit, norm = vec.normalize(np.zeros(7))
    assert norm == 0 and not unit.any()


@pytest.mark.parametrize("isa", ISAS)
def test_is_all_finite(isa):
    rng = np.random.default_rng(6)
    for n in (0, 1, 15, 16, 17, 1023, 1024, 1025, 5000):
        a = rng.standard_normal(n).astype(np.float32)
        a[: n // 3] = np.finfo(np.float32).max
        assert vec.is_all_finite(isa, a)
        for value in (np.nan, -np.nan, np.inf, -np.inf):
            for position in {0, n // 2, n - 1} if n else ():
                bad = a.copy()
                bad[position] = value
                assert not vec.is_all_finite(isa, bad)


@pytest.mark.parametrize("isa", ISAS)
def test_hamming_bits(isa):
    rng = np.random.default_rng(7)
    for n in range(0, 130):
        a, b = rng.integers(0, 256, (2, n), dtype=np.uint8)
        assert vec.hamming_bits(isa, a, b) == np.unpackbits(a ^ b).sum()


@pytest.mark.parametrize("isa", ISAS)
def test_half_to_float_is_exact(isa):
    every = np.arange(65536, dtype=np.uint16)
    expected = every.view(np.float16).astype(np.float32)
    np.testing.assert_array_equal(vec.half_to_float(isa, every), expected)
    for n in range(0, 40):
        np.testing.assert_array_equal(vec.half_to_float(isa, every[15000 : 15000 + n]), expected[15000 : 15000 + n])


@pytest.mark.parametrize("isa", ISAS)
def test_float_to_half_rounds_as_numpy(isa):
    rng = np.random.default_rng(8)
    bits = rng.integers(0, 2**32, 200_003, dtype=np.uint64).astype(np.uint32)
    near = rng.standard_normal(100_000).astype(np.float32) * np.float32(2.0) ** rng.integers(-27, 18, 100_000)
    halves = np.arange(0x7C00, dtype=np.uint16).view(np.float16).astype(np.float64)
    middles = ((halves[1:] + halves[:-1]) / 2).astype(np.float32)  # ties, which go to even
    edges = np.array([0, -0.0, 65504, 65519.996, 65520, -65520, 1e30, np.inf, -np.inf, 2**-25, 2**-24], np.float32)
    floats = np.concatenate([bits.view(np.float32), near.astype(np.float32), middles, -middles, edges])
    with np.errstate(over="ignore", invalid="ignore"):
        expected = floats.astype(np.float16)
    np.testing.assert_array_equal(vec.float_to_half(isa, floats).view(np.float16), expected)


@pytest.mark.parametrize("isa", ISAS)
def test_double_to_float(isa):
    rng = np.random.default_rng(9)
    a = np.concatenate([rng.standard_normal(1003), [0.0, -0.0, 1e300, -1e300, np.nan, np.inf, 1e-320]])
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(vec.double_to_float(isa, a), a.astype(np.float32))


@pytest.mark.parametrize("isa", ISAS)
def test_code_product_is_exact(isa):
    rng = np.random.default_rng(10)
    for dim in [*DIMS, 16384]:
        codes = rng.integers(0, 256, dim, dtype=np.uint8)
        query = rng.integers(-128, 128, dim, dtype=np.int8)
        assert vec.dot_u8s8(isa, codes, query) == int(codes.astype(int) @ query.astype(int))
    worst = np.full(1536, 255, np.uint8)
    for value in (-128, 127):
        assert vec.dot_u8s8(isa, worst, np.full(1536, value, np.int8)) == 1536 * 255 * value


@pytest.mark.parametrize("isa", ISAS)
def test_min_max_and_encode(isa):
    rng = np.random.default_rng(11)
    for dim in DIMS:
        x, mean = rng.standard_normal((2, dim)).astype(np.float32)
        low, high = vec.min_max(isa, x, mean)
        assert (low, high) == ((x - mean).min(), (x - mean).max())
        codes = vec.encode_u8(isa, x, mean, -1.0, 100.0)
        expected = np.clip(np.rint((x - mean + np.float32(1)) * np.float32(100)), 0, 255)
        np.testing.assert_array_equal(codes, expected)


@pytest.mark.parametrize("metric", ["l2", "cosine", "ip"])
@pytest.mark.parametrize("isa", ISAS)
def test_sq8_keys_estimate_the_metric(isa, metric):
    rng = np.random.default_rng(12)
    for dim in (1, 2, 5, 63, 64, 65, 100, 384, 1536):
        mean = rng.standard_normal(dim).astype(np.float32) * np.float32(0.2)
        rows = rng.standard_normal((40, dim)).astype(np.float32) + mean
        queries = rows[:5] + rng.standard_normal((5, dim)).astype(np.float32) * np.float32(0.1)
        if metric == "cosine":
            mean = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).mean(0)
        keys = vec.Codec(metric, mean).keys(isa, queries, rows)
        factor = 1 if metric == "l2" else 2
        expected = np.array([[factor * reference_key(metric, q, r) for r in rows] for q in queries])
        # Both sides are rounded to 1/255 of a range of about seven standard deviations.
        scale = 1.0 if metric == "cosine" else float(dim)
        error = np.abs(keys - expected).max() / scale
        assert error < 0.15 / np.sqrt(dim), (dim, error)


@pytest.mark.parametrize("metric", ["l2", "cosine", "ip"])
def test_sq8_tables_agree(metric):
    rng = np.random.default_rng(13)
    rows = rng.standard_normal((50, 384)).astype(np.float32)
    codec = vec.Codec(metric, rows.mean(0))
    keys = [codec.keys(isa, rows[:7], rows) for isa in ISAS]
    for other in keys[1:]:
        np.testing.assert_allclose(other, keys[0], rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize("metric", ["l2", "cosine"])
def test_sq8_key_to_itself_is_zero(metric):
    rng = np.random.default_rng(14)
    rows = rng.standard_normal((20, 384)).astype(np.float32)
    keys = vec.Codec(metric, rows.mean(0)).keys(ISAS[0], rows, rows)
    assert np.abs(np.diag(keys)).max() < 1e-3


def test_sq8_decode_is_within_half_a_step():
    rng = np.random.default_rng(15)
    mean = rng.standard_normal(384).astype(np.float32)
    x = (rng.standard_normal(384) * 3).astype(np.float32)
    step = np.ptp(x - mean) / 255
    assert np.abs(vec.Codec("l2", mean).decode(x) - x).max() <= step * 0.501


@pytest.mark.parametrize(
    "x", [np.zeros(65), np.full(65, 7.5), np.r_[np.zeros(64), 3e38], np.r_[-3e38, np.zeros(63), 3e38], np.full(65, 1e-42)]
)
def test_sq8_of_degenerate_vectors_is_finite(x):
    codes, terms = vec.Codec("l2", np.zeros(65)).encode(x.astype(np.float32))
    assert np.isfinite(terms[:3]).all()
    assert not codes[65:].any()
