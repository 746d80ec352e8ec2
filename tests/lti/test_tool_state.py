"""The security update of LTI 1.0.1 and 1.1.2: a launch comes from the browser that began it."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from async_oauth1.lti import LTILaunchError, RelaunchRequiredError, launch_error_response

from .consumer import BASIC, KEY, Tool, launched, posted, signed

FIRST = {**BASIC, "relaunch_url": "https://lms.example/relaunch?link=1#top", "platform_state": "p&1"}
ON = pytest.mark.parametrize("state", ["on", "required"])


def relaunch(tool: Tool) -> tuple[dict[str, list[str]], str, str]:
    """Begin a launch: the query of the redirect, the cookie, and the state."""
    error = tool.refuse(launched(FIRST))
    assert isinstance(error, RelaunchRequiredError)
    response = launch_error_response(error)
    headers = dict(response.headers)
    assert (response.status_code, headers["Location"]) == (303, error.url)
    return parse_qs(urlsplit(error.url).query), headers["Set-Cookie"], error.tool_state


@ON
def test_the_second_launch_is_accepted_from_the_same_browser(state: str) -> None:
    """The first one is redirected with both states, and the second one has the state that the cookie has."""
    tool = Tool(tool_state=state)
    query, cookie, value = relaunch(tool)
    assert query == {"link": ["1"], "tool_state": [value], "platform_state": ["p&1"]}
    assert {"Secure", "HttpOnly", "SameSite=None", "Partitioned"} <= set(cookie.split("; "))
    assert tool.launches == []
    second = signed({**FIRST, "tool_state": value})
    pair = cookie.partition(";")[0].encode()
    launch = tool.verify(posted(second, headers=[(b"cookie", b"other=1; " + pair)]))
    assert launch.user_key == (KEY, "user-1")


@ON
@pytest.mark.parametrize("cookie", [b"", b"other=1", b"lti_tool_state_0000000000000000=x"])
def test_another_browser_is_refused(state: str, cookie: bytes) -> None:
    """A site that posts its own second launch has not set the browser's cookie."""
    tool = Tool(tool_state=state)
    _, _, value = relaunch(tool)
    error = tool.refuse(posted(signed({**FIRST, "tool_state": value}), headers=[(b"cookie", cookie)]))
    assert isinstance(error, LTILaunchError)
    assert (error.error, error.parameters) == ("lti_tool_state", ("tool_state",))


def test_the_application_may_keep_the_state() -> None:
    """The state that it passes counts, and no cookie."""
    tool = Tool(tool_state="on")
    _, cookie, value = relaunch(tool)
    second = {**FIRST, "tool_state": value}
    assert tool.verify(launched(second), tool_state=value).user_id == "user-1"
    pair = cookie.partition(";")[0].encode()
    assert isinstance(tool.refuse(posted(signed(second), headers=[(b"cookie", pair)]), tool_state=""), LTILaunchError)


def test_two_tabs() -> None:
    """Two launches that begin at once do not disturb each other."""
    tool = Tool(tool_state="on")
    states = [relaunch(tool) for _ in range(2)]
    cookies = "; ".join(cookie.partition(";")[0] for _, cookie, _ in states).encode()
    for _, _, value in states:
        tool.verify(posted(signed({**FIRST, "tool_state": value}), headers=[(b"cookie", cookies)]))


def test_a_consumer_without_the_update() -> None:
    """Its launches are accepted if the switch is on, and refused if the update is required."""
    assert Tool(tool_state="on").verify(launched()).user_id == "user-1"
    error = Tool(tool_state="required").refuse(launched())
    assert isinstance(error, LTILaunchError)
    assert (error.error, error.parameters) == ("lti_parameter_missing", ("relaunch_url",))


def test_off() -> None:
    """Without the switch, the parameters are fields like others."""
    launch = Tool().verify(launched({**FIRST, "tool_state": "any"}))
    assert (launch.tool_state, launch.platform_state) == ("any", "p&1")


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "//lms.example/", "https://a@lms.example/", "https://x/\r\nA: b"]
)
def test_a_relaunch_url_that_is_not_followed(url: str) -> None:
    """Only http and https URLs are, and nothing ends the header field."""
    error = Tool(tool_state="on").refuse(launched({**FIRST, "relaunch_url": url}))
    assert isinstance(error, LTILaunchError)
    assert (error.error, error.parameters) == ("lti_tool_state", ("relaunch_url",))
