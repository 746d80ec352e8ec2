"""What the browser and the log get of a launch that is refused."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest

from async_oauth1.errors import InvalidNonceError, OAuth1Error
from async_oauth1.lti import launch_error_response

from .consumer import BASIC, NOW, SECRET, Tool, launched, posted, signed

RETURN = "launch_presentation_return_url"
PATIENCE = 30


def query_counted_twice() -> Any:
    """The query was signed once, and the form has it, too."""
    url = "https://tool.example/launch?course=7"
    return posted([*signed(url=url), ("course", "7")], url)


#: What consumers and proxies get wrong, and its cause.
MISTAKES: list[tuple[str, Callable[[], Any]]] = [
    ("repeated", query_counted_twice),
    ("path_trailing_slash", lambda: posted(signed(url="https://tool.example/launch/"))),
    ("scheme", lambda: posted(signed(url="http://tool.example/launch"))),
    ("timestamp_clock", lambda: launched(timestamp=NOW - 7200)),
    ("credentials", lambda: launched(key="unknown")),
    ("parameter_added", lambda: posted([*signed(), ("ext_submit", "Launch")])),
]


@pytest.mark.parametrize(("code", "make"), MISTAKES)
def test_the_page_shows_the_cause_in_debug_mode_only(code: str, make: Callable[[], Any]) -> None:
    """Without it, the page does not tell an unknown key from a wrong secret, and no page has a secret."""
    error = Tool().refuse(make())
    shown = launch_error_response(error, debug=True)
    hidden = launch_error_response(error)
    assert f"<code>{code}</code>" in shown.body
    assert f"<code>{code}</code>" not in hidden.body
    for response in (shown, hidden):
        assert response.status_code == error.status_code
        assert SECRET not in response.body
        assert dict(response.headers)["Cache-Control"] == "no-store"


def explained(caplog: pytest.LogCaptureFixture, code: str) -> list[str]:
    """The lines that explain."""
    texts = [record.getMessage() for record in caplog.records]
    assert not [text for text in texts if SECRET in text]
    return [text for text in texts if text.startswith("Explained: ") and code in text]


@pytest.mark.parametrize(("code", "make"), MISTAKES)
async def test_the_log_has_the_cause(code: str, make: Callable[[], Any], caplog: pytest.LogCaptureFixture) -> None:
    """It is logged a moment after the answer, on the event loop."""
    caplog.set_level(logging.INFO, "async_oauth1")
    tool = Tool()
    with pytest.raises(OAuth1Error):
        await tool.tool.verify_launch(make())
    deadline = time.monotonic() + PATIENCE
    while not explained(caplog, code):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


def test_the_log_has_the_cause_without_an_event_loop(caplog: pytest.LogCaptureFixture) -> None:
    """A thread explains the refusal."""
    caplog.set_level(logging.INFO, "async_oauth1")
    Tool().refuse(MISTAKES[1][1]())
    deadline = time.monotonic() + PATIENCE
    while not explained(caplog, "path_trailing_slash"):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_launch_from_the_history_leads_back_to_the_course() -> None:
    """The page says what happened, and has a link to the signed return URL."""
    tool = Tool()
    request = launched({**BASIC, RETURN: "https://lms.example/course/7?a=1&b=2"})
    tool.verify(request)
    error = tool.refuse(request)
    assert isinstance(error, InvalidNonceError)
    response = launch_error_response(error)
    assert response.status_code == 401
    assert "used before" in response.body
    assert 'href="https://lms.example/course/7?a=1&b=2"' in unescape(response.body)
    assert "href" not in launch_error_response(replayed(tool, {})).body


def replayed(tool: Tool, fields: dict[str, str]) -> Any:
    """The error of a launch that is sent twice."""
    request = launched({**BASIC, **fields})
    tool.verify(request)
    return tool.refuse(request)


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "//evil.example/",
        "https:evil.example",
        "https://",
        "https://evil@lms.example/",
        "https://lms.example\\@evil.example/",
        "https://lms.example/\r\nSet-Cookie: a=b",
        "https://lms.example:port/",
        "https://[lms/",
        "ftp://lms.example/",
        " https://lms.example/",
        '"><script>',
    ],
)
def test_return_urls_that_are_not_followed(url: str) -> None:
    """Only http and https URLs are followed or shown, however they are written."""
    error = Tool().refuse(launched({**BASIC, RETURN: url, "resource_link_id": ""}))
    response = launch_error_response(error)
    assert response.status_code == 400
    assert "Location" not in dict(response.headers)
    assert "href" not in launch_error_response(replayed(Tool(), {RETURN: url})).body


@pytest.mark.parametrize("signing", [{"secret": "forged"}, {"key": "unknown"}, {"timestamp": NOW - 9000}])
def test_a_return_url_that_is_not_signed_is_not_followed(signing: dict[str, Any]) -> None:
    """Neither is it shown, in debug mode as a link either."""
    error = Tool().refuse(launched({**BASIC, RETURN: "https://evil.example/"}, **signing))
    for debug in (True, False):
        response = launch_error_response(error, debug=debug)
        assert "Location" not in dict(response.headers)
        assert "href" not in response.body


def test_a_return_url_that_was_added_is_not_followed() -> None:
    """The signature does not cover it, so it does not hold."""
    error = Tool().refuse(posted([*signed({**BASIC, "lti_version": "2"}), (RETURN, "https://evil.example/")]))
    assert error.error == "invalid_signature"
    assert "evil.example" not in launch_error_response(error).body


def test_a_return_url_with_a_query_and_a_fragment() -> None:
    """Both are kept, and the messages are in the query."""
    error = Tool().refuse(launched({**BASIC, RETURN: "https://lms.example/?a=1#top", "lti_version": "2"}))
    location = dict(launch_error_response(error).headers)["Location"]
    assert location.startswith("https://lms.example/?a=1&lti_errormsg=")
    assert location.endswith("#top")
    assert "&lti_errorlog=lti_version" in location


def test_what_a_request_says_is_escaped() -> None:
    """No text of a request becomes markup."""
    error = Tool().refuse(launched({**BASIC, "lti_message_type": "<script>alert(1)</script>"}))
    for debug in (True, False):
        assert "<script" not in launch_error_response(error, debug=debug).body


def test_a_store_that_is_down() -> None:
    """The page says that the launch can be tried again, and when."""
    tool = Tool()

    def failing(*_: object) -> bool:
        raise ConnectionError

    tool.tool.register_hook("exists_nonce", failing)
    response = launch_error_response(tool.refuse(launched()))
    assert response.status_code == 503
    assert "Retry-After" in dict(response.headers)
    assert "try again" in response.body


def test_another_method_is_answered_with_allow() -> None:
    """The answer says which method is allowed."""
    response = launch_error_response(Tool().refuse(posted(signed(), method="GET")))
    assert dict(response.headers)["Allow"] == "POST"
