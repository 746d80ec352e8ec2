"""Several processes on one store: of their callers together, one succeeds."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import inspect
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from async_oauth1.stores import Store, TransientStore
from async_oauth1.testing.clock import Clock

from .pending import approved
from .running import Conformance, check

__all__ = ["Processes"]

PROCESSES = 4
COPIES = 50
_PROGRAM = """
import json, sys
sys.path[:0] = json.loads(sys.argv[1])
from async_oauth1.testing.conformance.processes import race
race(sys.argv[2:])
"""
_FAR = "4000000000"
Reopen = tuple[Callable[..., TransientStore], Sequence[str]]


class Processes(Conformance):
    """Several processes that share the store."""

    def reopen(self) -> Reopen | None:
        """How another process opens the store that `make_store` has made. Override it if ``store.shared`` is true.

        Returns:
            A function of a module, and its arguments; such as ``(open_store, [url])``.
        """
        return None

    def test_several_processes_share_a_store(self) -> None:
        """Of two hundred callers in four processes, one nonce is new, one take and one exchange succeeds."""

        async def case(store: Any, _clock: Clock) -> None:
            if not store.shared:
                return
            reopen = self.reopen()
            if reopen is None:
                raise AssertionError("store.shared is true: define reopen(), so that several processes can try it.")
            for name in ("take", "exchange"):
                await approved(store, name)
            counts = await asyncio.to_thread(_race, reopen, self.call_timeout)
            for what, count in counts._asdict().items():
                check(count == 1, f"Of 200 callers in {PROCESSES} processes, {count} succeeded with one {what}.")

        self.run_case(case, now=time.time())  # the other processes have no other clock


class Counts(NamedTuple):
    """How many callers succeeded."""

    nonce: int
    take: int
    exchange: int


def _race(reopen: Reopen, timeout: float) -> Counts:
    function, arguments = reopen
    where = [function.__module__, inspect.getfile(function), function.__qualname__, *arguments]
    command = [sys.executable, "-c", _PROGRAM, json.dumps(sys.path), *where]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    processes = [
        subprocess.Popen(command, text=True, **pipes)  # noqa: S603 - this interpreter, and what the test passes
        for _ in range(PROCESSES)
    ]
    try:
        for process in processes:
            if process.stdout and process.stdout.readline() != "ready\n":
                raise AssertionError(_why(process, timeout))
        for process in processes:
            if process.stdin:
                process.stdin.write("go\n")
                process.stdin.flush()
        outcomes = [process.communicate(timeout=3 * timeout)[0] for process in processes]
        return Counts(*(sum(counts) for counts in zip(*map(json.loads, outcomes), strict=True)))
    except subprocess.TimeoutExpired:
        raise AssertionError("Of several processes that use the store at once, one did not return.") from None
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def _why(process: subprocess.Popen[str], timeout: float) -> str:
    with suppress(subprocess.TimeoutExpired):
        said = process.communicate(timeout=timeout)[1].strip().splitlines()
        return f"Another process cannot open the store: {said[-1] if said else 'it said nothing'}"
    return "Another process cannot open the store."


def race(where: Sequence[str]) -> None:
    """The part of one process: open the store, and at a line of standard input use what others use as well."""
    module, path, name, *arguments = where
    try:
        function: Any = importlib.import_module(module)
    except ModuleNotFoundError:
        spec = importlib.util.spec_from_file_location(module, path)
        if spec is None or spec.loader is None:
            raise
        function = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(function)
    for part in name.split("."):
        function = getattr(function, part)
    print(json.dumps(asyncio.run(_use(function(*arguments)))))  # noqa: T201 - read by `_race`


async def _use(store: Any) -> list[int]:
    async with store:
        print("ready", flush=True)  # noqa: T201 - read by `_race`
        await asyncio.to_thread(sys.stdin.readline)
        credential = await store.get_temporary_credential("exchange")
        nonces, takes, exchanges = await asyncio.gather(
            asyncio.gather(*(store.exists_nonce("n", _FAR, "c", "t") for _ in range(COPIES))),
            asyncio.gather(*(store.delete_temporary_credential("take") for _ in range(COPIES))),
            asyncio.gather(*(_exchange(store, credential, copy) for copy in range(COPIES))),
        )
        return [nonces.count(False), takes.count(True), sum(map(bool, exchanges))]


async def _exchange(store: Any, credential: Any, copy: int) -> object:
    if not isinstance(store, Store):
        return await store.delete_temporary_credential("exchange")
    from os import getpid

    token = {"oauth_token": f"{getpid()}-{copy}", "oauth_token_secret": "s"}
    return credential and await store.exchange(credential, token)
