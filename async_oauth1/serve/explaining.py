"""Explains recorded requests after their answers have been sent, one after the other, in slices between other work."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace

from async_oauth1.credentials import Client
from async_oauth1.explain import Cause, Explanation, Secrets, WireRequest, explain_in_steps
from async_oauth1.explain.changes import key_of
from async_oauth1.explain.plan import plan_of
from async_oauth1.explain.texts import shown
from async_oauth1.policy import Policy
from async_oauth1.stores import Store

from .records import RecordedRequest, Records
from .secrecy import Issued, IssuedToken, private_values

__all__ = ["Explainer", "Known"]

log = logging.getLogger("async_oauth1.serve")

#: Requests that wait for their explanation; further ones get none.
LONGEST_QUEUE = 200


@dataclass(frozen=True, slots=True)
class Known:
    """What the provider knows of the credentials that a request names.

    Attributes:
        client: the client, if there is one.
        token: the token, if one was named and there is one.
        secrets: of both.
    """

    client: Client | None
    token: IssuedToken | None
    secrets: Secrets


@dataclass(frozen=True, slots=True)
class _Job:
    number: int
    record: RecordedRequest
    wire: WireRequest
    known: Known


class Explainer:
    """Looks up what a request names, and explains requests in the background."""

    def __init__(self, store: Store, issued: Issued, policy: Policy, records: Records) -> None:
        """Make an explainer; `run` starts it.

        Args:
            store: has the clients.
            issued: has the tokens of this provider, also those that have ended.
            policy: of the provider.
            records: the explained requests are added there.
        """
        self._store, self._issued, self._policy, self._records = store, issued, policy, records
        self._jobs: asyncio.Queue[_Job] = asyncio.Queue(LONGEST_QUEUE)

    async def known(self, wire: WireRequest) -> Known:
        """Look up the credentials that a request names.

        Raises:
            StoreUnavailableError: the store does not answer.
        """
        sent = wire.protocol
        client_id, oauth_token = sent.get("oauth_consumer_key", ""), sent.get("oauth_token", "")
        client = await self._store.query_client(client_id) if client_id else None
        token = self._issued.find(oauth_token)
        if token is None and oauth_token and (found := await self._store.query_token(client_id, oauth_token)):
            token = IssuedToken(found.oauth_token_secret, found.client_id, is_temporary=False)
        secrets = Secrets(
            client_secrets=client.get_client_secrets() if client else (),
            token_secret=token.secret if token else "",
            rsa_public_key=client.rsa_public_key if client else None,
            temporary_secret=token.temporary_secret if token else None,
        )
        return Known(client, token, secrets)

    def base_string(self, wire: WireRequest, known: Known) -> str:
        """The base string as this provider builds it; empty if the request cannot be read. Secrets are not masked."""
        return shown(plan_of(wire, key_of(wire, known.secrets)).base_string) if wire.is_readable else ""

    def put(self, number: int, record: RecordedRequest, wire: WireRequest, known: Known | None) -> None:
        """Complete a record, with its explanation if it has a signature that can be explained."""
        if known is None or not record.client_id:
            self._records.complete(number, record)
            return
        try:
            self._jobs.put_nowait(_Job(number, record, wire, known))
        except asyncio.QueueFull:
            self._records.complete(number, record)

    async def run(self) -> None:
        """Explain what is put here, until cancelled."""
        while True:
            job = await self._jobs.get()
            record = job.record
            try:
                record = replace(record, explanation=await self._explanation(job))
            except Exception:  # a defect of `explain`: the requests that wait are explained all the same
                log.exception("Request %d could not be explained.", job.number)
            finally:
                self._records.complete(job.number, record)

    async def _explanation(self, job: _Job) -> Explanation:
        client = job.known.client
        methods = (client.get_signature_methods() if client else None) or self._policy.signature_methods
        policy = replace(self._policy, signature_methods=methods)
        steps = explain_in_steps(job.wire, job.known.secrets, policy=policy, now=job.record.at)
        explanation = await _in_slices(steps)
        return self._masked(_with_credentials(explanation, tuple(_credentials(job))), job.wire)

    def _masked(self, explanation: Explanation, wire: WireRequest) -> Explanation:
        mask = self._issued.masker(*private_values(wire))
        return replace(
            explanation,
            causes=tuple(replace(one, text=mask(one.text), fix=mask(one.fix)) for one in explanation.causes),
            base_string=mask(explanation.base_string),
            signed=None if explanation.signed is None else mask(explanation.signed),
        )


async def _in_slices(steps: Generator[None, None, Explanation]) -> Explanation:
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            explanation: Explanation = stop.value
            return explanation
        await asyncio.sleep(0)


def _with_credentials(explanation: Explanation, causes: tuple[Cause, ...]) -> Explanation:
    return replace(explanation, verifies=False, causes=(*causes, *explanation.causes)) if causes else explanation


def _credentials(job: _Job) -> Iterator[Cause]:
    """What is wrong with the credentials that a refused request names."""
    sent, known = job.wire.protocol, job.known
    client_id, oauth_token = sent.get("oauth_consumer_key", ""), sent.get("oauth_token", "")
    if job.record.accepted:
        return
    if known.client is None:
        text = f"There is no client {client_id[:80]!r}."
        yield Cause("credentials", text, "Use the client that the provider printed at its start.")
    elif oauth_token and known.token is None:
        text = f"There is no token {oauth_token[:80]!r}."
        yield Cause("credentials", text, "Get a new token; a provider in memory forgets its tokens when it ends.")
    elif known.token is not None and known.token.client_id != client_id:
        yield Cause("credentials", "The token belongs to another client.", "Use a token of this client.")
    elif known.token is not None and known.token.is_temporary and job.record.error == "invalid_token":
        text = "The token is a temporary credential that cannot be used here, or was exchanged before."
        yield Cause("credentials", text, "Exchange it once, and use the token credential that the exchange returns.")
