"""What RFC 5849 requires of a server, as small experiments from outside."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import parse_qsl

from .connection import Answer, UnreachableError
from .raw_signing import sign_anyhow
from .session import Session
from .signing import FORM, Message, protocol_parameters

__all__ = ["NotAProviderError", "Result", "check_provider", "try_requirements"]

Level = Literal["MUST", "SHOULD"]


class NotAProviderError(Exception):
    """Nothing can be tried; the message is one sentence without a full stop."""


@dataclass(frozen=True, slots=True)
class Result:
    """A requirement, and whether it is met.

    Attributes:
        section: of RFC 5849.
        level: ``MUST`` or ``SHOULD``; what the RFC says with MUST NOT is a MUST to refuse it.
        text: what the server has to do.
        met: ``None`` if it could not be tried.
        detail: what the server did.
    """

    section: str
    level: Level
    text: str
    met: bool | None
    detail: str


@dataclass(frozen=True, slots=True)
class _Wrong:
    """A request that must be refused.

    Attributes:
        section: of RFC 5849.
        text: what the server has to do.
        change: makes the request wrong.
        status: that the server SHOULD answer.
    """

    section: str
    text: str
    change: Callable[[Session], Message]
    status: int


def check_provider(session: Session) -> None:
    """Make sure that there is something to try.

    Raises:
        NotAProviderError: the path wants no signature, or the right one is refused.
        UnreachableError: no answer arrived.
    """
    unsigned = session.send(session.message())
    if unsigned.status < 400:
        raise NotAProviderError(
            f"{session.message().url} answers {unsigned.status} without a signature, so it is no protected resource of "
            "OAuth 1.0: name one with --protected-path"
        )
    answer = unsigned
    for algorithm in session.algorithms:
        session.algorithm = algorithm
        answer = session.send(session.signed(session.message()))
        if 200 <= answer.status < 300:
            return
    if unsigned.status not in (400, 401) or answer.status not in (400, 401, 403):
        raise NotAProviderError(
            f"no OAuth 1.0 provider answers at {session.message().url}: the status is {answer.status}"
        )
    if session.target.credentials.token is None:
        raise NotAProviderError(
            f"a request without a token is answered with {answer.status}: give --token, and check the client"
        )
    raise NotAProviderError(
        f"the credentials are refused with {answer.status}: check the client, the token and their secrets"
    )


def _message(
    session: Session,
    *,
    message: Message | None = None,
    drop: str = "",
    extra: tuple[tuple[str, str], ...] = (),
    **change: str,
) -> Message:
    """A request that is signed after its parameters were changed."""
    credentials = session.target.credentials
    timestamp = int(session.now() + session.ahead)
    parameters = {**protocol_parameters(credentials, session.algorithm, timestamp=timestamp), **change}
    parameters.pop(drop, None)
    return sign_anyhow(
        message or session.message(), [*parameters.items(), *extra], credentials.keys, algorithm=session.algorithm
    )


def _two_places(session: Session) -> Message:
    message = session.message()
    return _message(session, message=message.with_query(b"oauth_version=1.0"), drop="oauth_version")


def _tampered(session: Session) -> Message:
    return session.signed(session.message()).with_query(b"added=1")


_WRONG = (
    _Wrong("3.2", "Refuse a wrong signature.", lambda s: s.badly_signed(s.message()), 401),
    _Wrong("3.4.1.3", "Refuse a parameter that was added after signing.", _tampered, 401),
    _Wrong("3.2", "Refuse an unknown client.",
           lambda s: _message(s, oauth_consumer_key=secrets.token_hex(8)), 401),
    _Wrong("3.2", "Refuse an unknown token.", lambda s: _message(s, oauth_token=secrets.token_hex(8)), 401),
    _Wrong("3.2", "Refuse another oauth_version than 1.0.", lambda s: _message(s, oauth_version="2.0"), 400),
    _Wrong("3.1", "Refuse a protocol parameter that comes twice.",
           lambda s: _message(s, extra=(("oauth_nonce", secrets.token_hex(8)),)), 400),
    _Wrong("3.5", "Refuse protocol parameters in two places.", _two_places, 400),
    _Wrong("3.2", "Refuse a request without oauth_nonce.", lambda s: _message(s, drop="oauth_nonce"), 400),
    _Wrong("3.2", "Refuse a request without oauth_timestamp.",
           lambda s: _message(s, drop="oauth_timestamp"), 400),
    _Wrong("3.2", "Refuse a request without oauth_signature_method.",
           lambda s: _message(s, drop="oauth_signature_method"), 400),
    _Wrong("3.2", "Refuse an unknown signature method.",
           lambda s: _message(s, oauth_signature_method="HMAC-MD4"), 400),
    _Wrong("3.3", "Refuse a timestamp that is no positive integer.",
           lambda s: _message(s, oauth_timestamp="-1"), 400),
)  # fmt: skip


def try_requirements(session: Session, *, initiate: str, token: str) -> Iterator[Result]:
    """Try each requirement, in the order of the RFC's sections.

    Args:
        session: with credentials that are accepted, see `check_provider`.
        initiate: path of the first step, below the provider's URL.
        token: path of the third step, likewise.
    """
    results: list[Result] = []
    for group in (
        _steps(session, initiate, token),
        _wrong_requests(session),
        _right_requests(session),
        _places(session),
    ):
        try:
            results.extend(group)
        except UnreachableError as error:
            results.append(Result("3.2", "MUST", "Answer each request.", met=False, detail=f"{error}."))
    yield from sorted(results, key=lambda result: result.section)


def _wrong_requests(session: Session) -> Iterator[Result]:
    for wrong in _WRONG:
        if "token" in wrong.text and session.target.credentials.token is None:
            yield Result(wrong.section, "MUST", wrong.text, met=None, detail="There is no token.")
            continue
        answer = session.send(wrong.change(session))
        yield Result(wrong.section, "MUST", wrong.text, met=400 <= answer.status < 500, detail=_status(answer))
        if 400 <= answer.status < 500:
            text = f"{wrong.text.rstrip('.')}: answer {wrong.status}."
            yield Result("3.2", "SHOULD", text, met=answer.status == wrong.status, detail=_status(answer))
    yield from _replay(session)
    yield _plaintext()


def _replay(session: Session) -> Iterator[Result]:
    message = session.signed(session.message())
    session.send(message)
    again = [session.send(message) for _ in range(4)]
    accepted = sum(200 <= answer.status < 300 for answer in again)
    detail = f"Accepted {accepted} of 4 times." if accepted else _status(again[0])
    yield Result("3.2", "MUST", "Refuse a nonce that was used before.", met=not accepted, detail=detail)
    if not accepted:
        text = "Refuse a nonce that was used before: answer 401."
        yield Result("3.2", "SHOULD", text, met=again[0].status == 401, detail=_status(again[0]))


def _plaintext() -> Result:
    """What cannot be tried: it would show the secrets to another machine, and within this one it is allowed."""
    detail = "A request that could tell shows the secrets."
    return Result("3.4.4", "MUST", "Refuse PLAINTEXT without TLS.", met=None, detail=detail)


def _right_requests(session: Session) -> Iterator[Result]:
    """Requests that must be accepted: they are right, in unusual ways."""
    plain = session.message()
    odd = plain.with_query(b"a=%C3%BC+%2B&a=&b5=%3D%253D&c%40=")
    signed = session.signed(plain)
    lower = replace(
        signed, headers=tuple((n, b"oauth" + v[5:] if n == b"Authorization" else v) for n, v in signed.headers)
    )
    upper = session.signed(plain)
    upper = replace(upper, host=upper.host.upper())
    right = (
        ("3.4.1.3", "Verify repeated, empty and escaped parameters of the query.", session.signed(odd)),
        ("3.4.1.2", "Take the host in lower case into the base string.", upper),
        ("3.4.1.3", "Leave realm out of the signature.", session.signed(plain, realm="Photos")),
        ("3.5.1", "Take the name of the scheme OAuth in any case.", lower),
        ("3.1", "Accept requests without oauth_version.", _message(session, drop="oauth_version")),
    )  # fmt: skip
    for section, text, message in right:
        answer = session.send(message)
        yield Result(section, "MUST", text, met=200 <= answer.status < 300, detail=_status(answer))


def _places(session: Session) -> Iterator[Result]:
    """The places of protocol parameters besides the header, and the name of the scheme in a refusal."""
    for place, method, section in (("query", "GET", "3.5.3"), ("form", "POST", "3.5.2")):
        message = session.message(method)
        if place == "form":
            message = replace(message, headers=((b"Content-Type", FORM),), body=b"a=1")
        verdict, answer = session.verifies(message, place="query" if place == "query" else "form")
        text = f"Accept protocol parameters in the {place}."
        yield Result(section, "SHOULD", text, met=verdict, detail=_status(answer))
    unsigned = session.send(session.message()).headers.get("www-authenticate", "")
    text = "Name the scheme OAuth in WWW-Authenticate of a refusal."
    yield Result(
        "3.5.1", "SHOULD", text, met=unsigned[:5].lower() == "oauth", detail=unsigned[:60] or "No such header."
    )


def _steps(session: Session, initiate: str, token: str) -> Iterator[Result]:
    """The first and the third step (sections 2.1 and 2.3)."""
    first = replace(session.message("POST"), path=f"{session.target.prefix}{initiate}".encode(), query=b"")
    answer = session.send(_first_step(session, first))
    fields = dict(parse_qsl(answer.body.decode("utf-8", "replace")))
    if answer.status in (404, 405):
        detail = f"{initiate} is answered with {answer.status}: name it with --initiate-path."
        yield Result("2.1", "MUST", "Issue temporary credentials.", met=None, detail=detail)
        return
    issued = answer.status == 200 and {"oauth_token", "oauth_token_secret"} <= set(fields)
    yield from _first_answer(answer, fields, issued=issued)
    without = session.send(_first_step(session, first, callback=None))
    text, met = "Refuse a first step without oauth_callback.", 400 <= without.status < 500
    yield Result("2.1", "MUST", text, met=met, detail=_status(without))
    if issued:
        third = replace(first, path=f"{session.target.prefix}{token}".encode())
        yield from _third_answers(session, third, fields)


def _first_answer(answer: Answer, fields: Mapping[str, str], *, issued: bool) -> Iterator[Result]:
    yield Result("2.1", "MUST", "Issue temporary credentials with status 200.", met=issued, detail=_status(answer))
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    yield Result("2.1", "MUST", "Answer as a form.", met=kind == FORM.decode(), detail=kind or "No Content-Type.")
    confirmed = fields.get("oauth_callback_confirmed")
    yield Result(
        "2.1", "MUST", "Say oauth_callback_confirmed=true.", met=confirmed == "true", detail=f"It is {confirmed!r}."
    )


def _third_answers(session: Session, third: Message, fields: Mapping[str, str]) -> Iterator[Result]:
    for text, verifier in (
        ("Refuse to exchange credentials that no user has approved.", None),
        ("Refuse a wrong oauth_verifier.", secrets.token_hex(8)),
    ):
        refused = session.send(_third_step(session, third, fields, verifier))
        met = None if refused.status in (404, 405) else 400 <= refused.status < 500
        yield Result("2.3", "MUST", text, met=met, detail=_status(refused))


def _first_step(session: Session, message: Message, callback: str | None = "oob") -> Message:
    extra = () if callback is None else (("oauth_callback", callback),)
    keys = session.target.credentials.keys._replace(token_secret="")
    credentials = replace(session.target.credentials, keys=keys, token=None)
    parameters = protocol_parameters(credentials, session.algorithm, timestamp=int(session.now() + session.ahead))
    return sign_anyhow(message, [*parameters.items(), *extra], keys, algorithm=session.algorithm)


def _third_step(session: Session, message: Message, fields: Mapping[str, str], verifier: str | None) -> Message:
    keys = session.target.credentials.keys._replace(token_secret=fields["oauth_token_secret"])
    credentials = replace(session.target.credentials, keys=keys, token=fields["oauth_token"])
    parameters = protocol_parameters(credentials, session.algorithm, timestamp=int(session.now() + session.ahead))
    extra = () if verifier is None else (("oauth_verifier", verifier),)
    return sign_anyhow(message, [*parameters.items(), *extra], keys, algorithm=session.algorithm)


def _status(answer: Answer) -> str:
    return f"Status {answer.status}."
