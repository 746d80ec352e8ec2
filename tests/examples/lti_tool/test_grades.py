"""The example of a learning tool: grades, in one process and with two workers over PostgreSQL and Redis."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator

import pytest
import requests

from async_oauth1.stores import Store, open_store
from tests.examples.running import PATIENCE
from tests.servers import Postgres, Valkey

from .demo import Demo, fields, lti_demo


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    """The tool and the course."""
    with lti_demo() as running:
        yield running


@pytest.fixture(scope="module")
def valkey() -> Iterator[Valkey]:
    """A Valkey server."""
    server = Valkey()
    yield server
    server.close()


def gradebook(demo: Demo) -> dict[str, str]:
    """The grades that the course shows."""
    page = requests.get(f"{demo.course}/gradebook", timeout=PATIENCE).text
    return dict(re.findall(r'<tr><th scope="row">([^<]*)</th><td>([^<]*)</td></tr>', page))


def opened(demo: Demo, person: str) -> requests.Response:
    """The page of an activity, without cookies."""
    return requests.post(f"{demo.tool}/open", data=fields(demo.launch(person).text), timeout=PATIENCE)


def graded(demo: Demo, page: requests.Response, percent: str) -> str:
    """The page after a grade was sent."""
    data = [*fields(page.text), ("percent", percent)]
    return requests.post(f"{demo.tool}/grade", data=data, timeout=PATIENCE).text


def test_a_grade_arrives(demo: Demo) -> None:
    """The course's gradebook has the grade of this learner alone; a second one replaces it."""
    page = opened(demo, "jane")
    for percent in ("92.5", "0.001", "100"):
        assert f"Sent: {percent} %" in graded(demo, page, percent)
        assert gradebook(demo) == {"Jane Doe": f"{percent} %", "Omar Haddad": "none yet"}


@pytest.mark.parametrize("percent", ["", "101", "-1", "nan", "inf", "ninety", "1e400"])
def test_what_is_no_grade(percent: str, demo: Demo) -> None:
    """It is not sent, and the page says what a grade is."""
    before = gradebook(demo)
    assert "a grade is a number from 0 to 100" in graded(demo, opened(demo, "omar"), percent)
    assert gradebook(demo) == before


def test_a_launch_that_takes_no_grade(demo: Demo) -> None:
    """An instructor's page has no form, and a grade that is posted nevertheless is not sent."""
    page = opened(demo, "ahn")
    assert "takes no grade" in page.text
    assert "takes no grade" in graded(demo, page, "50")


def test_a_forged_grade(demo: Demo) -> None:
    """The course takes no grade that is not signed."""
    before = gradebook(demo)
    answer = requests.post(
        f"{demo.course}/outcomes", data="<x/>", headers={"Content-Type": "application/xml"}, timeout=PATIENCE
    )
    assert answer.status_code == 401
    assert gradebook(demo) == before


def empty(server: Postgres) -> str:
    """The URL of a database with empty tables."""
    server.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    store = open_store(server.url)
    assert isinstance(store, Store)
    asyncio.run(store.migrate())
    return server.url


def test_two_workers(postgres: Postgres, valkey: Valkey) -> None:
    """Each step is answered by the other worker: the launch, the session, the grade; no launch or code works twice."""
    shared = ("--store", empty(postgres), "--redis", valkey.url)
    with lti_demo(*shared) as one, lti_demo(*shared, "--tool-only", "--public-url", one.tool) as two:
        workers = [one.tool, f"http://127.0.0.1:{two.port}"]
        _, form = one.form("omar")
        launched = [requests.post(f"{worker}/launch", data=form, timeout=PATIENCE) for worker in reversed(workers)]
        assert [answer.status_code for answer in launched] == [200, 401]
        code = fields(launched[0].text)
        pages = [requests.post(f"{worker}/open", data=code, timeout=PATIENCE) for worker in workers]
        assert [page.status_code for page in pages] == [200, 403]
        data = [*fields(pages[0].text), ("percent", "75")]
        assert "Sent: 75 %" in requests.post(f"{workers[1]}/grade", data=data, timeout=PATIENCE).text
        assert gradebook(one)["Omar Haddad"] == "75 %"


def test_redis_is_down() -> None:
    """Launches and sessions are refused with 503 and a page, until it is there again."""
    server = Valkey()
    with lti_demo("--redis", server.url) as demo:
        code = fields(demo.launch().text)
        server.kill()
        for answer in (demo.launch(), requests.post(f"{demo.tool}/open", data=code, timeout=PATIENCE)):
            assert answer.status_code == 503
            assert "try again" in answer.text
        server.start()
        assert demo.launch().status_code == 200
    server.close()
