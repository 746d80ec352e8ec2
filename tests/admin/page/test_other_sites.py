"""A form changes something only if the admin page itself has made it, for this operator, within the hour."""

from __future__ import annotations

from typing import Any

import pytest

from async_oauth1.admin.page.form_tokens import FORM_LIFETIME, FormTokens
from async_oauth1.policy import Policy
from async_oauth1.stores import MemoryStore

from .visiting import KEY, ORIGIN, Visitor, visit

OTHERS: dict[str, dict[str, str]] = {
    "another host": {"Origin": "https://evil.example"},
    "another port": {"Origin": f"{ORIGIN}:8443"},
    "a host that begins alike": {"Origin": f"{ORIGIN}.evil.example"},
    "a sandboxed frame": {"Origin": "null"},
    "no URL": {"Origin": "https://[/"},
    "another scheme": {"Origin": "ftp://provider.example"},
    "a user's name in front": {"Origin": "https://a@provider.example"},
    "another site": {"Sec-Fetch-Site": "cross-site"},
    "a sibling": {"Origin": ORIGIN, "Sec-Fetch-Site": "same-site"},
}


async def post(visitor: Visitor, headers: Any, token: str) -> int:
    """Try to register a client; returns the status."""
    answer = await visitor.client.post("/new", data={"form_token": token, "name": "Printer"}, headers=headers)
    return answer.status_code


@pytest.mark.parametrize("headers", OTHERS.values(), ids=list(OTHERS))
async def test_a_form_of_another_site_is_refused(store: MemoryStore, visitor: Visitor, headers: dict[str, str]) -> None:
    """Also with a token that holds."""
    assert await post(visitor, headers, await visitor.token()) == 403
    assert not await store.list_clients()


async def test_two_origins_are_refused(store: MemoryStore, visitor: Visitor) -> None:
    """No browser sends them."""
    assert await post(visitor, [("Origin", ORIGIN), ("Origin", ORIGIN)], await visitor.token()) == 403
    assert not await store.list_clients()


@pytest.mark.parametrize("headers", [{}, {"Origin": ORIGIN}, {"Origin": f"{ORIGIN}:443", "Sec-Fetch-Site": "none"}])
async def test_a_form_of_the_page_is_accepted(visitor: Visitor, headers: dict[str, str]) -> None:
    """Also from an old browser that sends neither field."""
    assert await post(visitor, headers, await visitor.token()) == 200


async def test_the_host_that_a_proxy_names_counts(store: MemoryStore) -> None:
    """Behind a proxy that changes Host, the policy's external URL says what the browser sees."""
    policy = Policy(external_base_url="https://public.example/oauth")
    async with visit(store, policy=policy) as visitor:
        assert await post(visitor, {"Origin": ORIGIN}, await visitor.token()) == 403
        assert await post(visitor, {"Origin": "https://public.example"}, await visitor.token()) == 200


@pytest.mark.parametrize("token", ["", "x", "1.2.3", "9999999999." + "A" * 22 + "." + "0" * 64, "é" * 90])
async def test_a_form_without_its_token_is_refused(store: MemoryStore, visitor: Visitor, token: str) -> None:
    """A token cannot be made up."""
    assert await post(visitor, {"Origin": ORIGIN}, token) == 403
    assert not await store.list_clients()


async def test_a_token_holds_for_one_operator(store: MemoryStore, visitor: Visitor) -> None:
    """Another operator's token is refused: it may be of a page that they have been lured to."""
    assert await post(visitor, {}, FormTokens(KEY, store).make("bob")) == 403
    assert await post(visitor, {}, FormTokens(f"{KEY}!", store).make("alice")) == 403
    assert await post(visitor, {}, FormTokens(KEY, store).make("alice")) == 200


def test_a_token_holds_for_an_hour(store: MemoryStore) -> None:
    """And another process with the same key knows it."""
    now = [1_000_000.0]
    tokens, elsewhere = FormTokens(KEY, store, lambda: now[0]), FormTokens(KEY.encode(), store, lambda: now[0])
    token = tokens.make("alice")
    now[0] += FORM_LIFETIME - 1
    assert elsewhere.check(token, "alice") is not None
    now[0] += 1
    assert elsewhere.check(token, "alice") is None


@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        (b"form_token=a&form_token=b", "application/x-www-form-urlencoded", 400),
        (b"form_token=%ff", "application/x-www-form-urlencoded", 400),
        (b"form_token=%00", "application/x-www-form-urlencoded", 400),
        (b"&".join(b"a%d=b" % number for number in range(60)), "application/x-www-form-urlencoded", 400),
        (b"a" * 70_000, "application/x-www-form-urlencoded", 413),
        (b"{}", "application/json", 415),
        (b"", "", 415),
    ],
)
async def test_what_is_no_form_is_a_4xx(visitor: Visitor, content: bytes, content_type: str, status: int) -> None:
    """Nothing that can be sent is an error of the server."""
    answer = await visitor.client.post("/new", content=content, headers={"Content-Type": content_type})
    assert answer.status_code == status
