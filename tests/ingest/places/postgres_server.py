"""A PostgreSQL server on this machine, in a folder that goes with it."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest


@contextlib.contextmanager
def postgres_server(setup: str) -> Iterator[str]:
    """host:port/database of a server in which `setup` has been executed. Skips where PostgreSQL is not installed."""
    programs, user = _programs(), _user()
    with tempfile.TemporaryDirectory() as folder:
        os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
        port = free_port()

        def execute(program: str, *arguments: str) -> None:
            command = [programs / program, "-D", f"{folder}/data", *arguments]
            subprocess.run(
                command, cwd=folder, user=user if os.getuid() == 0 else None, check=True, capture_output=True
            )

        execute("initdb", "--auth-host=scram-sha-256", "--no-sync", "--encoding=UTF8", "--locale=C")
        settings = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={folder} -c fsync=off"
        execute("pg_ctl", "-w", "-l", f"{folder}/log", "-o", settings, "start")
        try:
            with psycopg.connect(host=folder, port=port, dbname="postgres", user=user) as connection:
                connection.execute(setup)
            yield f"127.0.0.1:{port}/postgres"
        finally:
            execute("pg_ctl", "-m", "immediate", "stop")


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _programs() -> Path:
    """The folder that holds initdb and pg_ctl: Debian keeps them off the path."""
    folders = [Path(found).parent] if (found := shutil.which("pg_ctl")) else Path("/usr/lib/postgresql").glob("*/bin")
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "pg_ctl").exists():
            return folder
    pytest.skip("needs initdb and pg_ctl, as in Debian's package postgresql")


def _user() -> str:
    """Who runs the server: ourselves, but PostgreSQL refuses to be run by root."""
    if os.getuid() != 0:
        return pwd.getpwuid(os.getuid()).pw_name
    if "postgres" not in {entry.pw_name for entry in pwd.getpwall()}:
        pytest.skip("needs a user postgres, since PostgreSQL refuses to be run by root")
    return "postgres"
