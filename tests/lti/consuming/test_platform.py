"""The platform that tools are tested with, and its fixture."""

from __future__ import annotations

import html
import re
from typing import Any

import httpx
import pytest
from lti import OutcomeRequest
from quart import Quart, request

from async_oauth1.lti import LTITool, outcomes
from async_oauth1.stores import MemoryStore
from async_oauth1.testing import LTIPlatform
from tests.lti.consumer import posted
from tests.testing.test_fixture import arguments

pytest_plugins = ["pytester"]

TEST = """
import asyncio
import httpx
import pytest
from quart import Quart, request
from async_oauth1.lti import LTITool, outcomes
from async_oauth1.stores import MemoryStore

def tool_for(platform):
    app, tool = Quart(__name__), LTITool(platform.query_consumer, MemoryStore().exists_nonce)

    @app.post("/launch")
    async def launch():
        launch = await tool.verify_launch(request)
        async with httpx.AsyncClient() as http:
            if launch.is_learner:
                await outcomes.replace_result(launch, 0.92, http=http)
        return "teaches" if launch.is_instructor else "learns"

    return app.test_client()

@pytest.mark.parametrize("role, text", [("Learner", "learns"), ("Instructor", "teaches")])
def test_grade(lti_platform, role, text):
    form = lti_platform.launch(role=role)

    async def post():
        response = await tool_for(lti_platform).post("/launch", form=form.fields)
        assert await response.get_data(as_text=True) == text

    asyncio.run(post())
    grades = {("learner-1", "link-1"): 0.92} if role == "Learner" else {}
    assert lti_platform.gradebook == grades, lti_platform.answers[-1]

@pytest.mark.lti_platform(tool_url="https://tool.example/launch", key="course")
def test_options(lti_platform):
    form = lti_platform.launch()
    assert (form.url, form.fields["oauth_consumer_key"]) == ("https://tool.example/launch", "course")
"""


def test_a_small_project(pytester: pytest.Pytester) -> None:
    """The fixture works with warnings as errors, and without this project's own plugins."""
    pytester.makepyfile(TEST)
    pytester.runpytest_subprocess(*arguments()).assert_outcomes(passed=3)


def tool_of(platform: LTIPlatform) -> LTITool:
    """A tool that knows the platform."""
    return LTITool(platform.query_consumer, MemoryStore().exists_nonce)


async def test_roles_and_parameters(lti_platform: LTIPlatform) -> None:
    """Instructors have no grade; parameters are added, replaced and left out."""
    tool = tool_of(lti_platform)
    url = "http://127.0.0.1/launch?a=1"
    form = lti_platform.launch("Instructor", url=url, custom_page="3", context_title="Dürer\nSöhne", context_id=None)
    launch = await tool.verify_launch(posted(form.fields, url, peer=None))
    assert (launch.is_instructor, launch.outcome, launch.context_id) == (True, None, None)
    assert (launch.custom, launch.context_title) == ({"page": "3"}, "Dürer\r\nSöhne")


async def test_the_gradebook(lti_platform: LTIPlatform) -> None:
    """Each user has one grade for each link, whichever launch it belongs to."""
    tool = tool_of(lti_platform)
    async with httpx.AsyncClient() as http:
        for user, link, score in (("a", "1", 0.1), ("a", "2", 0.2), ("b", "1", 0.3), ("a", "1", 0.4)):
            form = lti_platform.launch(user=user, link=link)
            launch = await tool.verify_launch(posted(form.fields, form.url, peer=None))
            await outcomes.replace_result(launch, score, http=http)
            assert await outcomes.read_result(launch, http=http) == score
        assert lti_platform.gradebook == {("a", "1"): 0.4, ("a", "2"): 0.2, ("b", "1"): 0.3}
        await outcomes.delete_result(launch, http=http)
        assert await outcomes.read_result(launch, http=http) is None
        page = (await http.get(lti_platform.url)).text
    assert "<td>b</td><td>1</td><td>0.3</td>" in page
    assert len(lti_platform.answers) == 10


async def test_the_page_launches(lti_platform: LTIPlatform) -> None:
    """What its form would post is a launch that verifies."""
    async with httpx.AsyncClient() as http:
        page = (await http.get(f"{lti_platform.url}/launch?role=Learner&user=%22%3E%C3%B6")).text
        assert (await http.get(f"{lti_platform.url}/other")).status_code == 404
    found = re.findall(r'name="([^"]*)" value="([^"]*)"', page)
    fields = {html.unescape(name): html.unescape(value) for name, value in found}
    launch = await tool_of(lti_platform).verify_launch(posted(fields, lti_platform.tool_url, peer=None))
    assert launch.user_id == '">ö'


def test_by_the_package_lti(lti_platform: LTIPlatform) -> None:
    """Its requests are verified, over HTTP."""
    fields = lti_platform.launch().fields
    names = ("lis_outcome_service_url", "lis_result_sourcedid")
    options: dict[str, Any] = {name: fields[name] for name in names}
    options |= {"consumer_key": lti_platform.key, "consumer_secret": lti_platform.secret}
    answer = OutcomeRequest({**options, "message_identifier": "1"}).post_replace_result(0.5)
    assert (answer.is_success(), answer.message_ref_identifier) == (True, "1")
    assert lti_platform.gradebook == {("learner-1", "link-1"): 0.5}


async def test_quart_bounds_what_it_reads(lti_platform: LTIPlatform) -> None:
    """A service in an application answers a huge body, and one that is not signed."""
    app = Quart(__name__)

    @app.post("/outcomes")
    async def grade() -> Any:
        answer = await lti_platform._service.respond(request)
        return answer.body, answer.status_code, answer.headers

    client = app.test_client()
    huge = await client.post("/outcomes", data=b" " * 1_000_000)
    assert huge.status_code == 400
    assert b"imsx_POXEnvelopeResponse" in await huge.get_data()
    small = await client.post("/outcomes", data=b"<a/>", headers={"Content-Type": "text/xml"})
    assert small.status_code == 401
