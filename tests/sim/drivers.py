"""Databases for the simulator: turdb.connect() on a folder, or the engine on a file system in memory that injects faults.

Both give Connections with execute(sql) -> (rows, rows changed), in_transaction and close(); errors are SqlError with the
kind ("Busy", "Conflict", "Constraint", ...).
"""

from __future__ import annotations

import shutil
import tempfile
from typing import Any, Optional

import turdb
from turdb._testing import engine

FAULTS = {"power": engine.POWER_LOSS, "io": engine.IO_ERROR, "full": engine.DISK_FULL, "short": engine.SHORT_WRITE}


class SqlError(Exception):
    def __init__(self, kind: str, message: str) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind
        self.message = message


class EngineConnection:
    def __init__(self, env: Any, path: str) -> None:
        try:
            self.engine = engine.Connection(env, path, timeout_ms=0)
        except RuntimeError as error:
            raise self.converted(error) from None

    @staticmethod
    def converted(error: RuntimeError) -> SqlError:
        kind, _, message = str(error).partition(": ")
        return SqlError(kind, message)

    def execute(self, sql: str) -> tuple:
        try:
            return self.engine.execute(sql)
        except RuntimeError as error:
            raise self.converted(error) from None

    @property
    def in_transaction(self) -> bool:
        return self.engine.in_transaction

    def close(self) -> None:
        try:
            self.engine.close()
        except RuntimeError as error:
            raise self.converted(error) from None


class FaultDatabase:
    """On a FaultEnv: nothing touches the disk, and everything can be made to fail."""

    has_faults = True

    def __init__(self) -> None:
        self.env = engine.fault_env()
        self.armed_at: Optional[int] = None

    def connect(self) -> EngineConnection:
        return EngineConnection(self.env, "db")

    def arm(self, kind: str, after: int, count: int) -> None:
        self.armed_at = self.env.calls() + after
        self.env.fail_at(self.armed_at, FAULTS[kind], count)

    def disarm(self) -> None:
        self.armed_at = None
        self.env.fail_at(0, engine.IO_ERROR, 0)

    def has_fired(self) -> bool:
        return self.armed_at is not None and self.env.calls() >= self.armed_at

    def cut_power(self) -> None:
        self.env.cut_power()

    def restart(self, seed: int) -> None:
        self.env.restart(seed)
        self.armed_at = None

    def kill_process(self) -> None:
        self.env.kill_process()
        self.armed_at = None

    def object_files(self) -> list:
        return self.env.list("db/root")

    def remove(self) -> None:
        pass


class FolderConnection:
    def __init__(self, path: str) -> None:
        try:
            self.con = turdb.connect(path, timeout=0, isolation_level=None)
        except turdb.Error as error:
            raise SqlError(error.kind, str(error)) from None

    def execute(self, sql: str) -> tuple:
        try:
            cursor = self.con.execute(sql)
            rows = [tuple(v.tolist() if hasattr(v, "tolist") else v for v in row) for row in cursor.fetchall()]
            return rows, cursor.rowcount
        except turdb.Error as error:
            raise SqlError(error.kind, str(error)) from None

    @property
    def in_transaction(self) -> bool:
        return self.con.in_transaction

    def close(self) -> None:
        self.con.close()


class FolderDatabase:
    """In a folder of the operating system, through the Python interface."""

    has_faults = False

    def __init__(self) -> None:
        self.folder = tempfile.mkdtemp(prefix="turdb-sim-")
        self.path = f"{self.folder}/db"

    def connect(self) -> FolderConnection:
        return FolderConnection(self.path)

    def has_fired(self) -> bool:
        return False

    def object_files(self) -> list:
        import os

        return sorted(os.listdir(f"{self.path}/root"))

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


DATABASES = {"faults": FaultDatabase, "folder": FolderDatabase}
