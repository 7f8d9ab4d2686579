"""The licences of what is installed: which are allowed, and which packages are excepted, and why.

python -m tests.licences        # a table; exit 1 if a licence is not allowed
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions, requires

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ALLOWED = {
    *("MIT", "MIT-0", "MIT-CMU", "ISC", "0BSD", "Zlib", "Unlicense", "CC0-1.0", "BSL-1.0"),
    *("BSD", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "Apache-2.0 WITH LLVM-exception"),
    *("PSF-2.0", "Python-2.0", "CNRI-Python", "MPL-2.0"),  # MPL: of its own files only
}
EXCEPTIONS = {
    "psycopg": "LGPL-3.0: used as it is, by import, and only where reviews come from PostgreSQL",
    "psycopg-binary": "LGPL-3.0: as psycopg",
}
_CLASSIFIERS = {  # of packages that name no SPDX expression
    "MIT License": "MIT",
    "MIT": "MIT",
    "Apache Software License": "Apache-2.0",
    "Apache": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "Apache 2.0 License": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "BSD License": "BSD",
    "3-Clause BSD License": "BSD-3-Clause",
    "ISC License (ISCL)": "ISC",
    "Python Software Foundation License": "PSF-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
}


def licences(package: Distribution) -> list[set[str]]:
    """What a package is under, as its metadata say: all of the sets hold, of each one licence suffices."""
    metadata = package.metadata
    named = [
        line.split("::")[-1].strip()
        for line in metadata.get_all("Classifier") or []
        if line.startswith("License ::") and not line.endswith("OSI Approved")
    ]
    written = metadata.get("License-Expression") or metadata.get("License") or "none named"
    if metadata.get("License-Expression") or not named:
        plain = written.splitlines()[0].replace("(", "").replace(")", "")
        named = re.split(r"\s+AND\s+", plain)
    return [{_CLASSIFIERS.get(name, name) for name in re.split(r"\s+OR\s+", part)} for part in named]


def needed(name: str = "review-insights") -> set[str]:
    """The names of a package's dependencies, all extras and theirs included, as far as they are installed."""
    installed = {canonicalize_name(package.metadata["Name"]) for package in distributions()}
    found: set[str] = set()
    waiting = [(canonicalize_name(name), {"dev", "local"})]
    while waiting:
        package, extras = waiting.pop()
        for line in requires(package) or []:
            wanted = Requirement(line)
            wanted_name = canonicalize_name(wanted.name)
            here = any(not wanted.marker or wanted.marker.evaluate({"extra": extra}) for extra in {"", *extras})
            if here and wanted_name in installed and wanted_name not in found | {package}:
                found.add(wanted_name)
                waiting.append((wanted_name, wanted.extras))
    return found


def refused(packages: Iterator[Distribution] | list[Distribution]) -> dict[str, str]:
    """Package -> licence, of those whose licence is neither allowed nor excepted."""
    result = {}
    for package in packages:
        name = canonicalize_name(package.metadata["Name"])
        under = licences(package)
        if name not in EXCEPTIONS and not all(choices & ALLOWED for choices in under):
            result[name] = " AND ".join(" OR ".join(sorted(choices)) for choices in under)
    return result


if __name__ == "__main__":
    names = needed()
    wrong = refused([package for package in distributions() if canonicalize_name(package.metadata["Name"]) in names])
    for refused_name, licence in sorted(wrong.items()):
        print(f"{refused_name}: {licence} is not allowed. Do without it, or give its reason in tests/licences.py.")
    print(
        f"{len(names)} packages, {len(wrong)} refused; excepted: {', '.join(sorted(names & EXCEPTIONS.keys())) or 'none'}"
    )
    sys.exit(bool(wrong))
