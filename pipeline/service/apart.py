"""Runs a function in a process of its own. A parser or a regular expression at work holds the interpreter: in a thread it
would stop every answer of the service, nothing could end it, and where it crashes, the service would too.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from pipeline.core.errors import InputError

T = TypeVar("T")

_LOOK = 0.1  # seconds between two looks whether to stop
# From a process that is still clean: a copy of this one, with its threads and locks, could stand still for ever.
_METHOD = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"


class Broken(Exception):
    """The function failed, or its process ended, for a reason that is no InputError."""


class Stopped(Exception):
    """The caller wanted no more of it."""


def apart(
    function: Callable[..., Iterator[T]], *arguments: Any, seconds: float, stopped: Callable[[], bool]
) -> Iterator[T]:
    """What `function(*arguments)` yields, piece by piece; all of it must pass between processes.

    Raises InputError if it does, TimeoutError after so many `seconds`, Stopped once `stopped()`, and else Broken.
    """
    context: Any = multiprocessing.get_context(_METHOD)
    if _METHOD == "forkserver":
        context.set_forkserver_preload([function.__module__])  # imported once
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_serve, args=(sender, seconds, function, arguments), daemon=True)
    process.start()
    sender.close()
    end = time.monotonic() + seconds
    try:
        while True:
            while not receiver.poll(_LOOK):
                if stopped():
                    raise Stopped
                if time.monotonic() > end:
                    raise TimeoutError
            kind, content = receiver.recv()
            if kind == "end":
                return
            if kind != "piece":
                raise InputError(content) if kind == "input" else Broken(content)
            yield content
    except EOFError:
        raise Broken("its process ended") from None
    finally:
        process.kill()
        process.join()
        process.close()
        receiver.close()


def _serve(
    sender: Connection, seconds: float, function: Callable[..., Iterator[object]], arguments: tuple[Any, ...]
) -> None:
    for number in (
        signal.SIGINT,
        signal.SIGTERM,
    ):  # sent to the whole group; the service ends this process when it ends
        signal.signal(number, signal.SIG_IGN)
    with contextlib.suppress(ImportError):  # a service that is killed leaves nothing at work for ever
        import resource

        resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 1, int(seconds) + 2))
    try:
        for piece in function(*arguments):
            sender.send(("piece", piece))
        sender.send(("end", None))
    except InputError as error:
        sender.send(("input", str(error)))
    except BaseException as error:  # only its type: the message may quote a review
        sender.send(("broken", type(error).__name__))
