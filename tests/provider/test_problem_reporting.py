"""With ``Policy(problem_reporting=True)`` refusals have the members of OAuth Core's extension for problem reporting."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

import pytest

from async_oauth1 import Policy, errors
from async_oauth1.provider.responses import (
    OAuth1Response,
    problem_members,
    resource_error_response,
    server_error_response,
    with_problem,
)
from tests.protocol.wire import NOW
from tests.provider.provider import CALLBACK, Provider, fields

REPORTING = Policy(problem_reporting=True)

BAD: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "no nonce": (
        {"oauth_nonce": None},
        {"oauth_problem": "parameter_absent", "oauth_parameters_absent": "oauth_nonce"},
    ),
    "no timestamp, nonce and signature": (
        {"oauth_timestamp": None, "oauth_nonce": None, "signature": ""},
        {
            "oauth_problem": "parameter_absent",
            "oauth_parameters_absent": "oauth_signature&oauth_timestamp&oauth_nonce",
        },
    ),
    "late": (
        {"oauth_timestamp": str(NOW - 301)},
        {"oauth_problem": "timestamp_refused", "oauth_acceptable_timestamps": f"{NOW - 300}-{NOW + 300}"},
    ),
    "other version": (
        {"oauth_version": "2.0"},
        {"oauth_problem": "version_rejected", "oauth_acceptable_versions": "1.0-1.0"},
    ),
    "long nonce": ({"oauth_nonce": "x" * 256}, {"oauth_problem": "parameter_rejected"}),
    "method not enabled": ({"oauth_signature_method": "HMAC-SHA512"}, {"oauth_problem": "signature_method_rejected"}),
    "wrong signature": ({"signature": "x"}, {"oauth_problem": "signature_invalid"}),
    "unknown client": ({"oauth_consumer_key": "unknown"}, {"oauth_problem": "signature_invalid"}),
    "unknown token": ({"oauth_token": "unknown"}, {"oauth_problem": "signature_invalid"}),
    "plain http": ({"scheme": "http"}, {}),
}


def challenge(response: OAuth1Response) -> dict[str, str]:
    """The parameters of WWW-Authenticate besides the realm, decoded."""
    value = dict(response.headers).get("WWW-Authenticate")
    if value is None:
        return {}
    scheme, _, parameters = value.partition(" ")
    assert scheme == "OAuth"
    pairs = [parameter.partition("=") for parameter in parameters.split(", ")]
    assert pairs[0][0] == "realm"
    return {name: unquote(text.strip('"')) for name, _, text in pairs[1:]}


def problems(members: dict[str, str]) -> dict[str, str]:
    """The members that belong to problem reporting."""
    standard = {"error", "error_description", "error_uri"}
    return {name: value for name, value in members.items() if name not in standard}


@pytest.mark.parametrize("bad", BAD)
def test_a_resource_reports_in_json_and_in_the_challenge(bad: str) -> None:
    """Both have the same members; the challenge percent-encodes the values."""
    provider = Provider(REPORTING)
    changes, expected = BAD[bad]
    error = provider.refusal(provider.token().wire(**changes))
    response = resource_error_response(error, realm="Photos", problems=True)
    assert problems(json.loads(response.body)) == challenge(response) == expected


@pytest.mark.parametrize("bad", [bad for bad in BAD if bad != "unknown token"])  # this step has no token
def test_an_endpoint_reports_in_the_form(bad: str) -> None:
    """The form of the temporary credentials' endpoint has the members, too."""
    provider = Provider(REPORTING)
    changes, expected = BAD[bad]
    response = provider.initiate(provider.client.wire("POST", **{"oauth_callback": CALLBACK, **changes}))
    assert problems(fields(response)) == challenge(response) == expected


def test_a_missing_callback_is_named() -> None:
    """The parameters that one endpoint requires are named as those that every request has."""
    provider = Provider(REPORTING)
    response = provider.initiate(provider.client.wire("POST"))
    assert problems(fields(response)) == {
        "oauth_problem": "parameter_absent",
        "oauth_parameters_absent": "oauth_callback",
    }


def test_an_unsigned_request_lacks_every_parameter() -> None:
    """The names are percent-encoded in the challenge, with the ampersands between them."""
    provider = Provider(REPORTING)
    response = resource_error_response(
        provider.refusal(replace(provider.client.wire(), headers=())), realm="", problems=True
    )
    assert json.loads(response.body)["oauth_parameters_absent"] == (
        "oauth_consumer_key&oauth_signature_method&oauth_signature&oauth_timestamp&oauth_nonce"
    )
    assert "oauth_consumer_key%26oauth_signature_method%26" in dict(response.headers)["WWW-Authenticate"]


def test_a_used_nonce_and_a_missing_scope() -> None:
    """A replay is ``nonce_used``, and a token without the scope ``permission_denied``."""
    provider = Provider(REPORTING)
    wire = provider.token().wire()
    provider.protect(wire)
    assert problem_members(provider.refusal(wire)) == [("oauth_problem", "nonce_used")]
    assert problem_members(errors.InsufficientScopeError()) == [("oauth_problem", "permission_denied")]


def test_without_uniform_errors_the_client_learns_more() -> None:
    """An unknown client and an unknown token have values of their own, as their errors have codes of their own."""
    provider = Provider(Policy(problem_reporting=True, uniform_errors=False))
    jane = provider.token()
    told = [
        dict(problem_members(provider.refusal(wire)))["oauth_problem"]
        for wire in (jane.wire(oauth_consumer_key="unknown"), jane.wire(oauth_token="unknown"))
    ]
    assert told == ["consumer_key_unknown", "token_rejected"]


def test_it_is_off_by_default() -> None:
    """Without it, no answer has a member of problem reporting."""
    provider = Provider()
    response = provider.initiate(provider.client.wire("POST"))
    assert problems(fields(response)) == challenge(response) == {}
    late = provider.refusal(provider.token().wire(oauth_timestamp="1"))
    assert "oauth_problem" not in str(resource_error_response(late, realm=""))


def test_a_value_cannot_forge_a_header() -> None:
    """Values are percent-encoded: no quote, comma or line break reaches the header."""
    error = with_problem(errors.InvalidRequestError(), oauth_acceptable_versions='a", b="\r\nSet-Cookie: c')
    response = server_error_response(error, realm="", allow="POST", problems=True)
    header = 'OAuth realm="", oauth_problem="parameter_rejected", '
    header += 'oauth_acceptable_versions="a%22%2C%20b%3D%22%0D%0ASet-Cookie%3A%20c"'
    assert dict(response.headers)["WWW-Authenticate"] == header
