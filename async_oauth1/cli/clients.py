"""The commands ``async-oauth1 client ...``: register, list, show, edit and remove clients, and rotate their secrets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, cast

import typer

from async_oauth1.admin.descriptions import describe_client
from async_oauth1.admin.registration import checked_callbacks, checked_changes, new_client
from async_oauth1.credentials import Client, ClientChanges
from async_oauth1.policy import Policy
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
    say,
)
from .options import (
    AfterOption,
    JsonOption,
    KeyOption,
    LimitOption,
    MethodOption,
    NoncePolicyOption,
    NotifyOption,
    QueryOption,
    SearchOption,
    StoreOption,
    TolerateOption,
    checked_nonce_policy,
    checked_tolerances,
    field_errors_as_mistakes,
    parse_seconds,
)
from .public_keys import read_public_key
from .store_access import administered, every_page, last_use, uses_of, value_errors_as_mistakes, with_store

__all__ = ["app"]


app = typer.Typer(
    help="Register, list, show, edit, disable and remove clients, and rotate their secrets.", rich_markup_mode=None
)

ClientArgument = Annotated[str, typer.Argument(metavar="CLIENT_ID", help="As `client list` shows it.")]


@app.command("create", hidden=True)
@app.command("add")
def add(
    store: StoreOption,
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="Name of the client on the consent page.")],
    callback: Annotated[
        list[str] | None,
        typer.Option(
            "--callback",
            metavar="URL",
            help='Allowed callback, or "oob" to show a code; repeatable. Without it, two-legged requests only.',
        ),
    ] = None,
    method: MethodOption = None,
    rsa_public_key: KeyOption = None,
    tolerate: TolerateOption = None,
    notify: NotifyOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Register a client and print its client_id and client_secret; creates the store if it is missing."""
    key = read_public_key(rsa_public_key) if rsa_public_key is not None else None
    tolerances = checked_tolerances(tolerate or ())
    with field_errors_as_mistakes():
        record = new_client(
            name, callbacks=callback or (), signature_methods=method or (), rsa_public_key=key, tolerances=tolerances
        )

    async def work(opened: Store) -> None:
        await opened.add_client(record)

    with_store(store, work, migrates=True, notify=notify)
    print_new_secret(
        {"client_id": record.client_id, "client_secret": record.client_secret},
        lost=f"client {record.client_id} was registered, but its secret could not be written ({{reason}}): "
        "remove it and add it again",
        as_json=as_json,
    )
    _warn_of_methods(record.signature_methods)


@app.command("list")
def list_(
    store: StoreOption,
    search: SearchOption = "",
    limit: LimitOption = None,
    after: AfterOption = "",
    *,
    as_json: JsonOption = False,
) -> None:
    """List the clients, without their secrets."""

    async def work(opened: Store) -> tuple[Page[Client], list[LastUse]]:
        page = await every_page(administered(opened).page_clients, search, limit, after)
        return page, await uses_of(opened)

    with value_errors_as_mistakes():
        page, uses = with_store(store, work)
    print_page(
        ("client_id", "name", "callbacks", "methods", "state"),
        [
            (
                client.client_id,
                client.name,
                "\n".join(client.callbacks),
                "\n".join(client.signature_methods),
                "disabled" if client.disabled else "",
            )
            for client in page.items
        ],
        records=[
            describe_client(client) | last_use(use for use in uses if use.client_id == client.client_id)
            for client in page.items
        ],
        cursor=page.next,
        is_page=limit is not None,
        as_json=as_json,
        piped=2,
    )


@app.command("show")
def show(store: StoreOption, client_id: ClientArgument, *, as_json: JsonOption = False) -> None:
    """Show all about a client except its secrets."""

    async def work(opened: Store) -> tuple[Client | None, list[LastUse]]:
        return await administered(opened).find_client(client_id), await uses_of(opened, client_id)

    client, uses = with_store(store, work)
    if client is None:
        raise _unknown(client_id)
    details = describe_client(client)
    details.update(last_use(uses))
    if as_json:
        print_json(details)
        return
    details["former_secrets_end_at"] = [format_time(end) for end in details["former_secrets_end_at"]]
    details["last_used_at"] = format_time(max((use.used_at for use in uses), default=None))
    print_lines([f"{label}: {printable(_format_value(value))}" for label, value in details.items()])


@app.command("disable")
def disable(
    store: StoreOption, client_id: ClientArgument, notify: NotifyOption = None, *, as_json: JsonOption = False
) -> None:
    """Refuse a client from now on; its record and its tokens stay."""
    _set_disabled(store, client_id, notify, disabled=True, as_json=as_json)


@app.command("enable")
def enable(
    store: StoreOption, client_id: ClientArgument, notify: NotifyOption = None, *, as_json: JsonOption = False
) -> None:
    """Let a disabled client make requests again."""
    _set_disabled(store, client_id, notify, disabled=False, as_json=as_json)


def _set_disabled(store: str, client_id: str, notify: str | None, *, disabled: bool, as_json: bool) -> None:
    async def work(opened: Store) -> Client | None:
        operators = administered(opened)
        return await (operators.disable_client if disabled else operators.enable_client)(client_id)

    client = with_store(store, work, notify=notify)
    if client is None:
        raise _unknown(client_id)
    message = f"{'Disabled' if disabled else 'Enabled'} client {printable(client_id)}."
    report({"client_id": client_id, "disabled": client.disabled}, message, as_json=as_json)


@app.command("rotate")
def rotate(
    store: StoreOption,
    client_id: ClientArgument,
    overlap: Annotated[
        str,
        typer.Option(
            "--overlap",
            metavar="TIME",
            help="How long the former secret stays valid: 30d, 12h, 15m, 90s; 0 if it has leaked.",
        ),
    ],
    notify: NotifyOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Give a client a new secret and print it; the former secret stays valid until the overlap ends."""
    length = parse_seconds("--overlap", overlap)
    with value_errors_as_mistakes():
        client = with_store(store, lambda opened: opened.rotate_client_secret(client_id, overlap=length), notify=notify)
    if client is None:
        raise _unknown(client_id)
    ends = describe_client(client)["former_secrets_end_at"]
    print_new_secret(
        {"client_id": client.client_id, "client_secret": client.client_secret},
        details={"former_secrets_end_at": ends},
        note=f"The former secret is valid until {format_time(ends[0])}." if ends else "No other secret is valid.",
        lost=f"client {client.client_id} has a new secret, but it could not be written ({{reason}}): rotate it again",
        as_json=as_json,
    )


@app.command("edit")
def edit(
    store: StoreOption,
    client_id: ClientArgument,
    callback: Annotated[
        list[str] | None,
        typer.Option(
            "--callback", metavar="URL", help='Allowed callback, or "oob"; repeatable. They replace the present ones.'
        ),
    ] = None,
    query_may_differ: QueryOption = None,
    nonce_policy: NoncePolicyOption = None,
    tolerate: TolerateOption = None,
    name: Annotated[str | None, typer.Option("--name", metavar="NAME", help="New name on the consent page.")] = None,
    method: MethodOption = None,
    rsa_public_key: KeyOption = None,
    notify: NotifyOption = None,
    *,
    remove_key: Annotated[bool, typer.Option("--no-rsa-public-key", help="Remove the RSA public key.")] = False,
    tolerate_nothing: Annotated[bool, typer.Option("--tolerate-nothing", help="Remove every tolerance.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Change a client; its secret and its tokens stay valid, and what you leave out stays as it is."""
    if tolerate and tolerate_nothing:
        raise CommandError("--tolerate and --tolerate-nothing exclude each other")
    if rsa_public_key and remove_key:
        raise CommandError("--rsa-public-key and --no-rsa-public-key exclude each other")
    with field_errors_as_mistakes():
        callbacks = checked_callbacks(callback or ())
    said: dict[str, object] = {
        "callbacks": callbacks or None,
        "callback_query_may_differ": query_may_differ,
        "nonce_policy": None if nonce_policy is None else checked_nonce_policy(nonce_policy),
        "tolerances": checked_tolerances(tolerate or ()) if tolerate or tolerate_nothing else None,
        "name": name,
        "rsa_public_key": read_public_key(rsa_public_key) if rsa_public_key else None,
        "signature_methods": method or None,
    }
    changes = cast("ClientChanges", {each: value for each, value in said.items() if value is not None})
    if remove_key:
        changes["rsa_public_key"] = None
    if not changes:
        raise CommandError("client edit needs something to change; async-oauth1 client edit --help lists the options")

    async def work(opened: Store) -> Client | None:
        present = await administered(opened).find_client(client_id)
        return present and await opened.update_client(client_id, **checked_changes(present, changes))

    with value_errors_as_mistakes(), field_errors_as_mistakes():
        client = with_store(store, work, notify=notify)
    if client is None:
        raise _unknown(client_id)
    text = f"Changed client {printable(client_id)}: {_format_changes(client, changes)}."
    report(describe_client(client), text, as_json=as_json)
    _warn_of_methods(changes.get("signature_methods", ()))


@app.command("delete", hidden=True)
@app.command("remove")
def remove(
    store: StoreOption, client_id: ClientArgument, notify: NotifyOption = None, *, as_json: JsonOption = False
) -> None:
    """Remove a client and all of its tokens."""
    if not with_store(store, lambda opened: opened.remove_client(client_id), notify=notify):
        raise _unknown(client_id)
    message = f"Removed client {printable(client_id)} and its tokens."
    report({"client_id": client_id, "removed": True}, message, as_json=as_json)


def _unknown(client_id: str) -> CommandError:
    return CommandError(f"there is no client {printable(client_id)}")


def _format_value(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(str(item) for item in cast("Iterable[object]", value)) or "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value in (None, "") else " ".join(str(value).split("\n")).strip()


def _format_changes(client: Client, changes: ClientChanges) -> str:
    """The new values, as `client show` prints them."""
    return "; ".join(f"{name}: {printable(_format_value(getattr(client, name)))}" for name in changes)


def _warn_of_methods(methods: Sequence[str]) -> None:
    """Name the methods that a server refuses unless it is configured otherwise. The server cannot be asked here."""
    off = [method for method in methods if method not in Policy().signature_methods]
    if off:
        names, verb = " and ".join([", ".join(off[:-1]), off[-1]] if off[1:] else off), "are" if off[1:] else "is"
        say(
            f"{names} {verb} refused unless the server enables {'them' if off[1:] else 'it'} too:"
            f" Policy(signature_methods=...), or OAUTH1_SUPPORTED_SIGNATURE_METHODS in the application's configuration."
        )
