"""The host of a request in the base string (RFC 5849 section 3.4.1.2)."""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import IPv6Address

from async_oauth1.errors import InvalidRequestError

DEFAULT_PORTS = {"http": 80, "https": 443}

# Labels of 1 to 63 characters, as in DNS; Werkzeug's router raises an error for any others.
_HOST = re.compile(
    r"(\[[0-9A-Fa-f:.]{2,45}\]|(?=[^:]{1,255}(?::|\Z))[A-Za-z0-9\-_~]{1,63}(?:\.[A-Za-z0-9\-_~]{1,63})*+\.?)"
    r"(?::([0-9]{0,5}))?"
)
#: The number of cached hosts; a server has only a few names.
HOSTS_KEPT = 1_024


@lru_cache(maxsize=HOSTS_KEPT)
def normalize_host(host: str, scheme: str) -> str:
    """Check a host, convert it to lower case, and remove the scheme's default port (section 3.4.1.2).

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
        raise InvalidRequestError("The Host header has a port that is not between 1 and 65535.")
    return f"{name}:{int(port)}"
