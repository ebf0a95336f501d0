"""What every process of a crowd (crowd.py) has, whatever its role: what lies beside the database, and how it begins and ends."""

import os
import sys
import traceback
from pathlib import Path


class Side:
    """What lies beside the database: the acknowledged commits, and the wish to stop."""

    def __init__(self, path):
        folder = Path(path).parent
        self.stop_path = folder / "stop"
        self.fd = os.open(folder / "acknowledged", os.O_RDWR | os.O_CREAT)

    def acknowledge(self, n):
        os.pwrite(self.fd, n.to_bytes(8, "little"), 0)

    def acknowledged(self):
        return int.from_bytes(os.pread(self.fd, 8, 0), "little")

    def is_stopped(self):
        return self.stop_path.exists()


def play(**roles):
    """Runs the role, path and seed of the command line; ends with 1 and a traceback when something was wrong."""
    try:
        roles[sys.argv[1]](sys.argv[2], int(sys.argv[3])).run()
    except BaseException:
        traceback.print_exc()
        sys.exit(1)
