"""A log that nobody outside can fill."""

from __future__ import annotations

import logging
import time

_INTERVAL = 10.0  # seconds
_MOST = {logging.INFO: 1000}  # of one kind in an interval: requests have a line each
_MOST_TROUBLE = 10  # of anything else


class Sparing(logging.Filter):
    """Lets through so many records an interval from each place in the code; the next one after that says how many more there
    were. So the places are as many as the code has, whatever a client sends.
    """

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[tuple[str, int], tuple[float, int]] = {}  # since when, and how many

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is written."""
        place, now = (record.pathname, record.lineno), time.monotonic()
        since, seen = self._seen.get(place, (now, 0))
        most = _MOST.get(record.levelno, _MOST_TROUBLE)
        if now - since >= _INTERVAL:
            if seen > most:
                record.msg, record.args = f"{record.getMessage()} (and {seen - most} more like it before)", None
            since, seen = now, 0
        self._seen[place] = since, seen + 1
        return seen < most


def configure() -> None:
    """Logs to the standard error: the service's requests, and warnings of everything else."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    handler.addFilter(Sparing())
    logging.basicConfig(handlers=[handler], level=logging.WARNING)
    logging.getLogger("pipeline.service").setLevel(logging.INFO)
    logging.getLogger("python_multipart").setLevel(logging.ERROR)  # it warns of every malformed upload
