"""The course: a small platform, with people, a page to launch the tool from, and a gradebook."""

from __future__ import annotations

from typing import Any

from quart import Quart, Response, abort, make_response, render_template, request, send_file

from .gradebook import Gradebook, outcome_service
from .launches import FAULTS, PEOPLE, Course
from .tool import STYLE_SHEET

__all__ = ["create_course"]

#: Characters of a tool's message that are shown.
LONGEST_MESSAGE = 500


def create_course(course: Course) -> Quart:
    """Make the application."""
    app = Quart(__name__)
    pages = _Pages(course)
    app.add_url_rule("/", view_func=pages.home)
    app.add_url_rule("/back", view_func=pages.back)
    app.add_url_rule("/style.css", view_func=pages.style)
    app.add_url_rule("/launch", view_func=pages.launch)
    app.add_url_rule("/gradebook", view_func=pages.gradebook)
    app.add_url_rule("/outcomes", view_func=pages.outcomes, methods=["POST"])

    @app.after_request
    async def add_headers(response: Response) -> Response:
        tool = course.launch_url.removesuffix("/launch")
        policy = (
            f"default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
            f"frame-src 'self' {tool}; form-action 'self' {tool}; frame-ancestors 'self'; base-uri 'none'"
        )
        response.headers.setdefault("Content-Security-Policy", policy)
        if request.endpoint not in ("static", "style"):
            response.headers["Cache-Control"] = "no-store"
        return response

    return app


class _Pages:
    """The pages of the course, and the address for grades."""

    def __init__(self, course: Course) -> None:
        self._course, self._book = course, Gradebook()
        self._service = outcome_service(self._book, course.secret)

    async def home(self) -> str:
        faults = {name: text for name, (text, _) in FAULTS.items()}
        shown = {"people": PEOPLE, "grades": self._book.grades, "faults": faults}
        return await render_template("course.html", **shown)

    async def back(self) -> str:
        """The return URL: the tool sends the browser here, maybe with a message for the user."""
        return await render_template("back.html", message=request.args.get("lti_errormsg", "")[:LONGEST_MESSAGE])

    async def style(self) -> Response:
        return await send_file(STYLE_SHEET)

    async def launch(self) -> str:
        """A form that the browser posts to the tool: signed now, since it is valid for minutes only."""
        person, fault = request.args.get("person", ""), request.args.get("fault", "")
        if person not in PEOPLE or fault not in {"", *FAULTS}:
            abort(404)
        form = self._course.launch(person, fault)
        return await render_template("launching.html", url=form.url, fields=form.fields)

    async def gradebook(self) -> str:
        return await render_template("gradebook.html", people=PEOPLE, grades=self._book.grades)

    async def outcomes(self) -> Any:
        """The address for grades, which the tool calls."""
        answer = await self._service.respond(request)
        return await make_response(answer.body, answer.status_code, dict(answer.headers))
