"""What LTI requires of a launch, besides its signature (LTI 1.1.1, section 3)."""

from __future__ import annotations

from collections.abc import Mapping

from async_oauth1.errors import InvalidRequestError, MethodNotAllowedError
from async_oauth1.lti.errors import LTILaunchError, named
from async_oauth1.protocol.request import OAuth1Request

from .fields import first_values

__all__ = ["BASIC_LAUNCH", "CONTENT_ITEM_SELECTION", "check_fields", "check_request"]

BASIC_LAUNCH = "basic-lti-launch-request"
CONTENT_ITEM_SELECTION = "ContentItemSelectionRequest"
_REGISTRATION = "ToolProxyRegistrationRequest"
_VERSION = "LTI-1p0"
# What each message needs besides its type and version.
_REQUIRED = {BASIC_LAUNCH: ("resource_link_id",), CONTENT_ITEM_SELECTION: ("content_item_return_url",)}
_NO_REGISTRATION = (
    "This is a registration of LTI 2.0, which this tool does not support. Add the tool with a key and a secret, as LTI "
    "1.1 has it."
)


def check_request(request: OAuth1Request) -> None:
    """Check what no launch may be, before anything is looked up.

    Raises:
        MethodNotAllowedError: the request is not a POST.
        InvalidRequestError: it has a token: a launch is signed by the consumer alone.
        LTILaunchError: it is a registration of LTI 2.0, which is not signed.
    """
    if request.method != "POST":
        raise MethodNotAllowedError("A launch is a POST.")
    if request.token:
        raise InvalidRequestError('A launch has no "oauth_token": it is signed with the secret of the consumer alone.')
    if not request.protocol_parameters and first_values(request).get("lti_message_type") == _REGISTRATION:
        raise _unsupported(_REGISTRATION)


def check_fields(fields: Mapping[str, str]) -> None:
    """Check that a message has what its type requires.

    Raises:
        LTILaunchError: a parameter is missing or empty, all of which are named, or the version or the type of the
            message is not supported.
    """
    message_type = fields.get("lti_message_type", "")
    if message_type and message_type not in _REQUIRED:
        raise _unsupported(message_type)
    is_selection = not message_type and bool(fields.get("content_item_return_url"))
    required = _REQUIRED[message_type or (CONTENT_ITEM_SELECTION if is_selection else BASIC_LAUNCH)]
    missing = [name for name in ("lti_message_type", "lti_version", *required) if not fields.get(name)]
    if missing:
        raise LTILaunchError("lti_parameter_missing", f"Missing or empty: {named(missing)}.", missing)
    if fields["lti_version"] != _VERSION:
        raise LTILaunchError(
            "lti_version", f"lti_version is {named([fields['lti_version']])}; it must be {_VERSION}.", ["lti_version"]
        )


def _unsupported(message_type: str) -> LTILaunchError:
    text = f"lti_message_type is {named([message_type])}; it must be {' or '.join(_REQUIRED)}."
    if message_type == _REGISTRATION:
        text = _NO_REGISTRATION
    return LTILaunchError("lti_message_type", text, ["lti_message_type"])
