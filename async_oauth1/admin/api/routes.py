"""What the API does at each path. Paths and methods are those of Ory Hydra's admin API, if it has them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias
from urllib.parse import quote

from async_oauth1.admin.descriptions import describe_client, describe_event, describe_token
from async_oauth1.admin.operations import Operations
from async_oauth1.credentials import Client
from async_oauth1.errors import OAuth1Error
from async_oauth1.provider.responses import OAuth1Response
from async_oauth1.stores import Page

from .bodies import JSON_PATCH, MERGE_PATCH, read_json
from .calls import PAGE_PARAMETERS, Call, answer, paged
from .documents import (
    changes_between,
    client_from,
    invalid,
    typed_members,
)
from .patching import merge_patched, patched
from .problems import ProblemError

__all__ = ["ID", "Handler", "Routes"]

Handler: TypeAlias = Callable[[Call], Awaitable[OAuth1Response]]
#: Stands for an identifier in a path.
ID = "{id}"
#: Seconds for which a former secret verifies if the request does not say it.
_OVERLAP = 86_400
_MAX_OVERLAP = 10 * 365 * 86_400


class Routes:
    """The handlers.

    Attributes:
        by_path: the handlers of each path by method, each with the parameters that its query may have.
    """

    def __init__(self, operations: Operations) -> None:
        """Take the operations."""
        self._do = operations
        one = ("clients", ID)
        tokens = ("oauth1", "tokens")
        self.by_path: Mapping[tuple[str, ...], Mapping[str, tuple[Handler, tuple[str, ...]]]] = {
            ("clients",): {
                "GET": (self.list_clients, ("search", *PAGE_PARAMETERS)),
                "POST": (self.create_client, ()),
            },
            one: {
                "GET": (self.get_client, ()),
                "PUT": (self.replace_client, ()),
                "PATCH": (self.patch_client, ()),
                "DELETE": (self.delete_client, ()),
            },
            (*one, "secrets", "rotate"): {"POST": (self.rotate_secret, ())},
            (*one, "disable"): {"POST": (self.disable_client, ())},
            (*one, "enable"): {"POST": (self.enable_client, ())},
            (*one, "audit"): {"GET": (self.list_events, ("since", *PAGE_PARAMETERS))},
            ("audit",): {"GET": (self.list_events, ("client_id", "since", *PAGE_PARAMETERS))},
            tokens: {
                "GET": (self.list_tokens, ("client_id", "user_id", "search", *PAGE_PARAMETERS)),
                "DELETE": (self.revoke_tokens, ("client_id", "user_id")),
            },
            (*tokens, ID): {"DELETE": (self.revoke_token, ())},
        }

    async def list_clients(self, call: Call) -> OAuth1Response:
        """A page of the clients, sorted by name, or of those that a search finds."""
        page = await _checked(self._do.page_clients(call.query.get("search", ""), **call.page))
        return paged(call, page, [describe_client(client) for client in page.items])

    async def create_client(self, call: Call) -> OAuth1Response:
        """Register a client. The answer shows its secret, and no other one will."""
        _, value = await read_json(call.scope, call.receive)
        client = client_from(value)
        try:
            await self._do.add_client(client, call.operator)
        except ValueError as error:
            if await self._do.find_client(client.client_id) is None:
                raise invalid(error) from None
            raise ProblemError(409, "There is a client with this client_id.") from None
        location = f"{call.path.rstrip('/')}/{quote(client.client_id, safe='')}"
        return answer(_with_secret(client), 201, [("Location", location)])

    async def get_client(self, call: Call) -> OAuth1Response:
        """A client, without its secret."""
        client = await self._found(call)
        uses = await self._do.last_uses(client.client_id)
        return answer(describe_client(client, max(uses.values()) if uses else None))

    async def replace_client(self, call: Call) -> OAuth1Response:
        """Change a client to what the body says; what can be changed and is left out gets its default."""
        client = await self._found(call)
        _, value = await read_json(call.scope, call.receive)
        return await self._change(call, client, value, replaced=True)

    async def patch_client(self, call: Call) -> OAuth1Response:
        """Change a client by JSON Patch, or by a merge patch."""
        client = await self._found(call)
        accepted = ("application/json", JSON_PATCH, MERGE_PATCH)
        media_type, patch = await read_json(call.scope, call.receive, accepted)
        apply = merge_patched if media_type == MERGE_PATCH else patched
        return await self._change(call, client, apply(describe_client(client), patch), replaced=False)

    async def delete_client(self, call: Call) -> OAuth1Response:
        """Remove a client and its tokens."""
        if not await self._do.remove(call.identifiers[0], call.operator):
            raise _no_client()
        return answer(None, 204)

    async def rotate_secret(self, call: Call) -> OAuth1Response:
        """Give a client a new secret. The answer shows it, and no other one will."""
        _, value = await read_json(call.scope, call.receive, optional=True)
        overlap = typed_members(value, {"overlap": int}).get("overlap", _OVERLAP)
        if not 0 <= overlap <= _MAX_OVERLAP:
            raise ProblemError(400, f'"overlap" must be seconds from 0 to {_MAX_OVERLAP}.')
        try:
            client = await self._do.rotate_secret(call.identifiers[0], overlap, call.operator)
        except ValueError as error:
            raise ProblemError(409, f"The secret cannot be rotated: {error}.") from None
        return answer(_with_secret(_existing(client)))

    async def disable_client(self, call: Call) -> OAuth1Response:
        """Refuse a client's requests from now on."""
        await _no_members(call)
        return answer(describe_client(_existing(await self._do.disable(call.identifiers[0], call.operator))))

    async def enable_client(self, call: Call) -> OAuth1Response:
        """Verify a client's requests again."""
        await _no_members(call)
        return answer(describe_client(_existing(await self._do.enable(call.identifiers[0], call.operator))))

    async def list_tokens(self, call: Call) -> OAuth1Response:
        """A page of the tokens, oldest first: all, or those of a client, a user, or both."""
        client_id, user_id = call.query.get("client_id"), call.query.get("user_id")
        search = call.query.get("search", "")
        page = await _checked(self._do.page_tokens(client_id, user_id=user_id, search=search, **call.page))
        return paged(call, page, [describe_token(token) for token in page.items])

    async def revoke_tokens(self, call: Call) -> OAuth1Response:
        """Revoke the tokens of a client, of a user, or of both together."""
        if not call.query:
            raise ProblemError(400, "Say whose tokens are revoked: client_id, user_id, or both.")
        client_id, user_id = call.query.get("client_id"), call.query.get("user_id")
        await _checked(self._do.revoke_all(call.operator, client_id=client_id, user_id=user_id))
        return answer(None, 204)

    async def revoke_token(self, call: Call) -> OAuth1Response:
        """Revoke one token."""
        if not await self._do.revoke(call.identifiers[0], call.operator):
            raise ProblemError(404, "There is no such token.")
        return answer(None, 204)

    async def list_events(self, call: Call) -> OAuth1Response:
        """A page of the audit trail, oldest first: all of it, or that of a client, also of one that was removed."""
        client_id = call.identifiers[0] if call.identifiers else call.query.get("client_id")
        size, since = call.page["limit"], call.number("since")
        events = await self._do.events(client_id, since=since, after=call.number("page_token") or 0, limit=size + 1)
        if events is None:
            raise ProblemError(501, "This store keeps no audit trail.")
        found = events[:size]
        page = Page(found, str(found[-1].id) if len(events) > size else None)
        return paged(call, page, [describe_event(event) for event in page.items])

    async def _found(self, call: Call) -> Client:
        return _existing(await self._do.find_client(call.identifiers[0]))

    async def _change(self, call: Call, client: Client, value: Any, *, replaced: bool) -> OAuth1Response:
        changes, disabled = changes_between(client, value, replaced=replaced)
        try:
            if changes:
                client = _existing(await self._do.update_client(client.client_id, call.operator, **changes))
        except (TypeError, ValueError, OAuth1Error) as error:
            raise invalid(error) from None
        if disabled is not None:
            switch = self._do.disable if disabled else self._do.enable
            client = _existing(await switch(client.client_id, call.operator))
        return answer(describe_client(client))


async def _checked(reading: Awaitable[Any]) -> Any:
    """What is read; a cursor or an identifier that the store refuses is the client's error."""
    try:
        return await reading
    except ValueError as error:
        raise invalid(error) from None


async def _no_members(call: Call) -> None:
    _, value = await read_json(call.scope, call.receive, optional=True)
    typed_members(value, {})


def _existing(client: Client | None) -> Client:
    if client is None:
        raise _no_client()
    return client


def _no_client() -> ProblemError:
    return ProblemError(404, "There is no such client.")


def _with_secret(client: Client) -> dict[str, Any]:
    return {**describe_client(client), "client_secret": client.client_secret}
