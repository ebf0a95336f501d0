"""The fuzz targets of cpp/fuzz without a fuzzer: on the kept inputs, among them every crash that was found, and on drawn ones.

A finding ends the process, so a failure here looks like a crash; the input is the parameter of the test that was running.
"""

import os
import random
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turdb._testing import fuzz

SECONDS = float(os.environ.get("TURDB_FUZZ_SECONDS", "0"))  # a target
SEED = os.environ.get("TURDB_SEED", "")
COUNTS = [b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\x80", b"\xff\xff", b"\0\x40", b"\1\0\0\0", b"\0"]
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


@pytest.mark.skipif(SECONDS == 0, reason="the long form: TURDB_FUZZ_SECONDS=300, and TURDB_SEED for other inputs")
@pytest.mark.parametrize("target", fuzz.targets())
def test_changed_inputs_for_long(target):
    """The input that ends the process, or takes for ever, is left in a file."""
    rng = random.Random(target + SEED)
    kept = [path.read_bytes() for path in KEPT if path.parent.name == target]
    last = Path(tempfile.gettempdir(), f"turdb-fuzz-{target}")
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        data = bytearray(rng.choice(kept) if rng.random() < 0.5 else rng.randbytes(rng.randrange(8, 80)))
        for _ in range(rng.randrange(6)):
            at = rng.randrange(len(data) + 1)
            if rng.random() < 0.4:
                data[at : at + 1] = rng.randbytes(1)
            elif rng.random() < 0.5:
                count = rng.choice(COUNTS)
                data[at : at + len(count)] = count
            elif rng.random() < 0.5:
                data[at:at] = rng.randbytes(rng.randrange(1, 5))
            else:
                del data[at : at + rng.randrange(1, 5)]
        last.write_bytes(data)
        fuzz.run(target, bytes(data))
    last.unlink()


@settings(max_examples=150)
@given(target=st.sampled_from(fuzz.targets()), data=st.binary(max_size=600))
def test_drawn_input(target, data):
    fuzz.run(target, data)


@settings(max_examples=300)
@given(data=st.binary(min_size=40, max_size=200))
def test_keys_keep_their_order(data):
    fuzz.run("key_encoding", data)
