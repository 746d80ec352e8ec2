"""What may be switched on for one consumer; each switch is off unless it is said otherwise."""

from __future__ import annotations

from typing import Any

import pytest

from async_oauth1 import Policy
from async_oauth1.errors import InvalidNonceError, InvalidSignatureError, MissingHookError, TimestampRefusedError
from async_oauth1.lti import LTIConsumer, LTILaunchError, LTITool
from async_oauth1.stores import MemoryStore

from .consumer import BASIC, KEY, NOW, SECRET, Tool, launched, posted, signed

URL_WITH_QUERY = "https://tool.example/launch?course=7&page=a%20b"


class Model:
    """A model of an application, with methods instead of attributes."""

    def __init__(self, **switches: Any) -> None:
        self.client_id = KEY
        for name, value in switches.items():
            setattr(self, f"get_{name}", lambda value=value: value)

    def get_client_secret(self) -> str:
        """The secret."""
        return SECRET

    def get_rsa_public_key(self) -> None:
        """None."""


def tools(**switches: Any) -> list[Tool]:
    """A tool whose consumer is a record, and one whose consumer is a model."""
    return [Tool(**switches), Tool(Model(**switches))]


def sent_twice(value: str = "a b") -> Any:
    """A launch whose form has the query, too, which was signed once."""
    fields = signed(url=URL_WITH_QUERY)
    return posted([*fields, ("course", "7"), ("page", value)], URL_WITH_QUERY)


def test_query_sent_twice() -> None:
    """The query is counted once if the switch is on, and each parameter is one field."""
    for tool in tools(query_sent_twice=True):
        launch = tool.verify(sent_twice())
        assert (launch.fields["course"], launch.fields["page"]) == ("7", "a b")
        assert isinstance(tool.refuse(sent_twice("another")), InvalidSignatureError)
        assert isinstance(
            tool.refuse(posted([*signed(url=URL_WITH_QUERY), ("x", "7")], URL_WITH_QUERY)), InvalidSignatureError
        )
    for tool in [*tools(), *tools(query_sent_twice=False)]:
        assert isinstance(tool.refuse(sent_twice()), InvalidSignatureError)
        assert "exists_nonce" not in tool.calls


@pytest.mark.parametrize("on", [True, False])
def test_a_query_that_is_signed_twice(on: bool) -> None:
    """What is signed as it is sent verifies in any case; the same value twice is no contradiction."""
    request = launched({**BASIC, "course": "7"}, URL_WITH_QUERY)
    for tool in tools(query_sent_twice=on):
        assert tool.verify(request).fields["course"] == "7"


def test_query_sent_twice_with_a_clock_that_is_off() -> None:
    """Both switches together work, and the nonce is used."""
    fields = signed(url=URL_WITH_QUERY, timestamp=NOW - 800)
    request = posted([*fields, ("course", "7")], URL_WITH_QUERY)
    for tool in tools(query_sent_twice=True, timestamp_window=900):
        tool.verify(request)
        assert isinstance(tool.refuse(request), InvalidNonceError)


def test_nonce_policy() -> None:
    """A launch of a page that is reloaded is accepted if the policy is log-only, and refused otherwise."""
    for tool in tools(nonce_policy="log-only"):
        request = launched()
        assert tool.verify(request).user_id == tool.verify(request).user_id == "user-1"
    for tool in [*tools(), *tools(nonce_policy="strict")]:
        request = launched()
        tool.verify(request)
        assert isinstance(tool.refuse(request), InvalidNonceError)


@pytest.mark.parametrize("away", [-900, 900])
def test_timestamp_window(away: int) -> None:
    """A clock may be off by as much as the switch says, and no more."""
    for tool in tools(timestamp_window=900):
        tool.verify(launched(timestamp=NOW + away))
        assert isinstance(tool.refuse(launched(timestamp=NOW + away + away // 900)), TimestampRefusedError)
    for tool in tools():
        assert isinstance(tool.refuse(launched(timestamp=NOW + away)), TimestampRefusedError)


@pytest.mark.parametrize("away", [-60, 60])
def test_a_narrower_timestamp_window(away: int) -> None:
    """The switch replaces the policy's window, in both directions."""
    for tool in tools(timestamp_window=60):
        tool.verify(launched(timestamp=NOW + away))
        assert isinstance(tool.refuse(launched(timestamp=NOW + 2 * away)), TimestampRefusedError)


async def test_nonces_live_as_long_as_the_longest_window() -> None:
    """A launch of a consumer whose clock is ahead cannot be sent again for as long as its timestamp is accepted."""
    now = float(NOW)
    store = MemoryStore(clock=lambda: now)
    consumer = LTIConsumer(client_id=KEY, client_secret=SECRET, timestamp_window=3600)
    tool = LTITool(lambda _: consumer, clock=lambda: now)
    tool.register_hooks(store)
    request = launched(timestamp=NOW + 3600)
    await tool.verify_launch(request)
    now += 7199
    with pytest.raises(InvalidNonceError):
        await tool.verify_launch(request)


def test_a_window_that_nonces_are_not_kept_for(caplog: pytest.LogCaptureFixture) -> None:
    """It is cut to the policy's longest window, and the log says so."""
    consumer = LTIConsumer(client_id="cut", client_secret=SECRET, timestamp_window=1800)
    tool = Tool(consumer, policy=Policy(longest_timestamp_window=600))
    tool.verify(launched(key="cut", timestamp=NOW - 600))
    assert isinstance(tool.refuse(launched(key="cut", timestamp=NOW - 601)), TimestampRefusedError)
    assert "longest_timestamp_window" in caplog.text


@pytest.mark.parametrize("pin", ["tool_consumer_instance_guid", "context_id"])
def test_pin(pin: str) -> None:
    """A key is pinned to what it launches first, and refused from elsewhere or without the value."""
    for tool in tools(pin=pin):
        tool.verify(launched())
        tool.verify(launched())
        for fields in ({**BASIC, pin: "elsewhere"}, {**BASIC, pin: ""}):
            error = tool.refuse(launched(fields))
            assert isinstance(error, LTILaunchError)
            assert (error.error, error.parameters, error.status_code) == ("lti_pinned", (pin,), 400)
        assert tool.pins == {KEY: BASIC[pin]}
        assert len(tool.launches) == 2
    for tool in tools():
        tool.verify(launched())
        tool.verify(launched({**BASIC, pin: "elsewhere"}))
        assert "pin_consumer" not in tool.calls


def test_nothing_pins_a_key_but_a_launch_that_is_accepted_otherwise() -> None:
    """A launch that is forged, replayed or incomplete pins nothing."""
    tool = Tool(pin="context_id")
    tool.refuse(launched({**BASIC, "context_id": "forged"}, secret="wrong"))
    tool.refuse(launched({**BASIC, "resource_link_id": ""}))
    assert tool.pins == {}


def test_a_pinned_consumer_needs_the_hook() -> None:
    """Without it, the launch is an error of the program, and not accepted."""
    with pytest.raises(MissingHookError, match="pin_consumer"):
        Tool(pin="context_id", pins=False).verify(launched())


@pytest.mark.parametrize(
    "switches", [{"pin": "user_id"}, {"tool_state": "maybe"}, {"timestamp_window": 0}, {"timestamp_window": True}]
)
def test_values_that_do_not_exist(switches: dict[str, Any]) -> None:
    """A record with one is refused by name, and a model accepts no launch."""
    (name,) = switches
    with pytest.raises(ValueError, match=name):
        LTIConsumer(client_id=KEY, **switches)


@pytest.mark.parametrize("switches", [{"pin": "user_id"}, {"tool_state": "maybe"}])
def test_a_model_with_a_value_that_does_not_exist(switches: dict[str, Any]) -> None:
    """It accepts no launch, and the error names the switch."""
    (name,) = switches
    with pytest.raises(ValueError, match=name):
        Tool(Model(**switches)).verify(launched())


def test_switches_are_off() -> None:
    """A consumer has none on by default."""
    consumer = LTIConsumer(client_id=KEY)
    assert (consumer.query_sent_twice, consumer.timestamp_window, consumer.pin) == (False, None, None)
    assert (consumer.tool_state, consumer.nonce_policy, consumer.disabled) == ("off", "strict", False)
