"""The commands ``async-oauth1 token ...``: issue, list and revoke token credentials."""

from __future__ import annotations

from typing import Annotated

import typer

from async_oauth1.credentials import TokenCredential
from async_oauth1.stores import Store

from .console import CommandError, format_time, print_listing, print_new_secret, printable, report
from .options import JsonOption, NotifyOption, StoreOption, parse_seconds
from .store_access import value_errors_as_mistakes, with_store

__all__ = ["app"]

_MAX_LENGTH = 1000

app = typer.Typer(help="Issue, list and revoke users' tokens.", rich_markup_mode=None)


@app.command("issue")
def issue(
    store: StoreOption,
    client: Annotated[str, typer.Option("--client", metavar="CLIENT_ID", help="The client that may use the token.")],
    user: Annotated[
        str, typer.Option("--user", metavar="USER_ID", help="The resource owner, as the provider knows them.")
    ],
    scope: Annotated[str, typer.Option("--scope", metavar="SCOPES", help="Separated by spaces.")] = "",
    lifetime: Annotated[
        str | None, typer.Option("--lifetime", metavar="TIME", help="30d, 12h, 15m or 90s. Default: no limit.")
    ] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Issue a token without asking the user in a browser, and print its secret; for a user's own client."""
    seconds = None if lifetime is None else parse_seconds("--lifetime", lifetime)
    for option, value, least in (("--user", user, 1), ("--scope", scope, 0)):
        if not value.isprintable() or not least <= len(value) <= _MAX_LENGTH:
            raise CommandError(f"{option} must be {least} to {_MAX_LENGTH} printable characters on one line")

    async def work(opened: Store) -> TokenCredential:
        return await opened.issue_token_credential(client, user, scope=scope, lifetime=seconds)

    with value_errors_as_mistakes():
        token = with_store(store, work)
    print_new_secret(
        {"oauth_token": token.oauth_token, "oauth_token_secret": token.oauth_token_secret},
        details={"expires_at": token.expires_at},
        note=f"Expires: {format_time(token.expires_at)}.",
        lost=f"the token {token.oauth_token} was issued, but its secret could not be written ({{reason}}): "
        "revoke it and issue another",
        as_json=as_json,
    )


@app.command("list")
def list_(
    store: StoreOption,
    user: Annotated[str | None, typer.Option("--user", metavar="USER_ID", help="Only of this resource owner.")] = None,
    client: Annotated[str | None, typer.Option("--client", metavar="CLIENT_ID", help="Only of this client.")] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """List tokens, oldest first, without their secrets."""
    tokens = with_store(store, lambda opened: opened.list_token_credentials(user_id=user, client_id=client))
    print_listing(
        ("oauth_token", "client_id", "user_id", "scope", "created", "expires"),
        [
            (
                token.oauth_token,
                token.client_id,
                token.user_id,
                token.scope,
                format_time(token.created_at),
                format_time(token.expires_at),
            )
            for token in tokens
        ],
        records=[_details(token) for token in tokens],
        as_json=as_json,
    )


@app.command("revoke")
def revoke(
    store: StoreOption,
    oauth_token: Annotated[
        str | None, typer.Argument(metavar="[TOKEN]", help="As `token list` shows it.", show_default=False)
    ] = None,
    user: Annotated[
        str | None, typer.Option("--user", metavar="USER_ID", help="All tokens of this resource owner.")
    ] = None,
    client: Annotated[
        str | None, typer.Option("--client", metavar="CLIENT_ID", help="All tokens of this client.")
    ] = None,
    notify: NotifyOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Revoke one token, or all tokens of a user, of a client, or of a user and client together."""
    if (oauth_token is None) is (user is None and client is None):
        raise CommandError("token revoke takes a token, or --user, --client or both")

    async def work(opened: Store) -> int:
        if oauth_token is not None:
            return int(await opened.revoke_token_credential(oauth_token))
        return await opened.revoke_token_credentials(user_id=user, client_id=client)

    count = with_store(store, work, notify=notify)
    if oauth_token is not None and not count:
        raise CommandError(f"there is no token {printable(oauth_token)}")
    report({"revoked": count}, f"Revoked {count} token{'' if count == 1 else 's'}.", as_json=as_json)


def _details(token: TokenCredential) -> dict[str, object]:
    return {
        "oauth_token": token.oauth_token,
        "client_id": token.client_id,
        "user_id": token.user_id,
        "scope": token.scope,
        "created_at": token.created_at,
        "expires_at": token.expires_at,
    }
