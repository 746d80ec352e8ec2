"""Sending the grade of a session to the course's gradebook."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx2

from async_oauth1.lti import OutcomeError, OutcomeUnclearError
from async_oauth1.lti.outcomes import replace_result

from .sessions import Session

__all__ = ["send_grade"]

#: Seconds for the course to answer.
TIMEOUT = 10


async def send_grade(session: Session, percent: str, query_consumer: Callable[[str], Any]) -> None:
    """Send a grade, and note in the session what became of it.

    Args:
        session: of the learner.
        percent: what was entered.
        query_consumer: returns the consumer, whose secret signs the grade.
    """
    score, outcome = _score(percent), session.launch.outcome
    if outcome is None:
        session.note = "The course takes no grade for this launch."
    elif score is None:
        session.note = "Not sent: a grade is a number from 0 to 100."
    else:
        session.note = await _sent(outcome, score, query_consumer)
        session.score = score


async def _sent(outcome: Any, score: float, query_consumer: Callable[[str], Any]) -> str:
    try:
        async with httpx2.AsyncClient(timeout=TIMEOUT) as http:
            await replace_result(outcome, score, http=http, query_consumer=query_consumer)
    except OutcomeUnclearError:
        return "The course did not say whether it has the grade. Look into the gradebook before you send it again."
    except OutcomeError as error:
        return f"The course did not take the grade. {error}"
    except LookupError:
        return "Not sent: the course is not registered any more."
    return f"Sent: {score * 100:g} %. It is in the gradebook."


def _score(percent: str) -> float | None:
    try:
        score = float(percent) / 100
    except ValueError:
        return None
    return score if 0 <= score <= 1 else None
