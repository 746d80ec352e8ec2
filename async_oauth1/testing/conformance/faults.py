"""A store that does not answer must say so: no answer may let a request pass."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import Any

from async_oauth1.errors import StoreUnavailableError
from async_oauth1.stores import Store
from async_oauth1.testing.clock import Clock

from .pending import approved
from .running import CLIENT, NOW, TOKEN, Conformance, fail

__all__ = ["Faults"]


class Faults(Conformance):
    """Faults: every question to a store that has lost its server is a `StoreUnavailableError`."""

    def cut(self, store: Any) -> bool | Awaitable[bool]:
        """Take the server of an open store away; a plain method or a coroutine. Override it with `mend`.

        Returns:
            Whether it was taken away; ``False`` if there is nothing to take away, and the test is skipped.
        """
        return False

    def mend(self, store: Any) -> Awaitable[None] | None:
        """Give the server back."""

    def test_faults_fail_closed(self) -> None:
        """Without its server, the store answers neither "new", "unknown" nor "taken"; afterwards it works again."""

        async def case(store: Any, _clock: Clock) -> None:
            made = await approved(store)
            if not await _result(self.cut(store.store)):
                import pytest

                pytest.skip("cut() takes nothing away: whether faults fail closed was not tried.")
            try:
                await _refuses(_questions(store, made))
            finally:
                await _result(self.mend(store.store))

        self.run_case(case)


def _questions(store: Any, made: Any) -> dict[str, Callable[[], Awaitable[Any]]]:
    questions: dict[str, Callable[[], Awaitable[Any]]] = {
        "exists_nonce": lambda: store.exists_nonce("fault", str(NOW), "client", "token"),
        "get_temporary_credential": lambda: store.get_temporary_credential(made.oauth_token),
        "delete_temporary_credential": lambda: store.delete_temporary_credential(made.oauth_token),
        "create_authorization_verifier": lambda: store.create_authorization_verifier(made, "mallory", "v"),
        "count_wrong_verifier": lambda: store.count_wrong_verifier(made.oauth_token),
        "ping": store.ping,
    }
    if isinstance(store.store, Store):
        questions |= {
            "query_client": lambda: store.query_client(CLIENT.client_id),
            "query_token": lambda: store.query_token(CLIENT.client_id, "token"),
            "exchange": lambda: store.exchange(made, TOKEN),
        }
    return questions


async def _refuses(questions: dict[str, Callable[[], Awaitable[Any]]]) -> None:
    for name, ask in questions.items():
        try:
            answer = await ask()
        except StoreUnavailableError:
            continue
        except AssertionError:
            raise
        except Exception as error:  # of the store under test
            raise AssertionError(f"{name} without a server raised {type(error).__name__}, which is a 500.") from error
        fail(f"{name} without a server answered {type(answer).__name__}: raise StoreUnavailableError.")


async def _result(value: Any) -> Any:
    waits: bool = isawaitable(value)
    return await value if waits else value
