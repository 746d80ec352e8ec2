"""Bind a launch to the browser that began it: ``platform_state``, ``tool_state`` and ``relaunch_url``.

Without them, another site can post a launch of its own user, and the browser is logged in as that user. With them
(1EdTech's security update, LTI 1.0.1 and 1.1.2) the tool answers a first launch by a cookie and a redirect to
``relaunch_url``, and the consumer launches again with the value of the cookie in ``tool_state``, signed.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from async_oauth1.lti.consumers import ToolState
from async_oauth1.lti.errors import LTILaunchError, RelaunchRequiredError
from async_oauth1.lti.launches import Launch
from async_oauth1.lti.urls import is_web_url, with_parameters
from async_oauth1.protocol.request import OAuth1Request

__all__ = ["check_tool_state", "state_cookie"]

#: Seconds for which a browser keeps the state: from the first launch to the second one.
_MAX_AGE = 600


def check_tool_state(request: OAuth1Request, launch: Launch, wanted: ToolState, kept: str | None) -> None:
    """Check that the browser of a launch is the one that began it.

    Args:
        request: the verified request, with its cookies.
        launch: what it says.
        wanted: the consumer's switch.
        kept: the state that the application has kept for this browser; ``None`` to look into the cookies.

    Raises:
        RelaunchRequiredError: this is the first of two launches.
        LTILaunchError: another browser began it, or the consumer does not launch twice although it must.
    """
    if wanted == "off":
        return
    if launch.tool_state:
        if not _is_kept(request, launch.tool_state, kept):
            text = "Another browser, or another site, began this launch, or its cookies were refused. Launch again."
            raise LTILaunchError("lti_tool_state", text, ["tool_state"])
    elif launch.relaunch_url:
        if not is_web_url(launch.relaunch_url):
            raise LTILaunchError("lti_tool_state", "relaunch_url is no http or https URL.", ["relaunch_url"])
        state = secrets.token_urlsafe(24)
        states = [("tool_state", state), ("platform_state", launch.platform_state or "")]
        raise RelaunchRequiredError(with_parameters(launch.relaunch_url, states), state)
    elif wanted == "required":
        text = "Missing: relaunch_url. This tool accepts launches of consumers with LTI 1.0.1 or 1.1.2 alone."
        raise LTILaunchError("lti_parameter_missing", text, ["relaunch_url"])


def state_cookie(tool_state: str) -> str:
    """The value of ``Set-Cookie``: partitioned, because a launch is often in a frame of another site."""
    attributes = f"Path=/; Max-Age={_MAX_AGE}; Secure; HttpOnly; SameSite=None; Partitioned"
    return f"{_cookie_name(tool_state)}={tool_state}; {attributes}"


def _cookie_name(tool_state: str) -> str:
    """A name for each state: two launches in two tabs do not overwrite each other's."""
    return f"lti_tool_state_{hashlib.sha256(tool_state.encode()).hexdigest()[:16]}"


def _is_kept(request: OAuth1Request, tool_state: str, kept: str | None) -> bool:
    if kept is None:
        kept = _cookies(request).get(_cookie_name(tool_state), "")
    return hmac.compare_digest(kept.encode(), tool_state.encode())


def _cookies(request: OAuth1Request) -> dict[str, str]:
    fields = [value.decode("latin-1") for name, value in request.raw_headers if name.lower() == b"cookie"]
    pairs = [piece.strip().partition("=") for field in fields for piece in field.split(";")]
    return {name: value for name, _, value in pairs}
