"""The host of a request as the base string has it (RFC 5849 section 3.4.1.2)."""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import IPv6Address

from async_oauth1.errors import InvalidRequestError

DEFAULT_PORTS = {"http": 80, "https": 443}

# Labels of 1 to 63 characters, as DNS has them: Werkzeug fails on any other while it routes.
_HOST = re.compile(
    r"(\[[0-9A-Fa-f:.]{2,45}\]|(?=[^:]{1,255}(?::|\Z))[A-Za-z0-9\-_~]{1,63}(?:\.[A-Za-z0-9\-_~]{1,63})*+\.?)"
    r"(?::([0-9]{0,5}))?"
)
#: Answers about hosts that are kept; a server has few names.
HOSTS_KEPT = 1_024


@lru_cache(maxsize=HOSTS_KEPT)
def normalize_host(host: str, scheme: str) -> str:
    """Check a host, lower its case and drop the scheme's default port (section 3.4.1.2).

    Raises:
        InvalidRequestError: the host is malformed.
    """
    match = _HOST.fullmatch(host)
    if not match:
        raise InvalidRequestError("The Host header is missing or malformed.")
    name, port = match[1].lower(), match[2]
    if name.startswith("["):
        try:
            IPv6Address(name[1:-1])
        except ValueError:
            raise InvalidRequestError("The Host header has a malformed IPv6 address.") from None
    if not port or int(port) == DEFAULT_PORTS.get(scheme):
        return name
    if not 0 < int(port) < 65_536:
        raise InvalidRequestError("The Host header has a port that does not exist.")
    return f"{name}:{int(port)}"
