"""Several processes behind one port. They are forked from one that has loaded the models, so they share the memory of the
weights, and accept connections from the same sockets. The first one only watches over them.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from types import FrameType

from pipeline.core.errors import InputError

log = logging.getLogger(__name__)

COULD_NOT_START = 3  # exit code of a process that another one in its place would not help
_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_PAUSE = 1.0  # seconds between two starts of a process that ends at once


def require_fork() -> None:
    """Raises InputError where processes cannot be forked."""
    if sys.platform == "win32" or not hasattr(os, "fork"):
        raise InputError("serve: --processes above 1 needs Linux or macOS. Leave it out here.")


def supervise(count: int, work: Callable[[int], int]) -> None:
    """Keeps `count` processes at `work` until SIGTERM or Ctrl-C; then each gets a SIGTERM, and it returns when all have ended.

    `work(parent)` returns an exit code. `parent` is a descriptor that can be read once this process is gone, whatever ended it. It
    must run where no thread holds anything that a fork needs. Raises InputError if a process ends with COULD_NOT_START.
    """
    parent, alive = os.pipe()  # only this process keeps `alive`, so its end closes the pipe
    children: dict[int, float] = {}  # process -> when it began
    stopping = failed = False

    def stop(number: int = signal.SIGTERM, frame: FrameType | None = None) -> None:
        nonlocal stopping
        stopping = True
        for pid in list(children):
            _terminate(pid)

    def begin() -> None:
        with _signals_held():  # until the child has none of this process's handlers, and this one knows the child
            pid = os.fork()
            if not pid:
                os.close(alive)
                _be_child(work, parent)
            children[pid] = time.monotonic()
        if stopping:
            _terminate(pid)

    before = {number: signal.signal(number, stop) for number in _SIGNALS}
    try:
        for _ in range(count):
            begin()
        while children:
            pid, status = os.wait()
            began = children.pop(pid, None)
            if stopping or began is None:
                continue
            code = os.waitstatus_to_exitcode(status)
            if code == COULD_NOT_START:
                failed = True
                stop()
                continue
            log.error("process %d ended with %d; another one takes its place", pid, code)
            time.sleep(max(0.0, began + _PAUSE - time.monotonic()))
            if not stopping:
                begin()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(alive)
        os.close(parent)
    if failed:
        raise InputError("The service could not start; its log says why.")


def _be_child(work: Callable[[int], int], parent: int) -> None:
    """Ends with the process: nothing of the caller's, such as its `finally`, runs twice."""
    code = 1
    try:
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        code = work(parent)
    except BaseException as error:  # only its type: the message may quote a review
        log.error("a process failed: %s", type(error).__name__)
    finally:
        logging.shutdown()
        os._exit(code)


@contextlib.contextmanager
def _signals_held() -> Iterator[None]:
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)


def _terminate(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
