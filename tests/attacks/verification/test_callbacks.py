"""Where the resource owner's browser may be sent."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_asyncio

from async_oauth1 import Client
from async_oauth1.stores import MemoryStore
from tests.attacks.provider import CALLBACK, CLIENT, Provider, make_provider
from tests.attacks.signer import Keys

#: A client that anybody might be: the provider's own record, which knows no registered callbacks.
FREE = Keys(client_id="free", client_secret="free-secret")


class FreeClient:
    """A client model without ``check_callback``."""

    client_id = "free"

    def get_client_secret(self) -> str:
        """The secret."""
        return "free-secret"

    def get_rsa_public_key(self) -> None:
        """None."""


@pytest_asyncio.fixture
async def free_provider() -> Provider:
    """A provider that knows this one client, and lets it name any callback."""
    store = MemoryStore()
    provider = await make_provider(store)

    async def query_client(client_id: str) -> Any:
        return FreeClient() if client_id == "free" else None

    provider.server.register_hook("query_client", query_client)
    return provider


DANGEROUS = [
    "javascript:alert(1)",
    "javascript://x.test/%0aalert(1)",
    "JavaScript://x.test/",
    "data:text/html,<script>",
    "data://x/",
    "vbscript:x",
    "file:///etc/passwd",
    "about:blank",
    "blob:https://a.test/x",
    "view-source:https://a.test/",
    "https://a.test/\r\nX-Evil: y",
    "https://a.test/\nX-Evil: y",
    "https://a.test/\tx",
    "https://a.test/\x00",
    "https://a.test/ b",
    " https://a.test/",
    "https://a.test/ ",
    "https://good.test@evil.test/",
    "https://user:password@evil.test/",
    "https://good.test\\@evil.test/",
    "https:\\\\evil.test/",
    "https:/\\evil.test",
    "https://a.test/#fragment",
    "https://a.test/#",
    "https:///no-host",
    "https:evil.test",
    "https:/evil.test",
    "//evil.test/",
    "/relative",
    "evil.test/x",
    "",
    ":",
    "https://",
    "https://?x",
    "https://a.test:99999/",
    "https://a.test:x/",
    "https://[::1/",
    "https://[zz]/",
    "https://a.test/é",
    "https://\u0430.test/",
    "https://a\u3002test/",
    'https://a.test/"onload',
    "https://a.test/<script>",
    "https://a.test/?oauth_verifier=fake",
    "https://a.test/?x=1&oauth_token=fake",
    "https://a.test/?oauth%5Fverifier=fake",
    "https://a.test/?%6fauth_verifier=fake",
    "https://a.test/?o%61uth_%76erifier=fake",
    "https://a.test/?OAUTH_VERIFIER=fake",
    "https://a.test/?x;oauth_verifier=fake",
    "https://a.test/?oauth_verifier",
    "OOB",
    "oob ",
]


@pytest.mark.parametrize("callback", DANGEROUS, ids=ascii)
async def test_a_dangerous_callback_is_refused_at_the_first_step(free_provider: Provider, callback: str) -> None:
    """Also where any host is allowed: nothing that runs, hides its host, breaks a header or fakes a verifier."""
    answer = await free_provider.initiate(FREE, callback)
    assert answer.status == 400, answer
    assert answer.error in ("invalid_request", "missing_required_parameter")
    assert not free_provider.store.written


@pytest.mark.parametrize(
    ("callback", "separator"),
    [
        ("https://client.test/cb", "?"),
        ("https://client.test/cb?next=%2Fhome", "&"),
        ("https://client.test/a%20b?x=%C3%A9&y=%2541&z", "&"),
        ("https://client.test/cb?a=b&", ""),
        ("https://client.test/cb?", ""),
        ("https://client.test", "?"),
        ("https://client.test:8443/%2e%2e/x;y=z", "?"),
        ("http://[2001:db8::1]:80/cb", "?"),
        ("https://client.test/%0d%0aX-Evil:%20y", "?"),
        ("https://client.test/*'()!~,$=:@", "?"),
    ],
)
@pytest.mark.parametrize("place", ["header", "query", "body"])
async def test_a_callback_is_kept_octet_for_octet(
    free_provider: Provider, callback: str, separator: str, place: str
) -> None:
    """Percent escapes in it are unescaped once and come back as they were; the parameters are appended."""
    answer = await free_provider.initiate(FREE, callback, place=place)
    assert answer.status == 200, answer
    answer = await free_provider.approve(answer.form["oauth_token"])
    location = answer.header("location") or ""
    assert location.startswith(f"{callback}{separator}oauth_token=")
    assert "&oauth_verifier=" in location
    assert answer.header("cache-control") == "no-store"
    assert answer.header("referrer-policy") == "no-referrer"


@pytest.mark.parametrize(
    "callback",
    [
        "https://evil.example/ready",
        "http://client.example/ready",
        "https://client.example/ready/",
        "https://client.example/ready?x=1",
        "https://client.example/ready/../evil",
        "https://client.example/ready%2e%2e",
        "https://client.example:443/ready",
        "https://client.example.evil.example/ready",
        "https://client.examplex/ready",
        "https://evil.example/https://client.example/ready",
        "https://CLIENT.example/Ready",
        "https://client.example/READY",
        "https://client.example",
        "myapp://ready",
    ],
)
async def test_only_a_registered_callback_is_accepted(provider: Provider, callback: str) -> None:
    """Equality of the whole string: no prefix, no suffix, no look-alike; and only the client is told."""
    answer = await provider.initiate(CLIENT, callback)
    assert (answer.status, answer.error) == (400, "invalid_request")
    assert "not registered" in answer.form["error_description"]
    forged = await provider.initiate(CLIENT, callback, signature=b"forged")
    assert (forged.status, forged.error) == (401, "invalid_signature")
    assert not provider.store.written


async def test_a_client_without_registered_callbacks_gets_none(provider: Provider) -> None:
    """The shipped record refuses every callback that is not registered, oob included."""
    await provider.store.store.add_client(Client(client_id="bare", client_secret="s"))
    for callback in (CALLBACK, "oob", "http://localhost/x"):
        assert (await provider.initiate(Keys(client_id="bare", client_secret="s"), callback)).status == 400


@pytest.mark.parametrize("callback", ["myapp://done", "com.example.app:/done"])
async def test_an_applications_own_scheme_needs_to_be_registered(
    provider: Provider, free_provider: Provider, callback: str
) -> None:
    """If no callback is registered, only http and https are accepted."""
    assert (await free_provider.initiate(FREE, callback)).status == 400
    assert (await provider.initiate(CLIENT, callback)).status == 400
    await provider.store.store.add_client(Client(client_id="app", client_secret="s", callbacks=(callback,)))
    keys = await provider.temporary(Keys(client_id="app", client_secret="s"), callback)
    assert ((await provider.approve(keys.token)).header("location") or "").startswith(f"{callback}?oauth_token=")


async def test_oob_needs_to_be_registered(provider: Provider) -> None:
    """Also for a client that has callbacks."""
    other = Keys(client_id="other", client_secret="other-secret")
    assert (await provider.initiate(other, "oob")).status == 400
    assert (await provider.initiate(CLIENT, "oob")).status == 200


async def test_oob_shows_a_code_and_redirects_nowhere(provider: Provider) -> None:
    """The code is for the resource owner's eyes; the exchange takes it."""
    keys = await provider.temporary(callback="oob")
    answer = await provider.approve(keys.token)
    assert answer.status == 200
    assert answer.header("location") is None
    assert answer.header("cache-control") == "no-store"
    assert answer.header("referrer-policy") == "no-referrer"
    assert (await provider.exchange(keys, answer.body.decode())).status == 200
    keys = await provider.temporary(callback="oob")
    answer = await provider.approve(keys.token, None)
    assert (answer.status, answer.header("location")) == (200, None)


async def test_a_loopback_callback_may_come_with_any_port(provider: Provider) -> None:
    """RFC 8252 section 7.3: the port alone may differ, and only on loopback."""
    store = provider.store.store
    await store.add_client(
        Client(client_id="native", client_secret="s", callbacks=("http://127.0.0.1/cb", "https://client.example:1/cb"))
    )
    native = Keys(client_id="native", client_secret="s")
    for callback, status in [
        ("http://127.0.0.1:51234/cb", 200),
        ("http://127.0.0.1/cb", 200),
        ("http://127.0.0.1:51234/other", 400),
        ("http://localhost:51234/cb", 400),
        ("http://127.0.0.1.evil.example:51234/cb", 400),
        ("https://127.0.0.1:51234/cb", 400),
        ("https://client.example:2/cb", 400),
    ]:
        assert (await provider.initiate(native, callback)).status == status, callback


async def test_a_query_may_differ_only_where_the_client_is_registered_so(provider: Provider) -> None:
    """Some clients keep their state in the callback's query; for others it stays refused."""
    store = provider.store.store
    await store.add_client(
        Client(client_id="stateful", client_secret="s", callbacks=(CALLBACK,), callback_query_may_differ=True)
    )
    stateful = Keys(client_id="stateful", client_secret="s")
    assert (await provider.initiate(stateful, f"{CALLBACK}?state=1")).status == 200
    assert (await provider.initiate(stateful, f"{CALLBACK}?oauth_verifier=1")).status == 400
    assert (await provider.initiate(stateful, f"{CALLBACK}x?state=1")).status == 400
    assert (await provider.initiate(CLIENT, f"{CALLBACK}?state=1")).status == 400


async def test_a_long_callback_costs_nothing_to_refuse(free_provider: Provider) -> None:
    """IPv6 literals and escapes by the ten thousand are answered like any other."""
    for callback in ("http://[" + ":" * 20_000, "http://[" + "[" * 20_000 + "]/", "https://a.test/?" + "%" * 20_000):
        answer = await free_provider.initiate(FREE, callback, place="body")
        assert answer.status in (200, 400)
