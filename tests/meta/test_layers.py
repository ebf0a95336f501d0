"""The layers: a room includes only the rooms that its line in CMakeLists.txt links, itself or through others."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CPP = ROOT / "cpp"
ROOM = re.compile(r"^turdb_room\((\S+)\s*(.*?)\)", re.MULTILINE | re.DOTALL)
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)
PYTHON = re.compile(r"^\s*#\s*include\s*[<\"](Python\.h|pybind11/)", re.MULTILINE)


def rooms_in_cmake() -> dict[str, set[str]]:
    """Room -> rooms that it links directly."""
    rooms = {}
    for name, arguments in ROOM.findall((ROOT / "CMakeLists.txt").read_text()):
        words = arguments.split()
        start = words.index("DEPS") + 1 if "DEPS" in words else len(words)
        end = words.index("ABSL") if "ABSL" in words else len(words)
        rooms[name] = set(words[start:end])
    return rooms


def reachable(rooms: dict[str, set[str]], room: str) -> set[str]:
    seen, waiting = {room}, [room]
    while waiting:
        for next_room in rooms[waiting.pop()] - seen:
            seen.add(next_room)
            waiting.append(next_room)
    return seen


ROOMS = rooms_in_cmake()
ROOMS["bindings"] = {"engine"}
SOURCES = sorted(path for path in CPP.rglob("*") if path.suffix in {".h", ".cc"} and "testing" not in path.parts)


def room_of(path: Path) -> str:
    return path.parent.relative_to(CPP).as_posix()


def test_rooms_are_known_and_have_no_rings():
    assert len(ROOMS) > 15
    for room, links in ROOMS.items():
        assert links <= set(ROOMS), f"{room} links unknown rooms"
        for link in links:
            assert room not in reachable(ROOMS, link), f"{room} and {link} reach each other"


def test_every_source_is_in_a_room():
    assert {room_of(path) for path in SOURCES} <= set(ROOMS)


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_includes_follow_the_links(room):
    allowed = reachable(ROOMS, room)
    forbidden = []
    for path in SOURCES:
        if room_of(path) != room:
            continue
        for include in INCLUDE.findall(path.read_text()):
            target = CPP / include
            if target.exists():
                if room_of(target) not in allowed:
                    forbidden.append(f"{path.relative_to(ROOT)} includes {include}")
            elif (path.parent / include).exists() and "/" not in include:
                forbidden.append(f"{path.relative_to(ROOT)} includes {include} without its room")
    assert not forbidden, "\n".join(forbidden)


def test_only_bindings_include_python():
    assert not [path for path in SOURCES if room_of(path) != "bindings" and PYTHON.search(path.read_text())]
