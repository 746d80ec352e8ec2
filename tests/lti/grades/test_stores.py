"""A launch and its grade, with two workers over the stores that they share."""

from __future__ import annotations

import asyncio
import time
from types import SimpleNamespace
from typing import Any

import pytest

from async_oauth1 import Client
from async_oauth1.lti import LTITool, OutcomeService, outcomes, sign_launch
from async_oauth1.stores import open_store
from tests.lti.consumer import BASIC, posted
from tests.lti.test_stores import url, valkey  # noqa: F401 - fixtures

from .service import KEY, SECRET, URL
from .service import posted as arrived

CONSUMER = Client(client_id=KEY, client_secret=SECRET)


class Workers:
    """Two tools, and two outcome services, each pair with one store; requests go to them by turns."""

    def __init__(self, stores: list[Any]) -> None:
        self.grades: dict[str, float] = {}
        self.tools = [LTITool(self._query) for _ in stores]
        hooks: Any = {"replace": self._replace, "read": lambda _, sourcedid: self.grades.get(sourcedid)}
        self.services = [OutcomeService(self._query, **hooks) for _ in stores]
        for number, store in enumerate(stores):
            self.tools[number].register_hooks(store)
            self.services[number].register_hooks(store)
        self.requests: list[Any] = []

    def _query(self, key: str) -> Client | None:
        return CONSUMER if key == KEY else None

    def _replace(self, consumer: Any, sourcedid: str, score: float) -> None:
        self.grades[sourcedid] = score

    async def post(self, url: str, *, content: bytes, headers: dict[str, str]) -> SimpleNamespace:  # noqa: F811
        """Send a request to one service, and the same one to the other afterwards."""
        request = arrived(content, headers, url)
        answers = [await service.respond(request) for service in self.services]
        self.requests.append([answer.status_code for answer in answers])
        return SimpleNamespace(status_code=answers[0].status_code, content=answers[0].body.encode())


@pytest.mark.parametrize("kind", ["postgres", "valkey"])
async def test_the_whole_flow(kind: str, url: str) -> None:  # noqa: F811
    """One of twenty copies of a launch is accepted, and each grade counts once, whichever worker is asked."""
    async with open_store(url) as first, open_store(url) as second:
        workers = Workers([first, second])
        graded = {**BASIC, "lis_outcome_service_url": URL, "lis_result_sourcedid": "grade-1"}
        fields = sign_launch("https://tool.example/launch", graded, KEY, SECRET, now=time.time())
        attempts = (workers.tools[number % 2].verify_launch(posted(fields)) for number in range(20))
        results = await asyncio.gather(*attempts, return_exceptions=True)
        (launch,) = [one for one in results if not isinstance(one, BaseException)]
        await outcomes.replace_result(launch, 0.92, http=workers)
        assert await outcomes.read_result(launch, http=workers) == 0.92
    assert workers.grades == {"grade-1": 0.92}
    assert workers.requests == [[200, 401], [200, 401]]
