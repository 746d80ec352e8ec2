"""A platform of LTI 1.1 for tests of tools: it launches, and keeps the grades that the tool sends."""

from __future__ import annotations

import secrets
from html import escape
from typing import TYPE_CHECKING, Any, Literal, get_args
from urllib.parse import parse_qs

from .serving import GRACE, ServerInThread

if TYPE_CHECKING:
    from async_oauth1.lti import LTIConsumer, OutcomeService, SignedForm
    from async_oauth1.provider.responses import OAuth1Response
    from async_oauth1.stores import MemoryStore

__all__ = ["LTIPlatform", "Role"]

#: The usual roles; `LTIPlatform.launch` takes any text.
Role = Literal["Learner", "Instructor", "Administrator", "TeachingAssistant"]
#: Octets of a body that are read; the outcome service refuses it before.
_LARGEST = 128 * 1024


class LTIPlatform(ServerInThread):
    """A tool consumer on a free port of 127.0.0.1, with everything in memory.

    It serves ``/``, a page with links to launch and the grades; ``/launch``, which launches in a browser; and
    ``/outcomes``, the outcome service.

    Attributes:
        key: the key that the tool is registered with.
        secret: of the key.
        tool_url: where launches are posted to.
        gradebook: the grades, a float by user and link: ``gradebook["student-1", "link-1"]``.
        answers: the XML with which grades were answered, the oldest first.
    """

    name = "LTI platform"

    def __init__(self, *, tool_url: str = "http://localhost/launch", key: str = "lti-platform") -> None:
        """Prepare a platform; `start`, or ``with``, starts it.

        Args:
            tool_url: the launch URL of the tool; the default is that of the test clients of Quart and Flask.
            key: the key that the tool is registered with.
        """
        super().__init__()
        self.tool_url, self.key, self.secret = tool_url, key, secrets.token_hex(16)
        self.gradebook: dict[tuple[str, str], float] = {}
        self.answers: list[str] = []
        self._places: dict[str, tuple[str, str]] = {}
        self._service: OutcomeService
        self._store: MemoryStore

    def query_consumer(self, key: str) -> LTIConsumer | None:
        """The hook of the tool: this platform as a consumer."""
        from async_oauth1.lti import LTIConsumer

        return LTIConsumer(client_id=self.key, client_secret=self.secret) if key == self.key else None

    def launch(
        self,
        role: Role | str = "Learner",
        *,
        user: str | None = None,
        link: str = "link-1",
        url: str | None = None,
        **parameters: str | None,
    ) -> SignedForm:
        """Sign a launch, with a grade to be sent unless the user teaches.

        Args:
            role: ``roles``, which may be a list with commas.
            user: ``user_id``; by default one for each role, such as ``learner-1``.
            link: ``resource_link_id``.
            url: of the tool; by default ``tool_url``.
            parameters: more of them, or others; ``None`` leaves one out.

        Returns:
            ``url`` and ``fields`` of a form, to be posted by the tool's test client, or by a browser.
        """
        from async_oauth1.lti import SignedForm, sign_launch

        user = user or f"{role.rpartition('/')[2].partition(',')[0].lower()}-1"
        fields: dict[str, str | None] = {
            "lti_message_type": "basic-lti-launch-request",
            "lti_version": "LTI-1p0",
            "resource_link_id": link,
            "resource_link_title": "An activity",
            "context_id": "course-1",
            "context_title": "A course",
            "user_id": user,
            "lis_person_name_full": user.replace("-", " ").capitalize(),
            "roles": role,
            "tool_consumer_instance_guid": "lti-platform.example",
            "launch_presentation_return_url": f"{self.url}/",
        }
        if "Learner" in role or "Student" in role:
            sourcedid = self._sourcedid(user, link)
            fields |= {"lis_outcome_service_url": f"{self.url}/outcomes", "lis_result_sourcedid": sourcedid}
        url, given = url or self.tool_url, {**fields, **parameters}
        sent = {name: value for name, value in given.items() if value is not None}
        return SignedForm(url, sign_launch(url, sent, self.key, self.secret))

    def _sourcedid(self, user: str, link: str) -> str:
        for sourcedid, place in self._places.items():
            if place == (user, link):
                return sourcedid
        sourcedid = secrets.token_hex(8)
        self._places[sourcedid] = user, link
        return sourcedid

    # The hooks of the outcome service --------------------------------------------------------------------------------

    def _replace(self, consumer: Any, sourcedid: str, score: float) -> bool:
        if place := self._places.get(sourcedid):
            self.gradebook[place] = score
        return place is not None

    def _read(self, consumer: Any, sourcedid: str) -> float | Literal[False] | None:
        place = self._places.get(sourcedid)
        return self.gradebook.get(place) if place else False

    def _delete(self, consumer: Any, sourcedid: str) -> bool:
        if place := self._places.get(sourcedid):
            self.gradebook.pop(place, None)
        return place is not None

    # The server ------------------------------------------------------------------------------------------------------

    def _prepare(self) -> None:
        from async_oauth1.lti import OutcomeService
        from async_oauth1.stores import MemoryStore

        self._store = MemoryStore()
        self._service = OutcomeService(
            self.query_consumer,
            self._store.exists_nonce,
            replace=self._replace,
            read=self._read,
            delete=self._delete,
        )

    async def _serve(self, listener: Any) -> None:
        from async_oauth1.serve.listening import serve_socket

        async with self._store:
            self._started.set()
            await serve_socket(self._application, listener, self._stop, grace=GRACE)

    async def _application(self, scope: Any, receive: Any, send: Any) -> None:
        from async_oauth1.asgi.requests import send_response

        if scope["type"] == "http":
            await send_response(await self._answer(scope, receive), send, method=scope["method"])

    async def _answer(self, scope: Any, receive: Any) -> OAuth1Response:
        from async_oauth1.asgi.requests import request_from_scope
        from async_oauth1.errors import OAuth1Error
        from async_oauth1.lti import launch_page
        from async_oauth1.provider.responses import OAuth1Response

        if scope["path"] == "/outcomes":
            body = await _body(receive)
            try:
                request = request_from_scope(scope, self._service.policy, body)
            except OAuth1Error as error:
                return OAuth1Response(400, error.description or "", [("Content-Type", "text/plain")])
            response = await self._service.respond(request)
            self.answers.append(response.body)
            return response
        if scope["path"] == "/launch":
            chosen = parse_qs(scope["query_string"].decode("latin-1"))
            form = self.launch(chosen.get("role", ["Learner"])[0], user=chosen.get("user", [None])[0])
            return launch_page(form.url, form.fields)
        if scope["path"] == "/":
            return OAuth1Response(200, self._page(), [("Content-Type", "text/html; charset=utf-8")])
        return OAuth1Response(404, "Not found", [("Content-Type", "text/plain")])

    def _page(self) -> str:
        links = "".join(f'<li><a href="/launch?role={role}">Launch as {role}</a></li>' for role in get_args(Role))
        rows = "".join(
            f"<tr><td>{escape(user)}</td><td>{escape(link)}</td><td>{score}</td></tr>"
            for (user, link), score in self.gradebook.items()
        )
        page = (
            '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>LTI platform</title></head><body>'
            f"<h1>LTI platform</h1><p>Tool: {escape(self.tool_url)}</p><ul>{links}</ul><h2>Grades</h2>"
            f"<table><tr><th>User</th><th>Link</th><th>Grade</th></tr>{rows}</table></body></html>"
        )
        return page.encode("ascii", "xmlcharrefreplace").decode()


async def _body(receive: Any) -> bytes:
    """The body of a request; the rest of one that is too large is dropped."""
    body, more = b"", True
    while more:
        message = await receive()
        if len(body) < _LARGEST:
            body += message.get("body", b"")
        more = message.get("more_body", False)
    return body
