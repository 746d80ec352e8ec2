"""The hook ``audit`` gets a record of each change that the flows store."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from async_oauth1.provider.records.audit import Actor, AuditEvent
from tests.provider.provider import PRINTER, Provider, fields

ME = Actor("client", PRINTER.client_id)


def audited() -> tuple[Provider, list[AuditEvent]]:
    """A provider with the hook, and what the hook got."""
    provider, events = Provider(), []

    async def audit(event: AuditEvent) -> None:
        events.append(event)

    provider.server.register_hook("audit", audit)
    return provider, events


def test_each_step_has_one_record() -> None:
    """Credentials, a consent and a denial, with token, user and actor; no secret."""
    provider, events = audited()
    temporary = provider.temporary()
    verifier = provider.decide(temporary.token).verifier
    answer = fields(provider.exchange(temporary.wire("POST", b"/token", oauth_verifier=verifier)))
    other = provider.temporary()
    provider.decide(other.token, None)
    found = [(each.event, each.oauth_token, each.user_id, each.actor) for each in events]
    assert found == [
        ("temporary.created", temporary.token, None, ME),
        ("consent.given", temporary.token, "jane", Actor("user", "jane")),
        ("token.created", answer["oauth_token"], "jane", ME),
        ("temporary.created", other.token, None, ME),
        ("consent.denied", other.token, None, Actor("user")),
    ]
    assert {each.client_id for each in events} == {PRINTER.client_id}
    assert {each.at for each in events} == {provider.clock.now}
    assert answer["oauth_token_secret"] not in repr(events)


def test_a_refused_request_has_no_record() -> None:
    """Neither a wrong signature nor a second exchange reaches the hook."""
    provider, events = audited()
    temporary = provider.temporary()
    verifier = provider.decide(temporary.token).verifier
    wire: Any = temporary.wire("POST", b"/token", oauth_verifier=verifier)
    assert provider.exchange(wire).status_code == 200
    before = len(events)
    assert provider.exchange(wire).status_code == 401
    assert len(events) == before


def test_a_hook_that_fails_does_not_lose_the_answer(caplog: pytest.LogCaptureFixture) -> None:
    """The change is stored by then; the error is in the log."""
    provider = Provider()

    def audit(event: AuditEvent) -> None:
        raise RuntimeError(event.event)

    provider.server.register_hook("audit", audit)
    with caplog.at_level(logging.ERROR, "async_oauth1"):
        provider.token()
    assert caplog.text.count("The hook audit failed") == 3
