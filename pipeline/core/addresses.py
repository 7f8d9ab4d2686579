"""Whether a server stands on this machine or in its own network: what is sent elsewhere leaves the house."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

# No name without a full stop can be looked up on the internet; these endings are reserved for networks of one's own.
_OWN_NAME = re.compile(r"[a-z][a-z0-9_-]*|.+\.(?:localhost|local|internal|lan|home\.arpa)")


def is_near(address: str) -> bool:
    """Whether the server at an address (http://host:port/...) is reached without leaving one's own network: by a loopback or
    private IP address, or a name that only such a network knows. What cannot be told is far.
    """
    try:
        host = (urlsplit(address if "//" in address else f"//{address}").hostname or "").rstrip(".").lower()
    except ValueError:
        return False
    try:
        ip = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return bool(_OWN_NAME.fullmatch(host))
    ip = getattr(ip, "ipv4_mapped", None) or ip
    return ip.is_loopback or ip.is_private or ip.is_link_local
