"""OutcomeService: the consumer's end of grades (LTI 1.1.1, section 6)."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace as with_changes
from decimal import Decimal
from typing import Any, cast

from async_oauth1.credentials import ClientLike
from async_oauth1.errors import (
    InvalidRequestError,
    MethodNotAllowedError,
    OAuth1Error,
    RequestTooLargeError,
    StoreUnavailableError,
)
from async_oauth1.lti.launching.reading import read_body, read_launch
from async_oauth1.lti.pox.messages import MEDIA_TYPE, Answer, CodeMajor, Question, read_question
from async_oauth1.lti.pox.reading import LARGEST, UnreadableError, check_charset, require_parser
from async_oauth1.lti.pox.scores import parse_score, score_text
from async_oauth1.lti.servers import DEFAULT_POLICY, LTIServer
from async_oauth1.policy import Policy
from async_oauth1.protocol.request import OAuth1Request
from async_oauth1.provider.hooks import ExistsNonce, QueryClient, call_hook
from async_oauth1.provider.responses import OAuth1Response, error_headers

__all__ = ["OutcomeService"]

_HOOKS = {"replaceResult": "replace", "readResult": "read", "deleteResult": "delete"}
#: Octets that are parsed of a request that is not verified, only to name it in the answer.
_LARGEST_UNVERIFIED = 4 * 1024
_NO_SCORE = "The score must be a decimal from 0 to 1, such as 0.92. Nothing was stored."
_UNKNOWN = "The sourcedId is not known. Use lis_result_sourcedid of the launch as it was sent."


class OutcomeService(LTIServer):
    """Receives grades from tools. One service serves all keys.

    Hooks: ``query_consumer(key)`` returns what the key belongs to: an `LTIConsumer`, or a model with the methods of
    `ClientLike`. ``exists_nonce`` as for a resource protector. ``replace(consumer, sourcedid, score)`` stores a grade,
    a float from 0 to 1. ``read(consumer, sourcedid)`` returns it; ``None`` before the first one.
    ``delete(consumer, sourcedid)`` deletes it. Each of the three returns ``False`` if it does not know the sourcedid,
    or if it belongs to another consumer. An operation without its hook is answered ``unsupported``.
    """

    HOOKS = ("query_consumer", "exists_nonce", "replace", "read", "delete", "on_refusal")
    OVERRIDABLE_HOOKS = ("query_consumer", "replace", "read", "delete")

    def __init__(
        self,
        query_consumer: QueryClient[ClientLike] | None = None,
        exists_nonce: ExistsNonce | None = None,
        policy: Policy | None = None,
        *,
        replace: Callable[[Any, str, float], Any] | None = None,
        read: Callable[[Any, str], Any] | None = None,
        delete: Callable[[Any, str], Any] | None = None,
        clock: Callable[[], float] = time.time,
        **hooks: Callable[..., Any],
    ) -> None:
        """Make a service.

        Args:
            query_consumer: the hook of that name.
            exists_nonce: the hook of that name.
            policy: the rules; by default those of `LTITool`. A body that nothing signs is refused in any case.
            replace: the hook of that name.
            read: the hook of that name.
            delete: the hook of that name.
            clock: Unix time in seconds.
            hooks: more hooks by name.

        Raises:
            ModuleNotFoundError: the extra ``lti`` is not installed.
        """
        require_parser()
        rules = with_changes(policy or DEFAULT_POLICY, require_signed_body=True)
        super().__init__(query_consumer, exists_nonce, rules, clock=clock, **hooks)
        for name, hook in (("replace", replace), ("read", read), ("delete", delete)):
            if hook is not None:
                self.register_hook(name, hook)

    async def respond(self, request: Any) -> OAuth1Response:
        """Answer a request of a tool, in XML whatever came.

        200 with ``success``, ``failure`` (the score is no decimal from 0 to 1, or the sourcedid is unknown) or
        ``unsupported``; else ``failure`` with 400 (no envelope, or more than 64 KiB), 401 (not verified), 405 or 503.

        Args:
            request: an `OAuth1Request`; or the request of a framework, as for `LTITool.verify_launch`.
        """
        read, body = None, b""
        try:
            read = await read_launch(request, self.policy)
            body = await read_body(request, read, LARGEST)
            await self._verify(read)
        except OAuth1Error as error:
            self.report_refusal(error, read)
            question, _ = _understood(read, body if len(body) <= _LARGEST_UNVERIFIED else b"")
            return self._refused(error, question)
        question, problem = _understood(read, body)
        if question is None or question.operation is None:
            return _response(400, question, "failure", problem)
        try:
            return await self._answer(read.client, question)
        except StoreUnavailableError as error:
            return self._refused(error, question)

    async def _verify(self, request: OAuth1Request) -> None:
        if request.method != "POST":
            raise MethodNotAllowedError("Grades are sent by POST.")
        if request.token:
            raise InvalidRequestError('A grade has no "oauth_token": it is signed with the secret of the key alone.')
        await self.verify(request, self.look_up, body_hash_required=True)

    async def _answer(self, consumer: Any, question: Question) -> OAuth1Response:
        """What the hook says to a request that is verified."""
        hook = self.hooks.get(_HOOKS.get(question.operation or "", ""))
        if hook is None:
            return _response(200, question, "unsupported", "This operation is not supported.")
        arguments: list[Any] = []
        if question.operation == "replaceResult":
            score = parse_score(question.score or "")
            if score is None:
                return _response(200, question, "failure", _NO_SCORE)
            arguments = [score]
        found: Any = False
        if question.sourcedid:
            found = await call_hook(hook, consumer, question.sourcedid, *arguments)
        if found is False:
            return _response(200, question, "failure", _UNKNOWN)
        if question.operation == "readResult":
            text = "" if found is None else score_text(cast("float | Decimal", found))
            return _response(200, question, "success", "The score was read.", score=text)
        done = "stored" if question.operation == "replaceResult" else "deleted"
        return _response(200, question, "success", f"The score was {done}.")

    def _refused(self, error: OAuth1Error, question: Question | None) -> OAuth1Response:
        status_code = 401
        if isinstance(error, StoreUnavailableError | MethodNotAllowedError):
            status_code = error.status_code
        elif isinstance(error, RequestTooLargeError):
            status_code = 400
        response = _response(status_code, question, "failure", error.description or "The request is not verified.")
        if status_code == 401 and error.status_code != 401:
            error = OAuth1Error(status_code=401)
        response.headers.extend(error_headers(error, realm=self.policy.realm, allow="POST"))
        return response


def _understood(request: OAuth1Request | None, body: bytes) -> tuple[Question | None, str]:
    """What is asked, and what is wrong with it, if it is no envelope with one operation in it."""
    try:
        check_charset(request.headers.get("Content-Type", "") if request is not None else "")
        return read_question(body), "imsx_POXBody must have one operation in it."
    except UnreadableError as error:
        return None, str(error)


def _response(
    status_code: int, question: Question | None, code: CodeMajor, description: str, *, score: str | None = None
) -> OAuth1Response:
    operation, ref = (question.operation, question.message_id) if question else (None, None)
    xml = Answer(code, description, operation, ref, score).xml()
    return OAuth1Response(status_code, xml, [("Content-Type", MEDIA_TYPE), ("Cache-Control", "no-store")])
