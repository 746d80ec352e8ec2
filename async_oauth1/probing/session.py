"""What every probe uses: requests that are signed by the RFC, or as a provider behind a proxy may see them."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from .connection import Answer, Connections, UnreachableError
from .signing import Credentials, Message, Place, protocol_parameters, sign

__all__ = ["Finding", "Level", "Probe", "Session", "Target", "View", "examine"]

#: ``ok``: as it should be. ``note``: may be intended. ``wrong``: must be changed. ``skipped``: could not be tried.
Level = Literal["ok", "note", "wrong", "skipped"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a probe found.

    Attributes:
        probe: its name.
        level: how bad it is.
        text: what was found; a sentence.
        fix: what to change, and where; empty if nothing.
    """

    probe: str
    level: Level
    text: str
    fix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The provider to try.

    Attributes:
        scheme: of its URL.
        host: of its URL, with a port unless it is the default one.
        prefix: path of its URL, without the last slash.
        path: a protected path, with the prefix in front; as sent.
        query: of the protected path.
        credentials: of a test client; the token is optional.
        upstreams: host and port by which a proxy may call the provider.
    """

    scheme: str
    host: str
    prefix: str
    path: str
    query: str
    credentials: Credentials
    upstreams: tuple[str, ...] = ()


class View(NamedTuple):
    """How the provider sees the URL.

    Attributes:
        scheme: ``http`` or ``https``.
        host: host and port.
        removed: what is cut off the beginning of the path.
        added: what is put in front of it.
    """

    scheme: str
    host: str
    removed: str = ""
    added: str = ""

    def of(self, message: Message) -> Message:
        """The message as the provider sees it."""
        path = self.added + message.path.decode("ascii").removeprefix(self.removed)
        return replace(message, scheme=self.scheme, host=self.host, path=path.encode())


class Session:
    """One examination.

    Attributes:
        target: what is examined.
        algorithm: a signature method that the provider accepts.
        view: how the provider sees the URL; the RFC's view until a probe proves another one.
        ahead: seconds by which the provider's clock is ahead of this machine's.
        stopped: why nothing more can be tried; empty as long as it can.
    """

    def __init__(self, target: Target, connections: Connections, *, clock: Callable[[], float] = time.time) -> None:
        """Prepare an examination; nothing is sent yet."""
        self.target, self.connections = target, connections
        self.algorithm = self.algorithms[0]
        self.view = View(target.scheme, target.host)
        self.ahead = 0.0
        self.stopped = ""
        self._clock = clock

    @property
    def algorithms(self) -> tuple[str, ...]:
        """The methods whose keys are known, except PLAINTEXT, which shows the secrets."""
        hmac = ("HMAC-SHA1", "HMAC-SHA256", "HMAC-SHA512")
        rsa = ("RSA-SHA1", "RSA-SHA256", "RSA-SHA512")
        keys = self.target.credentials.keys
        return (*(hmac if keys.client_secret else ()), *(rsa if keys.rsa_key else ()))

    def now(self) -> float:
        """Unix time by this machine's clock."""
        return self._clock()

    def message(self, method: str = "GET", *, below: str = "") -> Message:
        """A request to the protected path, or below it."""
        target = self.target
        path = f"{target.path.rstrip('/')}/{below}" if below else target.path
        return Message(
            method=method, scheme=target.scheme, host=target.host, path=path.encode(), query=target.query.encode()
        )

    def signed(
        self,
        message: Message,
        *,
        seen: Message | None = None,
        place: Place = "header",
        algorithm: str | None = None,
        timestamp: int | None = None,
        realm: str | None = None,
    ) -> Message:
        """Sign a message as the provider sees it, or as ``seen`` says."""
        credentials = self.target.credentials
        when = int(self.now() + self.ahead) if timestamp is None else timestamp
        parameters = protocol_parameters(credentials, algorithm or self.algorithm, timestamp=when)
        return sign(
            message, parameters, credentials.keys, place=place, realm=realm, seen=seen or self.view.of(message)
        ).message

    def send(self, message: Message) -> Answer:
        """Send a message as it is."""
        return self.connections.exchange(message)

    def badly_signed(self, message: Message, *, place: Place = "header") -> Message:
        """Sign a message for another path, so that the signature is wrong."""
        return self.signed(message, place=place, seen=replace(message, path=f"/{secrets.token_hex(8)}".encode()))

    def verifies(self, message: Message, *, place: Place = "header") -> tuple[bool | None, Answer]:
        """Whether a right signature is accepted.

        Returns:
            ``None`` if the answer does not depend on the signature; and the answer to the right signature.
        """
        answer = self.send(self.signed(message, place=place))
        if answer.status == 401:
            return False, answer
        if 200 <= answer.status < 300:
            return True, answer
        refused = self.send(self.badly_signed(message, place=place))
        return (True if refused.status == 401 else None), answer


@dataclass(frozen=True, slots=True)
class Probe:
    """One small experiment.

    Attributes:
        name: shown in the report.
        run: tries it, and yields what it finds.
    """

    name: str
    run: Callable[[Session], Iterator[Finding]]


def examine(session: Session, probes: tuple[Probe, ...]) -> Iterator[Finding]:
    """Run probes in their order, and yield what they find; after one that stops the session, the rest is skipped."""
    for probe in probes:
        if session.stopped:
            yield Finding(probe.name, "skipped", f"Not tried: {session.stopped}.")
            continue
        try:
            yield from probe.run(session)
        except UnreachableError as error:
            fix = "Look into the log of the proxy, and of the server, for what happened to this request."
            yield Finding(probe.name, "wrong", f"A request was not answered: {error}.", fix)
