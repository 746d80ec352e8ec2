"""What PostgreSQL's and asyncpg's errors mean, in words for the operator."""

from __future__ import annotations

import asyncpg

from async_oauth1.errors import StoreError
from async_oauth1.stores.health.tls import tls_problem, unreadable_file

from .connection import ADVICE, unknown_statement
from .url import PostgresSettings

__all__ = ["DATA_ERRORS", "cause_without_secrets", "line_of", "opening_error"]

#: A value cannot be stored or compared: the encoding lacks a character, a text is too long, or asyncpg cannot send the
#: value. asyncpg's messages show the value, so they are not logged.
DATA_ERRORS = (asyncpg.DataError, asyncpg.ProgramLimitExceededError)


def opening_error(settings: PostgresSettings, error: BaseException) -> StoreError:
    """The error for a server to which no connection could be made."""
    if cause_without_secrets(error) is None:
        return StoreError(f"{settings.url}: is not a URL that libpq understands")
    return StoreError(f"{settings.url}: {unreadable_file(settings.files) or line_of(error)}")


def cause_without_secrets(error: BaseException) -> BaseException | None:
    """The error; ``None`` for a `ValueError` of asyncpg about the URL: its message may show a part of the password."""
    is_about_url = isinstance(error, ValueError) and not isinstance(error, OSError)  # OpenSSL's errors are both
    return None if is_about_url else error


def line_of(error: BaseException) -> str:
    """What is wrong, as one line for the operator, without values."""
    if isinstance(error, TimeoutError):
        return "does not answer in time"
    if isinstance(error, unknown_statement):
        return ADVICE
    if isinstance(error, DATA_ERRORS):
        return f"refuses a value ({type(error).__name__})"
    if problem := tls_problem(error):
        return problem
    # Not the error's details, which show the values of a row: "Failing row contains (...)".
    text = str(error.args[0]) if isinstance(error, asyncpg.PostgresError) and error.args else str(error)
    return " ".join(text.split()) or type(error).__name__
