"""Probes of what the provider decides: signature methods, wrong signatures, old timestamps, and replays."""

from __future__ import annotations

from collections.abc import Iterator

from .session import Finding, Probe, Session

__all__ = ["DECIDING"]

#: How often a request is sent again, each time on a new connection: another worker may answer.
_REPLAYS = 4


def methods(session: Session) -> Iterator[Finding]:
    """Which signature methods are accepted; PLAINTEXT, which sends the secrets, is tried over https alone."""
    accepted: list[str] = []
    refused: list[str] = []
    plaintext = (
        ("PLAINTEXT",) if session.target.scheme == "https" and session.target.credentials.keys.has_secret else ()
    )
    for algorithm in (*session.algorithms, *plaintext):
        answer = session.send(session.signed(session.message(), algorithm=algorithm))
        if answer.status >= 500:
            text = f"{algorithm} is answered with {answer.status}."
            yield Finding("methods", "wrong", text, "See the provider's log; RSA needs the package cryptography.")
        elif 200 <= answer.status < 300:
            accepted.append(algorithm)
        else:
            refused.append(algorithm)
    also = f" Refused: {', '.join(refused)}." if refused else ""
    fix = "signature_methods, of the policy and of the client, enables others." if refused else ""
    yield Finding("methods", "ok", f"Accepted: {', '.join(accepted) or 'none'}.{also}", fix)


def wrong_signatures(session: Session) -> Iterator[Finding]:
    """Whether a wrong signature is refused with 401."""
    answer = session.send(session.badly_signed(session.message()))
    if answer.status == 401:
        yield Finding("wrong signature", "ok", "A wrong signature is refused with 401.")
        return
    text = f"A wrong signature is answered with {answer.status}."
    fix = (
        "Nothing may be served before the signature is verified; a proxy must not replace the 401 by a page of its own."
    )
    yield Finding("wrong signature", "wrong", text, fix)


def old_timestamps(session: Session) -> Iterator[Finding]:
    """Whether a timestamp of long ago is refused."""
    answer = session.send(session.signed(session.message(), timestamp=1))
    if 200 <= answer.status < 300:
        text = "A timestamp of 1970 is accepted."
        yield Finding("old timestamp", "wrong", text, "Check timestamps: nonces cannot be remembered for ever.")
    else:
        yield Finding("old timestamp", "ok", "A timestamp of long ago is refused.")


def replays(session: Session) -> Iterator[Finding]:
    """Whether a request is accepted once alone, by every worker."""
    message = session.signed(session.message())
    first = session.send(message)
    again = [session.send(message).status for _ in range(_REPLAYS)]
    accepted = sum(200 <= status < 300 for status in again)
    if not 200 <= first.status < 300:
        yield Finding("replay", "skipped", f"The first of two equal requests was answered with {first.status}.")
    elif accepted:
        text = f"A request that was sent again was accepted {accepted} of {_REPLAYS} times."
        fix = "Register nonce hooks of a store that all workers share (redis:// or postgresql://), not memory://."
        yield Finding("replay", "wrong", text, fix)
    else:
        yield Finding("replay", "ok", "A request that is sent again is refused.")


DECIDING = (
    Probe("methods", methods),
    Probe("wrong signature", wrong_signatures),
    Probe("old timestamp", old_timestamps),
    Probe("replay", replays),
)
