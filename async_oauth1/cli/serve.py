"""The command ``async-oauth1 serve``: a throw-away provider for people who write or test clients."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import sys
import tempfile
from collections.abc import Generator, Iterable, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from socket import socket
from typing import TYPE_CHECKING, Annotated

import typer

from async_oauth1.protocol.callbacks import is_loopback_host
from async_oauth1.stores import Store, open_store

from .console import CommandError, printable, say
from .serve_log import Writer, guide_lines, json_line, request_lines

if TYPE_CHECKING:
    from async_oauth1.serve.provider import Provider
    from async_oauth1.serve.records import RecordedRequest
    from async_oauth1.serve.settings import Settings

__all__ = ["serve_command"]

_ID, _SECRET = "ASYNC_OAUTH1_CLIENT_ID", "ASYNC_OAUTH1_CLIENT_SECRET"
_LARGEST_KEY = 64 * 1024


def serve_command(
    host: Annotated[str, typer.Option("--host", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65_535, help="The port; 0 for a free one.")] = 8000,
    like: Annotated[
        str | None,
        typer.Option(
            "--like", metavar="NAME", help="Behave like woocommerce, netsuite, mastercard, jira or schoology."
        ),
    ] = None,
    callback: Annotated[
        list[str] | None, typer.Option("--callback", metavar="URL", help="Accept these callbacks alone; repeatable.")
    ] = None,
    rsa_private_key: Annotated[
        Path | None,
        typer.Option(
            "--rsa-private-key",
            metavar="FILE",
            help="The client's key for RSA: read if the file exists, otherwise a new one is written there.",
        ),
    ] = None,
    store: Annotated[str, typer.Option("--store", metavar="URL", help="Keep everything in this store.")] = "memory://",
    external_base_url: Annotated[
        str | None,
        typer.Option("--external-base-url", metavar="URL", help="The URL that clients use, if a proxy is in front."),
    ] = None,
    port_file: Annotated[
        Path | None, typer.Option("--port-file", metavar="FILE", help="Write the port there once it listens.")
    ] = None,
    client_secret: Annotated[str | None, typer.Option("--client-secret", hidden=True)] = None,
    *,
    consent: Annotated[
        bool, typer.Option("--consent", help="Ask on the authorization page instead of approving at once.")
    ] = False,
    json_log: Annotated[bool, typer.Option("--json-log", help="Print one JSON object for each event.")] = False,
) -> None:
    """Run a provider for tests of clients, until SIGTERM or SIGINT. It prints a client's credentials and its URLs."""
    for number in (signal.SIGINT, signal.SIGTERM):  # until the loop handles them; no request is in flight yet
        signal.signal(number, _exit_at_once)
    if client_secret is not None:
        raise CommandError(f"other users of this machine can read a command line: set {_SECRET} instead")
    settings = _settings(host, like, external_base_url, consent=consent)
    opened = _store(store)
    with ExitStack() as kept:
        key, key_file = kept.enter_context(_private_key(settings, rsa_private_key))
        options: dict[str, object] = {
            "callbacks": tuple(callback or ()),
            "rsa_private_key": key,
            **_given_credentials(),
        }
        _Command(
            settings=settings,
            store=opened,
            options=options,
            address=(host, port),
            port_file=port_file,
            key_file=key_file,
            json_log=json_log,
        ).run()


def _exit_at_once(_number: int, _frame: object) -> None:
    os._exit(0)


def _settings(host: str, like: str | None, external_base_url: str | None, *, consent: bool) -> Settings:
    for name in ("hypercorn", "quart"):
        if find_spec(name) is None:
            raise CommandError(f'serve needs {name}; install "async-oauth1[serve]"')
    from async_oauth1.serve.presets import PLAIN, PRESETS
    from async_oauth1.serve.settings import Settings

    if like is not None and like not in PRESETS:
        raise CommandError(f"--like {printable(like)}: write {', '.join(PRESETS)}")
    settings = Settings(
        preset=PRESETS[like] if like else PLAIN,
        consent="ask" if consent else "automatic",
        password=secrets.token_urlsafe(9) if consent else None,
        external_base_url=external_base_url,
        host=host,
    )
    try:
        _ = settings.policy
    except ValueError as error:
        raise CommandError(f"--external-base-url: {error}") from None
    return settings


def _store(url: str) -> Store:
    opened = open_store(url)
    if not isinstance(opened, Store):
        raise CommandError(
            f"{opened.url}: this store keeps no clients; use memory://, sqlite:///PATH or postgresql://..."
        )
    return opened


def _given_credentials() -> dict[str, str]:
    names = {"client_id": _ID, "client_secret": _SECRET}
    return {option: os.environ[name] for option, name in names.items() if os.environ.get(name)}


def _warn_of(host: str) -> None:
    if not is_loopback_host(host):
        say(f"Warning: {printable(host)} can be reached by other machines. This provider is for tests only.")


@contextmanager
def _private_key(settings: Settings, path: Path | None) -> Generator[tuple[str | None, Path | None]]:
    """The client's private key and its file; a file of our own is removed afterwards."""
    if not settings.preset.uses_rsa:
        if path is not None:
            raise CommandError(f"--rsa-private-key: {settings.preset.name} does not use RSA")
        yield None, None
    elif path is not None:
        yield _key_in(path), path
    else:
        with tempfile.TemporaryDirectory(prefix="async-oauth1-") as folder:
            file = Path(folder) / "private-key.pem"
            yield _key_in(file), file


def _key_in(path: Path) -> str:
    """The key in a file, or a new one that is written there for its owner alone."""
    from async_oauth1.serve.rsa_keys import new_private_key, public_key_of

    shown = f"--rsa-private-key {printable(str(path))}"
    try:
        with suppress(FileNotFoundError), path.open("rb") as file:
            key = file.read(_LARGEST_KEY).decode("ascii", "replace")
            public_key_of(key)
            return key
        key = new_private_key()
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(key)
    except OSError as error:
        raise CommandError(f"{shown}: {error.strerror}") from None
    except ValueError as error:
        raise CommandError(f"{shown}: {error}") from None
    return key


@dataclass(frozen=True, slots=True, kw_only=True)
class _Command:
    """What the command line asks for.

    Attributes:
        settings: of the provider.
        store: of the provider, not yet open.
        options: of its client.
        address: host and port to listen on.
        port_file: where the port is written.
        key_file: where the client's private key is.
        json_log: print JSON.
    """

    settings: Settings
    store: Store
    options: Mapping[str, object]
    address: tuple[str, int]
    port_file: Path | None
    key_file: Path | None
    json_log: bool

    def run(self) -> None:
        """Serve until a stop signal."""
        from async_oauth1.serve.listening import ListenError, listen

        try:
            listener = listen(*self.address)
        except ListenError as error:
            raise CommandError(str(error)) from None
        with listener:
            _warn_of(self.address[0])
            writer = Writer(sys.stdout)
            try:
                asyncio.run(self._serve(listener, writer))
            finally:
                writer.close()

    async def _serve(self, listener: socket, writer: Writer) -> None:
        from async_oauth1.serve.listening import serve_socket, url_of
        from async_oauth1.serve.provider import Provider

        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await self.store.migrate()
        async with self.store:
            provider = Provider(self.settings, self.store, lambda record: writer.put(self._lines(record)))
            async with provider.running():
                started = await self._started(provider, url_of(listener))
                if self.port_file is not None:
                    _write_port(self.port_file, listener.getsockname()[1])
                writer.put([json_line("listening", started)] if self.json_log else guide_lines(started))
                await serve_socket(provider.asgi, listener, stop)

    def _lines(self, record: RecordedRequest) -> Iterable[str]:
        if self.json_log:
            return [json_line("request", record.as_json())]
        return request_lines(record, colour=sys.stdout.isatty() and not os.environ.get("NO_COLOR"))

    async def _started(self, provider: Provider, url: str) -> dict[str, object]:
        """What a client needs; the only place where its secret is printed."""
        try:
            credentials = await provider.add_client(**self.options)
        except ValueError as error:
            raise CommandError(f"the client cannot be registered: {error}") from None
        settings = self.settings
        asks = settings.preset.three_legged and settings.password
        values: dict[str, object] = {
            "url": (settings.external_base_url or url).rstrip("/"),
            "like": settings.preset.name,
            "client_id": credentials.client_id,
            "client_secret": credentials.client_secret,
            "rsa_private_key_file": str(self.key_file) if self.key_file else "",
            "signature_methods": list(credentials.signature_methods),
            "user": settings.user if settings.preset.three_legged else "",
            "password": settings.password if asks else "",
            "endpoints": provider.endpoints(url),
            "sources": list(settings.preset.sources),
        }
        return {name: value for name, value in values.items() if value}


def _write_port(path: Path, port: int) -> None:
    """Write the port in one step, so that a reader never sees an empty file."""
    try:
        unfinished = path.with_name(f".{path.name}.{os.getpid()}")
        unfinished.write_text(f"{port}\n", encoding="ascii")
        unfinished.replace(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "cannot be written"
        raise CommandError(f"--port-file {printable(str(path))}: {reason}") from None
