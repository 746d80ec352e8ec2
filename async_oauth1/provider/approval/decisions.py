"""What a resource owner decided (RFC 5849 section 2.2)."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["AuthorizationDecision"]


@dataclass(frozen=True, slots=True)
class AuthorizationDecision:
    """The result of the resource owner's decision.

    Attributes:
        oauth_token: the temporary token that was approved or denied.
        verifier: proves the approval; ``None`` after a denial.
        location: the URI to redirect the browser to; ``None`` for ``oob``: show the verifier in a page.
    """

    oauth_token: str
    verifier: str | None = field(repr=False)
    location: str | None = field(repr=False)
