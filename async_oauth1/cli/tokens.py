"""``async-oauth1 token``: what clients hold to act for resource owners."""

from __future__ import annotations

from typing import Annotated

import typer

from async_oauth1.credentials import TokenCredential
from async_oauth1.stores import Store

from .console import (
    CommandError,
    JsonOption,
    NotifyOption,
    StoreOption,
    mistakes,
    moment,
    print_json,
    print_once,
    print_rows,
    printable,
    say,
    seconds,
    with_store,
)

__all__ = ["app"]

_MAX_LENGTH = 1000

app = typer.Typer(help="Issues, lists and revokes users' tokens.", rich_markup_mode=None)


@app.command("issue")
def issue(
    store: StoreOption,
    client: Annotated[str, typer.Option("--client", metavar="CLIENT_ID", help="The client that may use it.")],
    user: Annotated[str, typer.Option("--user", metavar="USER_ID", help="The resource owner, as the provider says.")],
    scope: Annotated[str, typer.Option("--scope", metavar="SCOPES", help="Separated by spaces.")] = "",
    lifetime: Annotated[
        str | None, typer.Option("--lifetime", metavar="TIME", help="30d, 12h, 15m or 90s; for good unless given.")
    ] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Issue a token without a browser, for a client and a user that are one person's, and print its secret."""
    good_for = None if lifetime is None else seconds("--lifetime", lifetime)
    for option, value, least in (("--user", user, 1), ("--scope", scope, 0)):
        if not value.isprintable() or not least <= len(value) <= _MAX_LENGTH:
            raise CommandError(f"{option} is {least} to {_MAX_LENGTH} printable characters on one line")

    async def work(opened: Store) -> TokenCredential:
        return await opened.issue_token_credential(client, user, scope=scope, lifetime=good_for)

    with mistakes():
        token = with_store(store, work)
    values: dict[str, object] = {"oauth_token": token.oauth_token, "oauth_token_secret": token.oauth_token_secret}
    if as_json:
        values["expires_at"] = token.expires_at
    print_once(
        values,
        as_json=as_json,
        lost=f"the token {token.oauth_token} was issued, but its secret could not be written ({{reason}}): "
        "revoke it and issue another",
    )
    if not as_json:
        say(f"The secret is not shown again. Expires: {moment(token.expires_at)}.")


@app.command("list")
def list_(
    store: StoreOption,
    user: Annotated[str | None, typer.Option("--user", metavar="USER_ID", help="This resource owner's alone.")] = None,
    client: Annotated[str | None, typer.Option("--client", metavar="CLIENT_ID", help="This client's alone.")] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """List tokens, oldest first, without their secrets."""
    tokens = with_store(store, lambda opened: opened.list_token_credentials(user_id=user, client_id=client))
    if as_json:
        print_json([_described(token) for token in tokens])
        return
    print_rows(
        ("oauth_token", "client_id", "user_id", "scope", "created", "expires"),
        [
            (
                token.oauth_token,
                token.client_id,
                token.user_id,
                token.scope,
                moment(token.created_at),
                moment(token.expires_at),
            )
            for token in tokens
        ],
        piped=6,
    )


@app.command("revoke")
def revoke(
    store: StoreOption,
    oauth_token: Annotated[
        str | None, typer.Argument(metavar="[TOKEN]", help="As `token list` shows it.", show_default=False)
    ] = None,
    user: Annotated[str | None, typer.Option("--user", metavar="USER_ID", help="All of this resource owner.")] = None,
    client: Annotated[str | None, typer.Option("--client", metavar="CLIENT_ID", help="All of this client.")] = None,
    notify: NotifyOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Revoke one token, or all of a user, of a client, or of both together."""
    if (oauth_token is None) is (user is None and client is None):
        raise CommandError("token revoke takes a token, or --user, --client or both")

    async def work(opened: Store) -> int:
        if oauth_token is not None:
            return int(await opened.revoke_token_credential(oauth_token))
        return await opened.revoke_token_credentials(user_id=user, client_id=client)

    count = with_store(store, work, notify=notify)
    if oauth_token is not None and not count:
        raise CommandError(f"there is no token {printable(oauth_token)}")
    if as_json:
        print_json({"revoked": count})
    else:
        say(f"Revoked {count} token{'' if count == 1 else 's'}.")


def _described(token: TokenCredential) -> dict[str, object]:
    return {
        "oauth_token": token.oauth_token,
        "client_id": token.client_id,
        "user_id": token.user_id,
        "scope": token.scope,
        "created_at": token.created_at,
        "expires_at": token.expires_at,
    }
