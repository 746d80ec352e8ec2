"""Generate request targets that look harmless, but that some framework routes to a protected path."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

_ENDS = (b"/photos", b"/photos/1", b"/static/private/a.txt", b"/in/static/private/a.txt", b"/mount", b"/mount/x")
_STARTS = (b"/static/x/", b"/in/static/", b"/photostream/", b"/open/", b"/")
_IGNORED = b"%0a %0A %0d %0b %00 %09 %20 %1f %7f %c2%85 %c2%a0 %e2%80%8b %250a + ;x ;/ %3bx # %23x %3f . %2e".split()
_SLASHES = rb"// %2f %2F \ %5c /./ /%2e/ /x/../ /x/%2e%2e/ /%252e/ /x/.%2E/ %252f /;x/ /x/..;/ /x//../ /.%00/".split()
_ROOTS = b"/api /zzz/api /API /api/api /zzz/a%70i / // //host /api;x /api. /x/../api".split()

Change = Callable[[random.Random, bytes], bytes]


def _insert(chance: random.Random, target: bytes) -> bytes:
    place = chance.choice([0, 1, len(target), len(target), chance.randrange(len(target) + 1)])
    return target[:place] + chance.choice(_IGNORED) + target[place:]


def _slash(chance: random.Random, target: bytes) -> bytes:
    place = chance.choice([i for i, octet in enumerate(target) if octet == 0x2F] or [0])
    return target[:place] + chance.choice(_SLASHES) + target[place + 1 :]


def _escape(chance: random.Random, target: bytes) -> bytes:
    place = chance.randrange(len(target))
    form = chance.choice([b"%%%02x", b"%%%02X", b"%%25%02x"])
    return target[:place] + form % target[place] + target[place + 1 :]


def _case(chance: random.Random, target: bytes) -> bytes:
    place = chance.randrange(len(target))
    return target[:place] + target[place : place + chance.choice([1, 9])].swapcase() + target[place + 9 :]


def _climb(chance: random.Random, target: bytes) -> bytes:
    start = chance.choice(_STARTS)
    return start + b"/".join([chance.choice([b"..", b"%2e%2e", b".%2E", b"%252e%252e"])] * chance.randrange(3)) + target


def _root(chance: random.Random, target: bytes) -> bytes:
    return chance.choice(_ROOTS) + target[chance.randrange(2) :]


def _join(chance: random.Random, target: bytes) -> bytes:
    place = target.rfind(b"/")
    return target[:place] + chance.choice([b"", b"x/", b"x"]) + target[place + 1 :]


_CHANGES: tuple[Change, ...] = (_insert, _insert, _slash, _slash, _escape, _case, _climb, _root, _join)


def generated_targets(count: int, seed: int = 5849) -> Iterator[bytes]:
    """Yield this many different request targets; the same seed gives the same targets."""
    chance = random.Random(seed)
    known: set[bytes] = set()
    while len(known) < count:
        target = chance.choice(_ENDS)
        for _ in range(chance.choice([1, 1, 2, 3])):
            target = chance.choice(_CHANGES)(chance, target) or b"/"
        if target.startswith(b"/") and target not in known:
            known.add(target)
            yield target
