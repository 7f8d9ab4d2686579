"""serve: the API and the page."""

from __future__ import annotations

import argparse
import ipaddress
import os

from pipeline.cli import options
from pipeline.cli.command import Command
from pipeline.core.errors import InputError


def _options(sub: argparse.ArgumentParser) -> None:
    no_key = "no key: everyone who reaches the port may use it (else: REVIEW_INSIGHTS_API_KEY)"
    sub.add_argument("--no-auth", action="store_true", help=no_key)
    everywhere = "0.0.0.0: every interface (default: this machine only)"
    sub.add_argument("--host", default="127.0.0.1", metavar="ADDRESS", help=everywhere)
    sub.add_argument("--port", type=int, default=8000, metavar="N")
    processes = "behind the port, with one copy of the models; Linux and macOS (default: 1)"
    sub.add_argument("--processes", type=int, default=1, metavar="N", help=processes)
    names = "a name it is reached by, behind a proxy for instance; repeatable, '*' for any"
    sub.add_argument("--allow-host", action="append", default=[], metavar="NAME", help=names)
    proxies = "the address of a reverse proxy, whose X-Forwarded-For is believed; repeatable"
    sub.add_argument("--proxy", action="append", default=[], metavar="ADDRESS", help=proxies)
    rate = "requests per second and client, 0 for no limit (default: 100)"
    sub.add_argument("--rate", type=float, default=100.0, metavar="N", help=rate)
    rows = "of an uploaded file (default: 20000)"
    sub.add_argument("--max-rows", type=int, default=20_000, metavar="N", help=rows)


def serve(args: argparse.Namespace) -> int:
    """Runs the service until it is stopped. Raises InputError for options that contradict each other or missing packages."""
    from pipeline.core.profile import load
    from pipeline.tuning import champion

    key = _key(args.no_auth)
    if not 0 < args.port < 65536 or args.rate < 0 or args.max_rows < 1:
        raise InputError("serve: --port is 1 to 65535, --rate 0 or more, --max-rows 1 or more.")
    if args.processes < 1:
        raise InputError("serve: --processes is 1 or more.")
    try:
        from pipeline.service.serve import serve as run_service
        from pipeline.service.settings import Settings
    except ImportError as error:
        raise InputError("The service needs its packages: pip install 'review-insights[service]'") from error
    run_service(
        Settings(
            args.warehouse.absolute(),
            champion.in_use(load(args.profile), args.warehouse),
            key,
            host=args.host,
            port=args.port,
            processes=args.processes,
            hosts=tuple(name.lower() for name in args.allow_host),
            proxies=tuple(_addresses(args.proxy)),
            rate=args.rate,
            max_rows=args.max_rows,
        )
    )
    return 0


def _addresses(given: list[str]) -> list[str]:
    """The proxies' addresses. Raises InputError for anything else: a name would never match, and '*' believe everyone."""
    try:
        return [str(ipaddress.ip_address(address)) for address in given]
    except ValueError as error:
        raise InputError(f"--proxy: {error}. Give its IP address, such as 127.0.0.1.") from None


def _key(no_auth: bool) -> str | None:
    """The key that clients must show; None with --no-auth."""
    key = os.environ.get("REVIEW_INSIGHTS_API_KEY", "").strip()
    if no_auth and key:
        raise InputError("serve: --no-auth and REVIEW_INSIGHTS_API_KEY contradict each other. Leave one out.")
    if not no_auth and not key:
        raise InputError(
            "serve: choose between a key and none. Set REVIEW_INSIGHTS_API_KEY to a secret of your own, or say --no-auth."
        )
    if key and (len(key) < 16 or not key.isascii()):
        raise InputError("REVIEW_INSIGHTS_API_KEY: use 16 or more ASCII characters, such as from: openssl rand -hex 16")
    return key or None


COMMANDS = (
    Command(
        "serve",
        "the API and the page, on this machine's loopback",
        serve,
        (options.warehouse, options.profile, _options),
    ),
)
