"""URLs without passwords, for messages and logs."""

from __future__ import annotations

import re
from urllib.parse import unquote_plus

__all__ = ["redact_url", "shown_name"]


def redact_url(url: str) -> str:
    """The URL on one line and without passwords, for messages and logs.

    If a mistake makes it unclear where a password is, such as an unescaped ``@``, ``/`` or ``?``, a third slash, or a
    missing host, too much is hidden.
    """
    printable = "".join(char if char.isprintable() else "?" for char in url)
    head, separator, rest = printable.partition("://")
    if not separator:
        head, rest = "", _SETTING.sub(r"\1=***", printable)
    shown = rest if head.lower() == "sqlite" else _without_password(head.lower(), rest)
    return f"{head}{separator}{_OPTION.sub(_redact_option, shown)}"


def _without_password(scheme: str, rest: str) -> str:
    """What follows the scheme, without the password in front of the host."""
    location = rest.lstrip("/")
    slashes = rest[: len(rest) - len(location)]
    if "@" not in location:
        misplaced = None if slashes else _NO_PORT.match(location)
        return f"{misplaced[1]}:***{location[misplaced.end() :]}" if misplaced else rest
    credentials, _, after = location.rpartition("@")
    user, colon, _ = credentials.partition(":")
    if colon:
        return f"{slashes}{user}:***@{after}"
    # A single name is a user in PostgreSQL alone. After three slashes, an "@" may belong to an option.
    is_of_option = bool(slashes) and "@" not in _QUERY.split(location, maxsplit=1)[0]
    return rest if is_of_option or scheme.startswith("postgres") else f"{slashes}***@{after}"


def shown_name(name: str, shown: str) -> str:
    """An option's name for a message that shows a redacted URL; "?" if the URL hides the name."""
    return name if name.isprintable() and name in shown else "?"


_QUERY = re.compile(r"\?\w+=")
# An option and what follows it without "=": the rest of a value with an unescaped "&".
_OPTION = re.compile(r"([?&;])([^=&;]*)=[^&;]*(?:[&;][^=&;]*(?=[&;]|$))*")
_SECRET_NAME = re.compile(r"(?i)pass|pwd|secret|token|key|auth|cred")
# In a text that is no URL, such as libpq's other form: "host=db password='...'".
_SETTING = re.compile(r"(?i)(\b\w*(?:pass|pwd|secret)\w*)\s*=\s*(?:'[^']*'?|\S+)")
# What is in the place of a port but is no number may be the password of a URL that lacks its host.
_NO_PORT = re.compile(r"(\[[^\]]*\]|[^:/?\[]*):(?!\d*(?:[,/?]|$))[^/?]*")


def _redact_option(option: re.Match[str]) -> str:
    """Hide the value of an option that names a secret, also if the name has escapes or stands within the value."""
    names = option[0].rpartition("=")[0]
    return f"{option[1]}{option[2]}=***" if _SECRET_NAME.search(unquote_plus(names)) else option[0]
