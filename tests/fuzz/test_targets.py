"""The fuzz targets of cpp/fuzz without a fuzzer: on the kept inputs, among them every crash that was found, and on drawn ones.

A finding ends the process, so a failure here looks like a crash; the input is the parameter of the test that was running.
"""

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turdb._testing import fuzz

CORPUS = Path(__file__).parent / "corpus"
KEPT = sorted(path for path in CORPUS.glob("*/*") if path.is_file())


def test_every_target_has_kept_inputs():
    sources = {path.name.removesuffix("_fuzz.cc") for path in (CORPUS.parents[2] / "cpp" / "fuzz").glob("*_fuzz.cc")}
    assert set(fuzz.targets()) == sources == {path.parent.name for path in KEPT}


@pytest.mark.parametrize("path", KEPT, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_kept_input(path):
    fuzz.run(path.parent.name, path.read_bytes())


@pytest.mark.parametrize("target", fuzz.targets())
def test_cut_and_changed_inputs(target):
    """Prefixes of the kept inputs and inputs with some bytes changed: near to what reaches deep."""
    rng = random.Random(target)
    kept = [path.read_bytes() for path in KEPT if path.parent.name == target]
    for _ in range(60):
        data = bytearray(rng.choice(kept))
        for _ in range(rng.randrange(4)):
            if data:
                data[rng.randrange(len(data))] = rng.randrange(256)
        fuzz.run(target, bytes(data[: rng.randrange(len(data) + 1)]))


@settings(max_examples=150)
@given(target=st.sampled_from(fuzz.targets()), data=st.binary(max_size=600))
def test_drawn_input(target, data):
    fuzz.run(target, data)


@settings(max_examples=300)
@given(data=st.binary(min_size=40, max_size=200))
def test_keys_keep_their_order(data):
    fuzz.run("key_encoding", data)
