"""LTIConsumer: a registered tool consumer, and what may be switched on for one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from async_oauth1.credentials import Client
from async_oauth1.provider.hooks import optional
from async_oauth1.tolerances import LONGEST_WINDOW, TIMESTAMP_WINDOW

__all__ = ["LTIConsumer", "Pin", "ToolState", "switch"]

#: What a key may be pinned to.
Pin = Literal["tool_consumer_instance_guid", "context_id"]
#: Whether a launch must come from the browser that began it.
ToolState = Literal["off", "on", "required"]

_ALLOWED: dict[str, tuple[str | None, ...]] = {
    "pin": (None, "tool_consumer_instance_guid", "context_id"),
    "tool_state": ("off", "on", "required"),
}
_DEFAULTS: dict[str, Any] = {"tool_state": "off"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LTIConsumer(Client):
    """A tool consumer: a `Client` with the switches of LTI. A model of your own has methods ``get_<name>()`` for them.

    Attributes:
        query_sent_twice: the consumer sends the query of the launch URL in the form, too, and signs it once.
        timestamp_window: seconds that its clock may be off; ``None`` for the policy's window. At most
            ``Policy.longest_timestamp_window``, for which nonces are kept.
        pin: the parameter whose first value the key is pinned to; needs the hook ``pin_consumer``.
        tool_state: ``on`` lets a consumer that sends ``relaunch_url`` launch again, so that no other site can log a
            browser in (LTI 1.0.1 and 1.1.2); ``required`` also refuses launches without it.
        disabled: refuse its launches, with the same answer as for an unknown key.
    """

    query_sent_twice: bool = False
    timestamp_window: int | None = None
    pin: Pin | None = None
    tool_state: ToolState = "off"
    disabled: bool = False

    def __post_init__(self) -> None:
        """Refuse a record that could never work.

        Raises:
            ValueError: a switch has a value that does not exist, or as for `Client`.
            TypeError: as for `Client`.
        """
        Client.__post_init__(self)
        for name in _ALLOWED:
            _check(name, getattr(self, name))
        window: object = self.timestamp_window
        if window is not None and (type(window) is not int or not 1 <= window <= LONGEST_WINDOW):
            raise ValueError(
                f"timestamp_window is a whole number of seconds from 1 to {LONGEST_WINDOW}, not {window!r}"
            )

    def get_query_sent_twice(self) -> bool:
        """Whether the query of the launch URL may stand in the form, too."""
        return self.query_sent_twice

    def get_timestamp_window(self) -> int | None:
        """Seconds that its clock may be off."""
        return self.timestamp_window

    def get_pin(self) -> Pin | None:
        """What the key is pinned to."""
        return self.pin

    def get_tool_state(self) -> ToolState:
        """Whether a launch must come from the browser that began it."""
        return self.tool_state

    def get_disabled(self) -> bool:
        """Whether its launches are refused."""
        return self.disabled


async def switch(consumer: Any, name: str) -> Any:
    """The value of a switch of a consumer; its default if the model does not have it.

    Raises:
        ValueError: the model returns a value that does not exist.
    """
    value = await optional(consumer, f"get_{name}")
    if value is None or value == "":
        return _DEFAULTS.get(name)
    if name in _ALLOWED:
        _check(name, value)
    return value


def window_tolerance(seconds: int) -> str:
    """The tolerance that lets a clock be off."""
    return f"{TIMESTAMP_WINDOW}={seconds}"


def _check(name: str, value: object) -> None:
    if value not in _ALLOWED[name]:
        allowed = ", ".join(repr(one) for one in _ALLOWED[name])
        raise ValueError(f"{name} of a consumer is one of {allowed}, not {value!r}")
