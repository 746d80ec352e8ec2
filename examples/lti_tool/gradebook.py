"""The gradebook of the course, and the service that tools send grades to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from async_oauth1 import Client
from async_oauth1.lti import OutcomeService
from async_oauth1.stores import MemoryStore

from .launches import LINK, PEOPLE
from .settings import KEY

__all__ = ["Gradebook", "outcome_service"]


@dataclass
class Gradebook:
    """The grades of the learners.

    Attributes:
        grades: from 0 to 1, by person.
    """

    grades: dict[str, float] = field(default_factory=dict)

    def _person_of(self, sourcedid: str) -> str | None:
        link, _, person = sourcedid.partition(":")
        return person if link == LINK and person in PEOPLE and PEOPLE[person].role == "Learner" else None

    async def replace(self, consumer: Client, sourcedid: str, score: float) -> bool:
        """Enter a grade; ``False`` if no such learner has this link."""
        person = self._person_of(sourcedid)
        if person is not None:
            self.grades[person] = score
        return person is not None

    async def read(self, consumer: Client, sourcedid: str) -> Any:
        """The grade, ``None`` if there is none, ``False`` if no such learner has this link."""
        person = self._person_of(sourcedid)
        return False if person is None else self.grades.get(person)

    async def delete(self, consumer: Client, sourcedid: str) -> bool:
        """Take the grade out; ``False`` if no such learner has this link."""
        person = self._person_of(sourcedid)
        if person is not None:
            self.grades.pop(person, None)
        return person is not None


def outcome_service(book: Gradebook, secret: str) -> OutcomeService:
    """The service; only the course's key may send grades."""
    known = {KEY: Client(client_id=KEY, client_secret=secret)}
    return OutcomeService(
        known.get, MemoryStore().exists_nonce, replace=book.replace, read=book.read, delete=book.delete
    )
