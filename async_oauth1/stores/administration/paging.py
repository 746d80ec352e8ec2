"""Pages of a sorted list. The cursor is the sort key of a page's last record, so records may come and go meanwhile."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from async_oauth1.credentials import Client, TokenCredential
from async_oauth1.stores.base import is_text

__all__ = [
    "MAX_PAGE_SIZE",
    "PAGE_SIZE",
    "Page",
    "check_limit",
    "client_key",
    "encode_cursor",
    "first_page",
    "key_after",
    "matches",
    "page_of",
    "token_key",
]

T = TypeVar("T")
Key = tuple[Any, ...]

#: Records of a page, if nothing else is said.
PAGE_SIZE = 50
#: Records that may be asked for at once: about 1 MB.
MAX_PAGE_SIZE = 1000


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some records of a sorted list.

    Attributes:
        items: the records.
        next: the ``after`` of the next page; ``None`` if this is the last one.
    """

    items: list[T]
    next: str | None


def check_limit(limit: int) -> None:
    """Refuse a page without records, and one that is too large.

    Raises:
        ValueError: the limit is out of range.
    """
    if not 1 <= limit <= MAX_PAGE_SIZE:
        raise ValueError(f"limit is a number from 1 to {MAX_PAGE_SIZE}, not {limit}")


def client_key(client: Any) -> tuple[str, str]:
    """What clients are sorted by."""
    record = cast("Client", client)
    return getattr(record, "name", "") or "", record.client_id


def token_key(token: Any) -> tuple[float, str]:
    """What token credentials are sorted by."""
    record = cast("TokenCredential", token)
    return float(getattr(record, "created_at", 0.0) or 0.0), record.oauth_token


def encode_cursor(key: Key) -> str:
    """The cursor of a record: its sort key, in letters that a URL may contain."""
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


def key_after(after: str, *types: type) -> Key | None:
    """The sort key that a cursor stands for; ``None`` for the first page.

    Args:
        after: the cursor.
        types: of the key's parts.

    Raises:
        ValueError: it is not a cursor.
    """
    if not after:
        return None
    try:
        key: Any = json.loads(base64.b64decode(after + "=" * (-len(after) % 4), b"-_", validate=True))
        parts: Key = tuple(key)
    except (binascii.Error, ValueError, TypeError, RecursionError):
        parts = ()
    if [type(part) for part in parts] != list(types) or not is_text(*(part for part in parts if isinstance(part, str))):
        raise ValueError("after is not the cursor of a page; use the next of the page before")
    return parts


def page_of(records: Sequence[T], keys: Sequence[Key], limit: int) -> Page[T]:
    """The page of the first records.

    Args:
        records: those that can be read of ``keys``.
        keys: the sort keys of up to ``limit + 1`` records.
        limit: records of a page.
    """
    is_last = len(keys) <= limit
    return Page(list(records), None if is_last else encode_cursor(keys[limit - 1]))


def first_page(records: Iterable[T], key: Callable[[T], Key], after: Key | None, limit: int) -> Page[T]:
    """A page of a list in memory, which need not be sorted.

    Raises:
        ValueError: the limit is out of range.
    """
    check_limit(limit)
    later = sorted((record for record in records if after is None or key(record) > after), key=key)[: limit + 1]
    return page_of(later[:limit], [key(record) for record in later], limit)


def matches(search: str, *values: object) -> bool:
    """Whether one of the values contains a text."""
    wanted = search.lower()
    return not search or any(wanted in str(value).lower() for value in values)
