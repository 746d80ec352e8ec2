"""The queue of refusals is bounded in every direction, and says what it has dropped."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from async_oauth1.errors import InvalidSignatureError
from async_oauth1.explaining.queue import BURST, CAPACITY, CAPACITY_OF_ONE, LARGEST, Queue, Refusal, slices
from async_oauth1.policy import Policy
from async_oauth1.protocol.request import OAuth1Request
from async_oauth1.protocol.signature import SigningKeys


class Clock:
    """A clock that a test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def refusal(client: str = "client", *, query: bytes = b"", is_explained: bool = False, hook: object = None) -> Refusal:
    """A refusal of a client."""
    header = (
        f'OAuth oauth_consumer_key="{client}", oauth_signature_method="HMAC-SHA1", oauth_timestamp="1", oauth_nonce="n"'
    )
    request = OAuth1Request(
        "GET", scheme="https", host="example.net", raw_path=b"/", raw_query=query,
        headers=[(b"Authorization", f'{header}, oauth_signature="AAAAAAAAAAAAAAAAAAAAAAAAAAA="'.encode())],
    )  # fmt: skip
    policy = Policy(explain_refusals=is_explained)
    return Refusal(request, InvalidSignatureError(), policy, 1.0, hook, is_explained)  # type: ignore[arg-type]


def test_all_together_are_bounded() -> None:
    """The queue holds so many, and counts the rest."""
    queue = Queue(Clock())
    accepted = [queue.offer(refusal(f"client {number}")) for number in range(CAPACITY + 5)]
    assert sum(accepted) == len(queue) == CAPACITY
    assert queue.dropped == {"too many wait": 5}


def test_one_client_leaves_room_for_others() -> None:
    """A flood of one client's does not keep another client's refusal out, and its place is free again later."""
    queue = Queue(Clock())
    assert sum(queue.offer(refusal("loud")) for _ in range(1_000)) == CAPACITY_OF_ONE
    assert queue.offer(refusal("quiet"))
    assert queue.take() is not None
    assert queue.offer(refusal("loud"))
    while queue.take():
        pass
    assert not queue._of_client


def test_explanations_are_limited_in_rate() -> None:
    """After a burst, one in a second; the hook is called without an explanation."""
    clock = Clock()
    queue = Queue(clock)
    accepted = [queue.offer(refusal(str(number), is_explained=True)) for number in range(20)]
    assert sum(accepted) == BURST
    assert queue.offer(refusal("hook", is_explained=True, hook=print))
    clock.now = 1.0
    assert queue.offer(refusal("later", is_explained=True))
    assert not queue.offer(refusal("too soon", is_explained=True))
    waiting = list(queue._waiting)
    assert [each.is_explained for each in waiting if each.hook] == [False]


def test_large_requests_are_not_explained() -> None:
    """Their steps would take longer than a slice."""
    queue = Queue(Clock())
    assert not queue.offer(refusal(query=b"a" * LARGEST, is_explained=True))
    assert queue.dropped == {"larger than 8 KiB": 1}


def test_what_was_dropped_is_logged_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    """One line with the numbers."""
    caplog.set_level(logging.INFO, "async_oauth1")
    clock = Clock()
    queue = Queue(clock)
    for _ in range(3):
        for _ in range(CAPACITY_OF_ONE + 2):
            queue.offer(refusal())
        while queue.take():
            pass
    assert [record.getMessage() for record in caplog.records] == [
        "Refusals that were not explained: 2 (too many wait)."
    ]
    clock.now = 61.0
    queue.offer(refusal())
    queue.take()
    assert caplog.records[-1].getMessage() == "Refusals that were not explained: 4 (too many wait)."


def test_what_is_tolerated_of_the_client_is_no_cause() -> None:
    """Its own window counts, and so do its tolerances, whatever the policy says."""
    waiting = refusal(is_explained=True)
    waiting.request.tolerances, waiting.request.timestamp_window = ("version_1_0a", "timestamp_window=1000"), 1_000
    *_, explanation = slices(replace(waiting, now=900.0))
    assert explanation is not None
    assert explanation.causes == ()
    *_, explanation = slices(replace(waiting, now=1_100.0))
    assert explanation is not None
    assert [cause.code for cause in explanation.causes] == ["timestamp_clock"]


def test_no_look_up_and_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    """The keys are those that the verification tried; they do not come out, and neither does a forged line."""
    caplog.set_level(logging.DEBUG, "async_oauth1")
    waiting = refusal(query=b"secret=kd94hf93k423kf44&%0AForged=1", is_explained=True)
    waiting.request.tried_keys = (SigningKeys("kd94hf93k423kf44", "pfkkdhi9sl3r4s00"),)
    *pauses, explanation = slices(replace(waiting, now=1.0))
    assert explanation is not None
    assert explanation.tried > 100
    assert len(pauses) > 3
    assert set(pauses) == {None}
    (record,) = caplog.records
    text = record.getMessage()
    assert "most likely a secret is wrong" in text
    assert "\n" not in text
    assert "kd94hf93k423kf44" not in text + repr(waiting)
    assert "pfkkdhi9sl3r4s00" not in text + repr(waiting)
