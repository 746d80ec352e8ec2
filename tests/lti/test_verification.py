"""How a launch is verified: the order of the checks, and what is remembered."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from async_oauth1 import Client, OAuth1Error, Policy
from async_oauth1.errors import (
    InsecureTransportError,
    InvalidNonceError,
    InvalidRequestError,
    InvalidSignatureError,
    MissingHookError,
    StoreUnavailableError,
)
from async_oauth1.lti import DEFAULT_POLICY, LTIConsumer, LTILaunchError, LTITool
from async_oauth1.protocol.signature import HmacSignatureMethod
from async_oauth1.stores import MemoryStore
from tests.protocol.wire import base_string, shared_key_signature, urlencode

from .consumer import BASIC, KEY, NOW, SECRET, URL, Tool, launched, posted, signed


@pytest.mark.parametrize("method", ["HMAC-SHA1", "HMAC-SHA256"])
@pytest.mark.parametrize("callback", [{}, {"oauth_callback": "about:blank"}])
def test_accepted(method: str, callback: dict[str, str]) -> None:
    """Both methods are enabled, and ``oauth_callback`` may be sent or not."""
    tool = Tool()
    assert tool.verify(launched({**BASIC, **callback}, method=method)).user_id == "user-1"
    assert tool.calls == ["query_consumer", "exists_nonce"]
    assert tool.launches == [(KEY, NOW)]


def test_https_is_required_except_on_loopback() -> None:
    """Plain http is refused, unless the browser and the tool are on one machine."""
    assert isinstance(Tool().refuse(launched(url="http://tool.example/launch")), InsecureTransportError)
    url = "http://localhost:8080/launch"
    assert Tool().verify(posted(signed(url=url), url, peer="127.0.0.1")).user_id == "user-1"


@pytest.mark.parametrize("method", ["GET", "PUT", "HEAD", "OPTIONS"])
def test_a_launch_is_a_post(method: str) -> None:
    """Another method is refused before any hook is asked."""
    tool = Tool()
    assert tool.refuse(posted(signed(), method=method)).status_code == 405
    assert tool.calls == []


def test_a_token_is_never_looked_up() -> None:
    """A launch with a token is 400, and no hook is asked."""
    tool = Tool()
    error = tool.refuse(launched({**BASIC, "oauth_token": "stolen"}))
    assert (error.status_code, tool.calls) == (400, [])
    assert "oauth_token" in str(error.description)


def test_a_forged_launch_burns_no_nonce() -> None:
    """The genuine launch with the same nonce is accepted afterwards, once."""
    tool = Tool()
    assert isinstance(tool.refuse(launched(secret="forged", nonce="n1")), InvalidSignatureError)
    assert tool.calls == ["query_consumer"]
    tool.verify(launched(nonce="n1"))
    assert isinstance(tool.refuse(launched(nonce="n1")), InvalidNonceError)


def test_nonces_are_per_consumer() -> None:
    """Two consumers may use the same nonce at the same time."""
    tool = Tool(*(LTIConsumer(client_id=key, client_secret=SECRET) for key in ("one", "two")))
    for key in ("one", "two"):
        tool.verify(launched(key=key, nonce="same"))
    assert isinstance(tool.refuse(launched(key="two", nonce="same")), InvalidNonceError)


def test_ltis_checks_come_after_the_nonce() -> None:
    """A launch that lacks a parameter cannot be sent again."""
    tool = Tool()
    request = launched({**BASIC, "resource_link_id": ""})
    assert isinstance(tool.refuse(request), LTILaunchError)
    assert isinstance(tool.refuse(request), InvalidNonceError)
    assert tool.launches == []


@pytest.mark.parametrize("timestamp", ["abc", "-1", "1e9", "", "1700000000000", "٣٣٣"])
def test_a_timestamp_that_is_none(timestamp: str) -> None:
    """A malformed timestamp is 400, and no hook is asked."""
    tool = Tool()
    fields = [(name, timestamp if name == "oauth_timestamp" else value) for name, value in signed()]
    assert (tool.refuse(posted(fields)).status_code, tool.calls) == (400, [])


@pytest.mark.parametrize("away", [-301, 301])
def test_the_window_is_300_seconds(away: int) -> None:
    """A launch that is older, or from the future, is refused although its signature holds."""
    tool = Tool()
    tool.verify(launched(timestamp=NOW + away // 301 * 300))
    error = tool.refuse(launched(timestamp=NOW + away))
    assert (error.error, error.status_code) == ("timestamp_refused", 401)


def refusal(tool: Tool, **signing: Any) -> tuple[str | None, str | None, int]:
    """What is answered."""
    error = tool.refuse(launched(**signing))
    return error.error, error.description, error.status_code


def test_an_unknown_key_looks_like_a_wrong_secret() -> None:
    """So does a disabled one; the answer and the hooks that are asked are the same."""
    disabled = LTIConsumer(client_id="off", client_secret=SECRET, disabled=True)
    tool = Tool(disabled, LTIConsumer(client_id=KEY, client_secret=SECRET))
    answers = {refusal(tool, key="unknown"), refusal(tool, secret="wrong"), refusal(tool, key="off")}
    assert len(answers) == 1
    assert tool.calls == ["query_consumer"] * 3


def test_a_consumer_that_is_enabled_again() -> None:
    """Disabling is a switch: without it the same launch is accepted."""
    tool = Tool(disabled=True)
    request = launched()
    tool.refuse(request)
    tool.consumers[KEY] = LTIConsumer(client_id=KEY, client_secret=SECRET)
    assert tool.verify(request).consumer_key == KEY


def test_an_unknown_key_costs_what_a_wrong_secret_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """One signature is computed for each of them, and none is left out for a key that is unknown or disabled."""
    computed: list[str] = []
    sign = HmacSignatureMethod.verify

    def counted(self: HmacSignatureMethod, *args: Any) -> bool:
        computed.append(self.name)
        return sign(self, *args)

    monkeypatch.setattr(HmacSignatureMethod, "verify", counted)
    tool = Tool(LTIConsumer(client_id=KEY, client_secret=SECRET), LTIConsumer(client_id="off", disabled=True))
    costs = set()
    for key, secret in (("unknown", SECRET), ("off", SECRET), (KEY, "wrong")):
        computed.clear()
        tool.refuse(launched(key=key, secret=secret))
        costs.add(tuple(computed))
    assert costs == {("HMAC-SHA1",)}


async def test_twenty_copies_at_once() -> None:
    """Of concurrent copies of one launch, one is accepted."""
    store = MemoryStore()
    await store.add_client(Client(client_id=KEY, client_secret=SECRET))
    tool = LTITool()
    tool.register_hooks(store)
    fields = signed(timestamp=int(time.time()))
    outcomes = await asyncio.gather(*(tool.verify_launch(posted(fields)) for _ in range(20)), return_exceptions=True)
    refused = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    assert [type(error) for error in refused] == [InvalidNonceError] * 19


def test_a_store_fills_the_hooks() -> None:
    """A store's ``query_client`` finds consumers, unless a hook is given; hooks that are missing are named."""
    tool = LTITool(lambda key: LTIConsumer(client_id=key, client_secret="given"), clock=lambda: NOW)
    store = MemoryStore(clock=lambda: NOW)
    tool.register_hooks(store)
    assert store.nonce_lifetime >= 2 * 3600
    tool.require_hooks()
    with pytest.raises(MissingHookError, match='"query_consumer", "exists_nonce"'):
        LTITool().require_hooks()
    with pytest.raises(ValueError, match="none of the hooks"):
        LTITool().register_hooks(object())  # type: ignore[arg-type]


def failing(*_: object) -> bool:
    """A hook whose database is down."""
    raise ConnectionError("down")


@pytest.mark.parametrize("hook", ["query_consumer", "exists_nonce", "pin_consumer"])
def test_a_store_that_is_down_is_a_503(hook: str) -> None:
    """Nothing is accepted that could not be checked."""
    tool = Tool(pin="context_id")
    tool.tool.register_hook(hook, failing)
    error = tool.refuse(launched())
    assert isinstance(error, StoreUnavailableError)
    assert error.status_code == 503


def test_the_time_of_the_last_use_is_not_worth_a_launch(caplog: pytest.LogCaptureFixture) -> None:
    """The launch cannot be sent again, so it is accepted although its time could not be noted, which is logged."""
    tool = Tool()
    tool.tool.register_hook("launched", failing)
    assert tool.verify(launched()).user_id == "user-1"
    assert "could not be noted" in caplog.text


def test_the_default_policy() -> None:
    """The window is 300 seconds, both methods are enabled, https is required, and errors are uniform."""
    policy = LTITool().policy
    assert (policy.timestamp_window, policy.require_https, policy.uniform_errors) == (300, True, True)
    assert policy.signature_methods == DEFAULT_POLICY.signature_methods == ("HMAC-SHA1", "HMAC-SHA256")


async def test_async_hooks() -> None:
    """Hooks may be coroutine functions, and the methods of a model, too."""

    class Model:
        async def get_client_secret(self) -> str:
            await asyncio.sleep(0)
            return SECRET

        async def get_rsa_public_key(self) -> None:
            return None

    async def query(key: str) -> Model:
        await asyncio.sleep(0)
        return Model()

    store = MemoryStore(clock=lambda: NOW)
    tool = LTITool(query, store.exists_nonce, clock=lambda: NOW)
    assert (await tool.verify_launch(launched())).consumer_key == KEY
    with pytest.raises(InvalidSignatureError):
        await tool.verify_launch(launched(secret="wrong"))


@pytest.mark.parametrize("name", [b"user_id", b"context_title", b"\xff"])
def test_octets_that_are_not_utf8(name: bytes) -> None:
    """They are refused, since two users could become one by replaced characters."""
    tool = Tool()
    request = launched_octets(name, b"\xff\xfe")
    error = tool.refuse(request)
    assert isinstance(error, InvalidRequestError)
    assert "not UTF-8" in str(error.description)


def launched_octets(name: bytes, value: bytes) -> Any:
    """A launch with a parameter of any octets."""
    pairs = [
        (key.encode(), text.encode())
        for key, text in signed()
        if key not in ("oauth_signature", name.decode("latin-1"))
    ]
    pairs.append((name, value))
    text = base_string("POST", URL.encode(), pairs)
    pairs.append((b"oauth_signature", shared_key_signature("HMAC-SHA1", text, SECRET, "").encode()))
    request = posted([])
    return type(request)(
        "POST",
        scheme="https",
        host="tool.example",
        raw_path=b"/launch",
        headers=request.raw_headers,
        body=urlencode(pairs),
    )


def test_a_policy_of_ones_own() -> None:
    """It is kept; without a longest window of its own, consumers may have one of an hour."""
    assert LTITool(policy=Policy(timestamp_window=60)).policy.timestamp_window == 60
    assert LTITool(policy=Policy(timestamp_window=7200)).policy.longest_window == 7200
    assert LTITool(policy=Policy(longest_timestamp_window=900)).policy.longest_window == 900


async def test_what_is_no_request() -> None:
    """An object of an unknown class is a mistake of the program."""
    with pytest.raises(TypeError, match="read_request"):
        await Tool().tool.verify_launch(object())


def test_errors_are_oauth1_errors() -> None:
    """One except clause catches all of them."""
    assert issubclass(LTILaunchError, OAuth1Error)
