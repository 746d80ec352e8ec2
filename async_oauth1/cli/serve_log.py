"""What ``async-oauth1 serve`` prints: a line for each request and explanations, or a JSON object for each event."""

from __future__ import annotations

import json
import os
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, TextIO, cast

from async_oauth1.explain.report import Marker

from .console import printable

if TYPE_CHECKING:
    from async_oauth1.serve.records import RecordedRequest

__all__ = ["Writer", "guide_lines", "json_line", "request_lines"]

#: Lines that wait for a slow terminal or pipe; further ones are dropped, so that they never hold up a request.
LONGEST_QUEUE = 5_000
LONGEST_LINE = 300


def json_line(event: str, values: Mapping[str, object]) -> str:
    """An event as a JSON object in one line of ASCII."""
    return json.dumps({"event": event, **values})


def guide_lines(started: Mapping[str, object]) -> Iterator[str]:
    """What to do with the provider, printed when it listens.

    Args:
        started: labels and values.
    """
    yield f"async-oauth1 serve: listening on {started['url']}"
    yield "For tests only. Requests appear here, and on the page at the URL of the requests."
    yield ""
    for name, value in started.items():
        if isinstance(value, Mapping):
            yield from (f"{label}: {url}" for label, url in cast("Mapping[str, object]", value).items())
        elif isinstance(value, list):
            yield f"{name}: {' '.join(map(str, cast('list[object]', value)))}"
        elif name != "url":
            yield f"{name}: {value}"
    yield ""


def request_lines(record: RecordedRequest, *, colour: bool) -> Iterator[str]:
    """A line for a request, and the lines of its explanation."""
    marker = Marker(colour=colour)
    at = time.strftime("%H:%M:%S", time.localtime(record.at))
    words = [record.method, _path(record.url), str(record.status)]
    if record.client_id:
        words += [record.client_id, record.signature_method]
    line = printable(" ".join(words))[:LONGEST_LINE]
    verdict = "" if record.accepted else f" {record.error or 'refused'}"
    if record.causes and not (record.explanation is not None and record.explanation.verifies):
        verdict += f": {' and '.join(dict.fromkeys(record.causes))}"
    verdict = printable(verdict)
    yield f"{at} {line}{marker.good(verdict) if record.accepted else marker.bad(verdict)}"
    yield from (f"    {one}" for one in record.lines(marker))


def _path(url: str) -> str:
    _, _, rest = url.partition("://")
    return f"/{rest.partition('/')[2]}"


class Writer:
    """Writes lines in a thread of its own: a pipe that is full or closed holds up nothing.

    It writes to the descriptor, past Python's buffers. What a closed pipe has left in one would be written again when
    the interpreter ends, which then fails with exit status 120.
    """

    def __init__(self, stream: TextIO) -> None:
        """Start writing to a stream."""
        self._write_text = _writes_to(stream)
        self._lines: queue.Queue[str | None] = queue.Queue(LONGEST_QUEUE)
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    def put(self, lines: Iterable[str]) -> None:
        """Write these lines soon; they are dropped if too many are waiting."""
        text = "".join(f"{line}\n" for line in lines)
        with suppress(queue.Full):
            self._lines.put_nowait(text)

    def close(self, timeout: float = 2.0) -> None:
        """Write what is waiting, for some seconds at most."""
        try:
            self._lines.put(None, timeout=timeout)
        except queue.Full:
            return
        self._thread.join(timeout)

    def _write(self) -> None:
        is_open = True
        while (text := self._lines.get()) is not None:
            try:
                if is_open:
                    self._write_text(text)
            except (OSError, ValueError):  # the reader has gone
                is_open = False


def _writes_to(stream: TextIO) -> Callable[[str], object]:
    try:
        descriptor = stream.fileno()
    except OSError:  # a stream in memory
        return stream.write
    stream.flush()

    def write(text: str) -> None:
        octets = text.encode(stream.encoding, "replace")
        while octets:
            octets = octets[os.write(descriptor, octets) :]

    return write
