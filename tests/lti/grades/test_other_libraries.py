"""Grades that other libraries send, over HTTP, and what they read of the answers."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import requests
from lti import OutcomeRequest, OutcomeResponse
from requests_oauthlib import OAuth1

from async_oauth1.lti.pox.messages import Question
from async_oauth1.testing import LTIPlatform
from tests.examples.clients.programs import TIMEOUT, install_npm_packages

from .service import Gradebook, envelope, signed

GRADED = ("learner-1", "link-1")
Run = Callable[..., list[Any]]


def options_of(platform: LTIPlatform) -> dict[str, Any]:
    """Key, secret, and where the grade goes."""
    fields = platform.launch().fields
    options = {name: fields[name] for name in ("lis_outcome_service_url", "lis_result_sourcedid")}
    return {"consumer_key": platform.key, "consumer_secret": platform.secret, **options}


@pytest.fixture
def ims_lti(pytestconfig: pytest.Config, lti_platform: LTIPlatform) -> Run:
    """Calls methods of ims-lti of npm."""
    folder = install_npm_packages(pytestconfig.cache.mkdir("npm-clients"))
    options = options_of(lti_platform)

    def run(*calls: Sequence[Any], **more: Any) -> list[Any]:
        given = {
            **options,
            "service_url": options["lis_outcome_service_url"],
            "source_did": options["lis_result_sourcedid"],
            "result_data_types": ["text", "url"],
            **more,
        }
        command = ["node", "lti_outcomes.js", json.dumps(given), json.dumps(calls)]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=TIMEOUT, check=True)
        return [json.loads(line) for line in done.stdout.splitlines()]

    return run


def test_ims_lti(ims_lti: Run, lti_platform: LTIPlatform) -> None:
    """Its grades are stored, read and deleted, with result data too; its query is signed."""
    query = f"{lti_platform.url}/outcomes?tenant=a%20b"
    done = ims_lti(
        ["send_replace_result", 0.92],
        ["send_read_result"],
        ["send_replace_result_with_text", 0.5, "A <b>text</b>"],
        ["send_replace_result_with_url", 0.25, "https://tool.example/?a=1&b=2"],
        ["send_read_result"],
        service_url=query,
    )
    assert done == [[None, True], [None, 0.92], [None, True], [None, True], [None, 0.25]]
    assert lti_platform.gradebook == {GRADED: 0.25}
    assert ims_lti(["send_delete_result"]) == [[None, True]]
    assert lti_platform.gradebook == {}


def test_what_ims_lti_gets_wrong(ims_lti: Run, lti_platform: LTIPlatform) -> None:
    """It cuts text that is not ASCII short, sends small scores with an exponent, and reads no missing grade."""
    calls = (
        ["send_replace_result_with_text", 0.5, "für die Übung"],
        ["send_replace_result", 1e-7],
        ["send_read_result"],
    )
    (cut,), (tiny,), (missing,) = (ims_lti(call) for call in calls)
    assert (cut[1], tiny[1], missing[1]) == (False, False, False)
    assert "decimal" in tiny[0]
    assert missing[0] == "Invalid score response"
    assert lti_platform.gradebook == {}


def test_a_wrong_secret(ims_lti: Run, lti_platform: LTIPlatform) -> None:
    """ims-lti reports the failure, with the text of the answer."""
    ((error, done),) = ims_lti(["send_replace_result", 0.5], consumer_secret="wrong")
    assert not done
    assert "signature" in error
    assert lti_platform.gradebook == {}


def test_lti(lti_platform: LTIPlatform) -> None:
    """Grades of the package lti are stored, read and deleted, with text that is not ASCII, too."""
    request = OutcomeRequest({**options_of(lti_platform), "message_identifier": "m<1>"})
    answer = request.post_replace_result(0.5, {"text": "für die Übung"})
    assert (answer.is_success(), answer.message_ref_identifier) == (True, "m<1>")
    assert lti_platform.gradebook == {GRADED: 0.5}
    read = OutcomeRequest(options_of(lti_platform)).post_read_result()
    assert (read.is_success(), float(read.score)) == (True, 0.5)
    assert OutcomeRequest(options_of(lti_platform)).post_delete_result().is_success()
    assert lti_platform.gradebook == {}


def test_what_lti_gets_wrong(lti_platform: LTIPlatform) -> None:
    """It sends scores with an exponent, and those beyond 1; both are refused."""
    for score in (0.00001, 1.5, float("nan")):
        answer = OutcomeRequest(options_of(lti_platform)).post_replace_result(score)
        assert (answer.is_failure(), answer.is_success()) == (True, False)
        assert "decimal" in str(answer.description)
    assert lti_platform.gradebook == {}


def test_lti_reads_what_is_sent_here() -> None:
    """As a consumer, it finds the operation, the sourcedid and the score."""
    found = OutcomeRequest()
    found.process_xml(Question("replaceResult", "grade-ö", "0.92", "m1").xml())
    assert (found.operation, found.lis_result_sourcedid, found.score) == ("replaceResult", "grade-ö", "0.92")
    answer = OutcomeResponse()
    answer.process_xml(Gradebook().answer(signed(envelope())).body.encode())
    assert (answer.is_success(), answer.operation) == (True, "replaceResult")


def test_requests_oauthlib_signs_the_body(lti_platform: LTIPlatform) -> None:
    """Any client with ``oauth_body_hash`` is verified; without it, the answer is 401."""
    options = options_of(lti_platform)
    body = envelope(sourcedid=options["lis_result_sourcedid"])
    url, headers = options["lis_outcome_service_url"], {"Content-Type": "application/xml"}
    for has_hash, status in ((True, 200), (False, 401)):
        auth = OAuth1(lti_platform.key, lti_platform.secret, force_include_body=has_hash)
        assert requests.post(url, data=body.encode(), headers=headers, auth=auth).status_code == status
    assert lti_platform.gradebook == {GRADED: 0.92}
