"""How many requests are allowed in which time, and the windows in which they are counted."""

from __future__ import annotations

import math
from dataclasses import dataclass
from hashlib import blake2b

__all__ = ["Rates", "Rule", "Window", "rules_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """What one client and one address may do.

    Each is in the notation of the library ``limits``, such as ``"60/minute"``, or several: ``"10/second;600/hour"``.

    Attributes:
        per_client: of one client. Only requests whose signature holds count. ``None`` for no limit.
        per_address: of one IPv4 address, or of one /64 network of IPv6. ``None`` for no limit.
    """

    per_client: str | None = None
    per_address: str | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """The window in which a request is counted.

    Attributes:
        key: of the counter.
        ends_in: seconds until the next window, in which the counter starts at 0; at least 1.
    """

    key: str
    ends_in: int


@dataclass(frozen=True, slots=True)
class Rule:
    """One limit.

    Attributes:
        name: as the ``RateLimit`` fields have it.
        amount: of requests in each window.
        seconds: the length of a window.
    """

    name: str
    amount: int
    seconds: int

    def window(self, subject: str, now: float) -> Window:
        """The window of a client or an address at a time.

        Windows begin at other times for each subject, so that not all clients return at the same moment. They follow
        from the clock alone, so that no server has to be asked when the window ends.

        Args:
            subject: a client's identifier or an address.
            now: Unix time, in seconds.
        """
        digest = blake2b(subject.encode("utf-8", "surrogatepass"), digest_size=16)
        offset = int.from_bytes(digest.digest()[:4], "big") % self.seconds
        number = math.floor((now + offset) / self.seconds)
        ends_in = (number + 1) * self.seconds - offset - now
        return Window(f"{self.name}/{digest.hexdigest()}/{number}", max(1, math.ceil(ends_in)))


def rules_of(endpoint: str, kind: str, rates: str | None) -> tuple[Rule, ...]:
    """The rules that a text says.

    Args:
        endpoint: where requests are counted.
        kind: ``client`` or ``address``.
        rates: as in `Rates`.

    Raises:
        ValueError: the text is not in the notation of ``limits``.
    """
    if rates is None:
        return ()
    from limits import parse_many

    try:
        items = parse_many(rates)
    except ValueError:
        raise ValueError(f'{endpoint}: {rates!r} is no rate; write for example "60/minute"') from None
    rules = tuple(
        Rule(f"{endpoint}-{kind}-{seconds}s", item.amount, seconds) for item in items if (seconds := item.get_expiry())
    )
    if any(rule.amount < 1 for rule in rules) or len({rule.seconds for rule in rules}) < len(items):
        raise ValueError(f"{endpoint}: {rates!r} needs amounts above 0, and each length of time once")
    return rules
