"""Serves a lake to many readers by Quack, DuckDB's protocol over HTTP, while warehouses go on pouring into it.

    pip install 'review-insights[lake]'
    python examples/serve_lake.py sqlite:lake.sqlite quack:localhost:9494 TOKEN

and each reader, in DuckDB of the same version:

    ATTACH 'quack:localhost:9494' AS lake (TOKEN 'TOKEN');
    FROM lake.themes SELECT warehouse, theme, count(*) GROUP BY ALL;

Who has the token may run any SQL in this process, which reads and writes what the process may: Quack (beta) serves nothing where
DuckDB's access to files is shut off. Run it in a container of its own that holds the lake and nothing else.
"""

from __future__ import annotations

import sys
import threading

from pipeline.tools import lake


def main(catalogue: str, address: str, token: str) -> None:
    """Serves until it is interrupted."""
    with lake.opened(catalogue) as opened:
        for table in opened.query("SELECT table_name FROM duckdb_tables() WHERE database_name = 'lake'"):
            name = table["table_name"]
            opened.execute(f'CREATE VIEW "{name}" AS FROM lake."{name}"')
        lake.load_extension(opened, "quack")
        opened.execute("CALL quack_serve($address, token = $token)", {"address": address, "token": token})
        print(f"serving the lake at {address}", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
