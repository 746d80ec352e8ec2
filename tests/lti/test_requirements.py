"""What LTI requires of a launch whose signature holds, and 1EdTech's certification cases for tools."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from async_oauth1.lti import LTILaunchError, launch_error_response

from .consumer import BASIC, SECRET, Tool, launched, posted, signed

RETURN = "https://lms.example/back?course=7"
SELECTION = {
    "lti_message_type": "ContentItemSelectionRequest",
    "lti_version": "LTI-1p0",
    "content_item_return_url": "https://lms.example/items",
}


def refused(fields: dict[str, str] | list[tuple[str, str]], url: str = "https://tool.example/launch") -> LTILaunchError:
    """The error of a launch whose signature holds."""
    error = Tool().refuse(launched(fields, url))
    assert isinstance(error, LTILaunchError)
    assert error.status_code == 400
    for name in error.parameters:
        assert name in str(error.description)
    return error


@pytest.mark.parametrize("empty", [True, False])
@pytest.mark.parametrize(
    "missing",
    [
        ("lti_message_type",),
        ("lti_version",),
        ("resource_link_id",),
        ("lti_version", "resource_link_id"),
        ("lti_message_type", "lti_version", "resource_link_id"),
    ],
)
def test_all_that_are_missing_are_named_at_once(missing: tuple[str, ...], empty: bool) -> None:
    """An empty parameter is as good as none."""
    fields = {name: value for name, value in BASIC.items() if name not in missing}
    error = refused({**fields, **(dict.fromkeys(missing, "") if empty else {})})
    assert (error.error, error.parameters) == ("lti_parameter_missing", missing)


@pytest.mark.parametrize("version", ["LTI-2p0", "LTI-1p2", "lti-1p0", "1.0"])
def test_versions(version: str) -> None:
    """LTI 1.0 and 1.1 have the same version, and no other is accepted."""
    error = refused({**BASIC, "lti_version": version})
    assert (error.error, error.parameters) == ("lti_version", ("lti_version",))


@pytest.mark.parametrize("message_type", ["LtiResourceLinkRequest", "basic-lti", "a\nb"])
def test_message_types(message_type: str) -> None:
    """Others are refused, in one line."""
    error = Tool().refuse(launched({**BASIC, "lti_message_type": message_type}))
    assert isinstance(error, LTILaunchError)
    assert (error.error, error.parameters) == ("lti_message_type", ("lti_message_type",))
    assert "\n" not in str(error.description)


def test_a_registration_is_refused_with_a_reason() -> None:
    """LTI 2.0's registration is not signed; it is refused in the same way if it is."""
    fields = {"lti_message_type": "ToolProxyRegistrationRequest", "lti_version": "LTI-2p0", "reg_key": "k"}
    for request in (launched(fields), posted(fields)):
        error = Tool().refuse(request)
        assert isinstance(error, LTILaunchError)
        assert error.error == "lti_message_type"
        assert "LTI 2.0" in str(error.description)


def test_a_content_item_selection_needs_a_return_url_and_no_link() -> None:
    """It is accepted without ``resource_link_id``, and its own return URL is required."""
    assert Tool().verify(launched(SELECTION)).content_item_return_url == "https://lms.example/items"
    error = refused({**SELECTION, "content_item_return_url": ""})
    assert (error.error, error.parameters) == ("lti_parameter_missing", ("content_item_return_url",))


@pytest.mark.parametrize(
    ("extra", "url"),
    [
        ([("user_id", "admin")], "https://tool.example/launch"),
        ([("user_id", "")], "https://tool.example/launch"),
        ([], "https://tool.example/launch?user_id=admin"),
        ([], "https://tool.example/launch?%75ser_id=admin"),
    ],
)
def test_contradictions(extra: list[tuple[str, str]], url: str) -> None:
    """A parameter with two values is named, whether both are in the form or one is in the query."""
    error = refused([*BASIC.items(), *extra], url)
    assert (error.error, error.parameters) == ("lti_contradiction", ("user_id",))


def test_all_contradictions_are_named_at_once() -> None:
    """They come before what is missing, since nothing is known of such a launch."""
    fields = [*BASIC.items(), ("roles", "Instructor"), ("context_id", "2"), ("lti_version", "2")]
    assert set(refused(fields).parameters) == {"roles", "context_id", "lti_version"}


def without(name: str) -> dict[str, str]:
    """A basic launch that lacks a parameter."""
    return {key: value for key, value in BASIC.items() if key != name}


@pytest.mark.parametrize("with_return_url", [True, False])
@pytest.mark.parametrize(
    ("fields", "error"),
    [
        (BASIC, None),
        (without("context_title"), None),
        (without("context_id"), None),
        (without("user_id"), None),
        (without("roles"), None),
        (without("resource_link_id"), "lti_parameter_missing"),
        (without("lti_version"), "lti_parameter_missing"),
        (without("lti_message_type"), "lti_parameter_missing"),
        ({**BASIC, "lti_version": "LTI-1"}, "lti_version"),
        ({**BASIC, "lti_message_type": "a-basic-lti-launch-request"}, "lti_message_type"),
        ("bad signature", "invalid_signature"),
    ],
)
def test_certification(fields: dict[str, str] | str, error: str | None, with_return_url: bool) -> None:
    """The browser returns to the consumer with a message if there is a signed return URL, and else gets a page."""
    tool = Tool()
    extra = {"launch_presentation_return_url": RETURN} if with_return_url else {}
    is_forged = isinstance(fields, str)
    request = launched(
        {**(BASIC if isinstance(fields, str) else fields), **extra}, secret="forged" if is_forged else SECRET
    )
    if error is None:
        assert tool.verify(request).resource_link_id == "link-1"
        return
    refusal = tool.refuse(request)
    assert refusal.error == error
    response = launch_error_response(refusal)
    if with_return_url and error != "invalid_signature":
        assert (response.status_code, response.body) == (303, "")
        query = parse_qs(urlsplit(dict(response.headers)["Location"]).query)
        assert query["course"] == ["7"]
        assert error in query["lti_errorlog"][0]
        assert query["lti_errormsg"]
    else:
        assert response.status_code == refusal.status_code
        assert error in response.body
        assert "lms.example" not in response.body


def test_a_body_that_is_no_form_is_not_signed() -> None:
    """What nothing signs is no launch."""
    request = posted(signed())
    json = type(request)(
        "POST",
        scheme="https",
        host="tool.example",
        raw_path=b"/launch",
        headers=[(b"content-type", b"application/json")],
        body=b'{"oauth_consumer_key": "k"}',
    )
    assert Tool().refuse(json).error == "unsigned_request"
