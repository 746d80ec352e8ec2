"""Grades: send one to the consumer, read it back, delete it (LTI 1.1.1, section 6).

::

    await outcomes.replace_result(launch, 0.92, http=httpx_client)

A grade is mostly sent when no launch is at hand: `Launch.outcome` is to be stored, and is taken instead of the launch.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from async_oauth1.provider.hooks import call_hook, resolve

from .errors import OutcomeError, OutcomeUnclearError, named
from .pox.messages import MEDIA_TYPE, Answer, Operation, Question, read_answer
from .pox.reading import UnreadableError, require_parser
from .pox.scores import parse_reported_score, score_text
from .signing import sendable, sign_body
from .urls import is_web_url

__all__ = ["Outcome", "OutcomeError", "OutcomeUnclearError", "delete_result", "read_result", "replace_result"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where one user's grade for one link goes; store it with the user's work, since a grade is mostly sent later.

    Attributes:
        consumer_key: of the consumer, whose secret signs the grade.
        url: ``lis_outcome_service_url``, absolute.
        sourcedid: ``lis_result_sourcedid``.
    """

    consumer_key: str
    url: str
    sourcedid: str = field(repr=False)


class _Graded(Protocol):
    """A launch, as far as grades need it."""

    @property
    def outcome(self) -> Outcome | None:
        """Where the grade goes."""
        ...

    @property
    def consumer(self) -> Any:
        """The record whose secret signs the grade."""
        ...


class _HTTPClient(Protocol):
    """An ``httpx.AsyncClient``; or an ``httpx.Client``, which blocks."""

    def post(self, url: str, *, content: bytes, headers: dict[str, str]) -> Any:
        """Send a request; the response has ``status_code`` and ``content``."""
        ...


async def replace_result(
    outcome: Outcome | _Graded,
    score: float,
    *,
    http: _HTTPClient,
    query_consumer: Callable[[str], Any] | None = None,
    text: str | None = None,
    url: str | None = None,
) -> None:
    """Send a grade; an earlier one is replaced.

    Args:
        outcome: where to: a launch, or its `Launch.outcome`.
        score: from 0 to 1.
        http: sends the request, as its ``post(url, content=, headers=)`` does.
        query_consumer: finds the consumer of an `Outcome` by its key, as the hook of `LTITool`; not needed with a
            launch.
        text: what the user has written; an extension, for consumers whose launches have it in
            ``ext_outcome_data_values_accepted``.
        url: of what the user has made, likewise. A grade has one of the two.

    Raises:
        OutcomeError: the consumer has refused the grade.
        OutcomeUnclearError: the consumer has said neither.
        ValueError: the score is no number from 0 to 1, the launch allows no grade, or its URL is not http or https;
            nothing was sent.
        LookupError: the consumer is unknown, or has no secret; nothing was sent.
    """
    if text is not None and url is not None:
        raise ValueError("A grade has a text or a URL, not both: consumers keep one.")
    data = ("text", text) if text is not None else ("url", url) if url is not None else None
    await _ask("replaceResult", outcome, http, query_consumer, score_text(score), data)


async def read_result(
    outcome: Outcome | _Graded, *, http: _HTTPClient, query_consumer: Callable[[str], Any] | None = None
) -> float | None:
    """Read the grade that the consumer has; the arguments and errors are those of `replace_result`.

    Returns:
        A number from 0 to 1; ``None`` if there is no grade.
    """
    answer = await _ask("readResult", outcome, http, query_consumer)
    text = (answer.score or "").strip()
    score = parse_reported_score(text)
    if text and score is None:
        raise OutcomeUnclearError("The consumer's score is no number from 0 to 1:", description=text, status_code=200)
    return score


async def delete_result(
    outcome: Outcome | _Graded, *, http: _HTTPClient, query_consumer: Callable[[str], Any] | None = None
) -> None:
    """Delete the grade that the consumer has; the arguments and errors are those of `replace_result`."""
    await _ask("deleteResult", outcome, http, query_consumer)


async def _ask(
    operation: Operation,
    outcome: Outcome | _Graded,
    http: _HTTPClient,
    query_consumer: Callable[[str], Any] | None,
    score: str | None = None,
    data: tuple[str, str] | None = None,
) -> Answer:
    """Send a request with a nonce and an identifier of its own, once."""
    require_parser()
    target = outcome if isinstance(outcome, Outcome) else outcome.outcome
    if target is None:
        raise ValueError("The launch allows no grade: it has no lis_outcome_service_url, or no lis_result_sourcedid.")
    if not is_web_url(target.url):
        raise ValueError(f"lis_outcome_service_url is no http or https URL: {named([target.url])}.")
    secret = await _secret(outcome, target.consumer_key, query_consumer)
    body = Question(operation, target.sourcedid, score, secrets.token_hex(16), data).xml()
    url = sendable(target.url)
    signed = sign_body(url, body, target.consumer_key, secret, method=_method(outcome))
    return _understood(*await _posted(http, url, body, {"Content-Type": MEDIA_TYPE, "Authorization": signed}))


async def _secret(outcome: Outcome | _Graded, key: str, query_consumer: Callable[[str], Any] | None) -> str:
    if query_consumer is not None:
        consumer = await call_hook(query_consumer, key)
    elif isinstance(outcome, Outcome):
        raise TypeError("query_consumer is needed with an Outcome: it finds the secret.")
    else:
        consumer = outcome.consumer
    secret = None if consumer is None else await call_hook(consumer.get_client_secret)
    if not secret:
        raise LookupError(f"The consumer {named([key])} is unknown, or has no secret.")
    return str(secret)


def _method(outcome: Outcome | _Graded) -> str:
    """The method with which the consumer signs, since it can verify that one."""
    method: str = getattr(outcome, "fields", {}).get("oauth_signature_method", "")
    return method if method.startswith("HMAC-") else "HMAC-SHA1"


async def _posted(http: _HTTPClient, url: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
    try:
        response = await resolve(http.post(url, content=body, headers=headers))
    except (TypeError, AttributeError):  # mistakes of the program
        raise
    except Exception as error:  # each client has classes of its own for what goes wrong on the way
        what = f"{type(error).__name__}: {error}".removesuffix(": ")
        raise OutcomeUnclearError("The consumer has not answered:", description=what) from error
    return response.status_code, response.content


def _understood(status_code: int, content: bytes) -> Answer:
    """The answer, if it says that the consumer has done what was asked.

    Raises:
        OutcomeError: it does not.
    """
    try:
        answer = read_answer(content)
    except UnreadableError as error:
        what = f"no envelope ({error})" if content.strip() else "nothing"
        raise OutcomeUnclearError(
            f"The consumer has answered {status_code} and {what}", status_code=status_code
        ) from None
    code, text = answer.code_major, answer.description
    if code in ("failure", "unsupported"):
        raise OutcomeError(
            f"The consumer has answered {code}:", description=text, code_major=code, status_code=status_code
        )
    if code != "success" or not 200 <= status_code < 300:
        said = f"The consumer has answered {status_code} and {code!a}:"
        raise OutcomeUnclearError(said, description=text, code_major=code, status_code=status_code)
    return answer
