"""What every store must do with nonces (RFC 5849 section 3.3)."""

from __future__ import annotations

import asyncio
from typing import Any

from async_oauth1.policy import Policy
from async_oauth1.testing.clock import Clock

from .running import NOW, Conformance, check, fail

__all__ = ["Nonces"]

SECONDS = str(NOW)
#: What a store might join the parts of its key with.
SEPARATORS = ("-", ":", "|", "/", " ", "\x1f", '", "', "\\", "&", "é")
COPIES = 200


class Nonces(Conformance):
    """Nonces: accepted once, by all callers together, as long as their timestamp may be accepted."""

    def test_a_nonce_is_new_once(self) -> None:
        """The first use of a nonce is new, and each later one is known."""

        async def case(store: Any, _clock: Clock) -> None:
            answers = [await store.exists_nonce("kllo9940pd9333jh", SECONDS, "client", "token") for _ in range(3)]
            check(answers == [False, True, True], f"exists_nonce answered {answers} to three uses of one nonce.")

        self.run_case(case)

    def test_each_part_of_the_key_counts(self) -> None:
        """A different nonce, timestamp, client or token makes the nonce new."""

        async def case(store: Any, _clock: Clock) -> None:
            parts = ("nonce", SECONDS, "client", "token")
            await store.exists_nonce(*parts)
            for place, other in ((0, "nonce2"), (1, str(NOW + 1)), (2, "client2"), (3, "token2"), (3, None)):
                changed = (*parts[:place], other, *parts[place + 1 :])
                known = await store.exists_nonce(*changed)
                check(known is False, f"exists_nonce took {changed} for {parts}.")

        self.run_case(case)

    def test_absent_and_empty_token_are_the_same(self) -> None:
        """An empty oauth_token counts as none, so it does not bypass the check."""

        async def case(store: Any, _clock: Clock) -> None:
            await store.exists_nonce("nonce", SECONDS, "client", None)
            known = await store.exists_nonce("nonce", SECONDS, "client", "")
            check(known is True, "exists_nonce tells an empty token from none, so a request can be replayed.")

        self.run_case(case)

    def test_parts_are_never_confused(self) -> None:
        """Values that contain separators do not make the nonces of two clients collide."""

        async def case(store: Any, _clock: Clock) -> None:
            for part in SEPARATORS:
                for nonce, client, token in (
                    ("n", "client", f"tok{part}a"),
                    ("n", f"client{part}tok", "a"),
                    (f"a{part}n", "client", "tok"),
                    (f"n{part}client", "tok", "a"),
                ):
                    known = await store.exists_nonce(nonce, SECONDS, client, token)
                    check(known is False, f"exists_nonce confuses its parts if one of them contains {part!r}.")

        self.run_case(case)

    def test_of_two_hundred_copies_one_is_new(self) -> None:
        """Of two hundred concurrent copies of one request, exactly one is new."""

        async def case(store: Any, _clock: Clock) -> None:
            for number in range(3):
                copies = (store.exists_nonce(f"n{number}", SECONDS, "client", "token") for _ in range(COPIES))
                new = (await asyncio.gather(*copies)).count(False)
                check(new == 1, f"exists_nonce accepted {new} of {COPIES} concurrent copies of one nonce.")

        self.run_case(case)

    def test_many_different_nonces_at_once(self) -> None:
        """A thousand different nonces are all new at first, and all known the second time."""

        async def case(store: Any, _clock: Clock) -> None:
            for known in (False, True):
                asked = (store.exists_nonce(f"nonce{number}", SECONDS, "client", "token") for number in range(1000))
                answers = await asyncio.gather(*asked)
                check(set(answers) == {known}, f"exists_nonce did not answer {known} to each of 1000 different nonces.")

        self.run_case(case)

    def test_cancelled_callers_do_not_affect_others(self) -> None:
        """If a client disconnects, the other callers get their answers, and no nonce is accepted twice."""

        async def case(store: Any, _clock: Clock) -> None:
            asked = [
                asyncio.create_task(store.exists_nonce(f"nonce{number // 2}", SECONDS, "client", "token"))
                for number in range(40)
            ]
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            for task in asked[::2]:
                task.cancel()
            answers = await asyncio.gather(*asked, return_exceptions=True)
            for gone, stayed in zip(answers[::2], answers[1::2], strict=True):
                left = isinstance(gone, asyncio.CancelledError) and stayed in (True, False)
                check(left or {gone, stayed} == {True, False}, f"A cancelled caller changed an answer to {stayed!r}.")
            known = await store.exists_nonce("nonce0", SECONDS, "client", "token")
            check(known is True, "exists_nonce forgot a nonce whose caller was cancelled.")

        self.run_case(case)

    def test_a_nonce_lives_as_long_as_its_timestamp_may_be_accepted(self) -> None:
        """A nonce is known during its lifetime, and refused afterwards, since the store may have removed it."""

        async def case(store: Any, clock: Clock) -> None:
            await store.exists_nonce("nonce", SECONDS, "client", "token")
            clock.advance(Policy().nonce_lifetime - 1)
            known = await store.exists_nonce("nonce", SECONDS, "client", "token")
            check(known is True, "exists_nonce forgot a nonce within nonce_lifetime.")
            clock.advance(2)
            for nonce in ("nonce", "other"):
                known = await store.exists_nonce(nonce, SECONDS, "client", "token")
                check(known is True, "exists_nonce accepted a timestamp that is older than nonce_lifetime.")
            new = await store.exists_nonce("nonce", str(int(clock())), "client", "token")
            check(new is False, "exists_nonce refused a new nonce after another one had expired.")

        self.run_case(case)

    def test_the_longest_window_counts(self) -> None:
        """If several servers share a store, it uses the longest window, in any order of registration."""

        async def case(store: Any, clock: Clock) -> None:
            store.prepare(Policy(timestamp_window=1000))
            store.prepare(Policy(timestamp_window=10))
            await store.exists_nonce("nonce", SECONDS, "client", "token")
            clock.advance(1999)
            known = await store.exists_nonce("nonce", SECONDS, "client", "token")
            check(known is True, "prepare made the lifetime of nonces shorter than another server needs.")

        self.run_case(case)

    def test_text_that_cannot_be_stored_is_refused(self) -> None:
        """A NUL or a lone surrogate in a nonce is a ValueError."""

        async def case(store: Any, _clock: Clock) -> None:
            for bad in ("a\0b", "\ud800"):
                for parts in ((bad, SECONDS, "c", "t"), ("n", SECONDS, bad, "t"), ("n", SECONDS, "c", bad)):
                    try:
                        answer = await store.exists_nonce(*parts)
                    except ValueError:
                        continue
                    fail(f"exists_nonce answered {answer} to {bad!r}, which it cannot keep: raise ValueError.")

        self.run_case(case)
