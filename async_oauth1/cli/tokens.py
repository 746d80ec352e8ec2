"""The commands ``async-oauth1 token ...``: issue, list, show and revoke token credentials."""

from __future__ import annotations

from functools import partial
from typing import Annotated, cast

import typer

from async_oauth1.admin.descriptions import describe_token
from async_oauth1.credentials import TokenCredential
from async_oauth1.stores import LastUse, Page, Store

from .console import (
    CommandError,
    format_time,
    print_json,
    print_lines,
    print_new_secret,
    print_page,
    printable,
    report,
)
from .options import (
    AfterOption,
    JsonOption,
    LimitOption,
    NotifyOption,
    SearchOption,
    StoreOption,
    parse_seconds,
)
from .store_access import administered, every_page, last_use, uses_of, value_errors_as_mistakes, with_store

__all__ = ["app"]

_MAX_LENGTH = 1000
_TIMES = ("created_at", "expires_at", "last_used_at")

app = typer.Typer(help="Issue, list, show and revoke users' tokens.", rich_markup_mode=None)


@app.command("create", hidden=True)
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
    search: SearchOption = "",
    limit: LimitOption = None,
    after: AfterOption = "",
    *,
    as_json: JsonOption = False,
) -> None:
    """List tokens, oldest first, without their secrets."""

    async def work(opened: Store) -> tuple[Page[TokenCredential], list[LastUse]]:
        read = partial(administered(opened).page_token_credentials, user_id=user, client_id=client)
        return await every_page(read, search, limit, after), await uses_of(opened, client)

    with value_errors_as_mistakes():
        page, uses = with_store(store, work)
    used = {use.oauth_token: use for use in uses}
    print_page(
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
            for token in page.items
        ],
        records=[_details(token, used.get(token.oauth_token)) for token in page.items],
        cursor=page.next,
        is_page=limit is not None,
        as_json=as_json,
    )


@app.command("show")
def show(
    store: StoreOption,
    oauth_token: Annotated[str, typer.Argument(metavar="TOKEN", help="As `token list` shows it.")],
    *,
    as_json: JsonOption = False,
) -> None:
    """Show all about a token except its secret."""

    async def work(opened: Store) -> tuple[TokenCredential | None, list[LastUse]]:
        found = await every_page(administered(opened).page_token_credentials, oauth_token, None, "")
        token = next((each for each in found.items if each.oauth_token == oauth_token), None)
        return token, [] if token is None else await uses_of(opened, token.client_id)

    token, uses = with_store(store, work)
    if token is None:
        raise CommandError(f"there is no token {printable(oauth_token)}")
    details = _details(token, next((use for use in uses if use.oauth_token == oauth_token), None))
    if as_json:
        print_json(details)
        return
    times = {name: format_time(cast("float | None", details[name])) for name in _TIMES}
    print_lines([f"{label}: {printable(str(value or '-'))}" for label, value in (details | times).items()])


@app.command("delete", hidden=True)
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


def _details(token: TokenCredential, use: LastUse | None) -> dict[str, object]:
    return describe_token(token) | last_use([use] if use is not None else [])
