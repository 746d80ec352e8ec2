r"""Decides whether a path is under a prefix, for every spelling of the path and every parser that may read it.

The middleware decides by the path, and the framework behind it routes by the path, but they may read it differently.
Routers and file servers disagree about nearly everything that a path may contain. They decode ``scope["path"]`` or
``scope["raw_path"]``, and some handlers decode a second time. They resolve dot segments or do not, merge slashes, take
``\`` for a slash, ignore case, strip white space and control characters, cut off ``;parameters``, and take
``root_path`` off in several ways. Imitating each of them is impossible. Instead, this module compares *more loosely*
than all of them: two spellings are the same path here if they are the same path for any router. So every path that a
router finds under a prefix is under that prefix here, too. Some other paths are covered as well. That is safe, because
a covered path only needs a signature, and the signature is over the path as sent.

1. Folding: escapes are decoded repeatedly, letters become lower case and lose their compatibility forms, ``\`` becomes
   ``/``, control characters vanish. What is left is split at slashes; white space around a segment, dots at its end,
   empty segments and ``.`` vanish.
2. A path that consists of plain segments is under a prefix if it begins with the prefix's segments. This is the strict
   rule, by which ``/photostream`` is not under ``/photos``. Some mounts do not look for the slash behind them, so the
   slash between two of the prefix's segments may be missing.
3. Behind ``;``, ``?``, ``#`` or NUL, some readers skip a part of the path, and ``..`` removes the segment before it. In
   each case a subsequence of the segments remains. So from the first of these characters on, or from the start if the
   path contains ``..``, the prefix only needs to be a subsequence.
4. The rest of the path behind ``root_path`` is compared, too, and so are the other spellings in the scope.

Each step is linear in the length of the path.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple, cast
from unicodedata import category, normalize

#: The server decodes a path once, the framework or its handler perhaps again. The third time is a reserve.
_DECODINGS = 3
_ESCAPES = re.compile("(?:%[0-9A-Fa-f]{2})+")
#: Every reader takes such a path literally, except for upper and lower case. Possessive: nothing is scanned twice.
_is_plain = re.compile(r"(?:/(?!\.)[A-Za-z0-9_~!$&'()*,=:@.-]++(?<!\.))++/?|/").fullmatch


class _Folding(dict[int, str]):
    """A table for `str.translate`. It stores only ASCII, so that clients cannot fill memory with other characters."""

    def __init__(self) -> None:
        super().__init__({code: chr(code).lower() for code in range(128)})
        # Octets that are not UTF-8 arrive as U+FFFD; some readers drop them.
        self.update(dict.fromkeys([*range(1, 32), 127, 0xFFFD], ""))
        # urllib's unquote_plus reads "+" as a space. NUL is kept: some readers drop it, others stop there.
        self.update({ord("\\"): "/", ord("+"): " ", ord("?"): ";", ord("#"): ";"})

    def __missing__(self, code: int) -> str:
        return _fold_character(code)


@lru_cache(maxsize=1024)
def _fold_character(code: int) -> str:
    character = chr(code)
    if category(character) in ("Cc", "Cf", "Cs"):
        return ""
    folded = normalize("NFKD", character).casefold()
    return "".join([_FOLDING[ord(piece)] if piece.isascii() else piece for piece in folded])


_FOLDING = _Folding()


class Layout(NamedTuple):
    """The prefixes that an application removes from a path before it routes the rest.

    Attributes:
        root_paths: the root paths.
        mounts: mounts that need no slash behind them: ``/mountx`` is ``x`` in the mount ``/mount``.
    """

    root_paths: frozenset[str] = frozenset()
    mounts: frozenset[str] = frozenset()


class CoveredPaths:
    """The paths under some prefixes, in every spelling."""

    def __init__(self, prefixes: Collection[str]) -> None:
        """Fold the prefixes.

        Args:
            prefixes: decoded paths.

        Raises:
            TypeError: prefixes is a single string.
            ValueError: a prefix is not a plain path.
        """
        if isinstance(prefixes, str):
            raise TypeError("prefixes must be a collection of paths, not one string")
        folded = [_fold_prefix(prefix) for prefix in prefixes]
        # A mount at "/static" that does not require a slash serves its "/private" at "/staticprivate", too.
        self._prefixes = frozenset([variant for prefix in folded for variant in (prefix, *_merged(prefix))])
        self._exact = frozenset(["/" + "/".join(prefix) for prefix in self._prefixes])
        self._below = tuple([f"{path.rstrip('/')}/" for path in self._exact])

    def cover(self, scope: Mapping[str, Any], layout: Layout) -> bool:
        """Whether any router or file server could take the path of a request for one under a prefix."""
        path: str = scope["path"]
        if path in self._exact or path.startswith(self._below):
            return True  # the usual case
        root_path: str = scope.get("root_path") or ""
        if path.removeprefix(root_path).startswith(self._below):
            return True
        raw_path: bytes | None = scope.get("raw_path")
        if not layout.root_paths and not layout.mounts and _are_plain(path, root_path, raw_path):
            texts = {text.lower() for text in {path} | _behind({path}, {root_path})}
            texts |= _behind(texts, {root_path.lower()})
            return any(self._begin(f"/{text}".replace("//", "/")) for text in texts)
        roots = {root for root in (root_path, *layout.root_paths) if root}
        spellings = {path} if raw_path is None else {path, raw_path.decode("utf-8", "replace")}
        return any(self._reach(text, layout.mounts) for text in _readings(spellings, roots))

    def _begin(self, path: str) -> bool:
        return path in self._exact or path.startswith(self._below)

    def _reach(self, text: str, mounts: Collection[str]) -> bool:
        head, tail = _segments(text)
        if any(_is_reached(prefix, head, tail) for prefix in self._prefixes):
            return True
        for mount in mounts:
            edged = _with_edge(mount, head), _with_edge(mount, tail)
            if edged != (head, tail) and any(_is_reached(prefix, *edged) for prefix in self._prefixes):
                return True
        return False


class ExcludedPaths:
    """The paths under some prefixes, as they are written: here every reader must agree.

    A path is excluded if every router takes it literally, and each of its readings that is covered is under an excluded
    prefix. So ``/health/../photos`` is not under ``/health`` here, and neither is ``/Health``.
    """

    def __init__(self, prefixes: Collection[str], covered: Collection[str]) -> None:
        """Check the prefixes.

        Args:
            prefixes: paths of ASCII letters, digits and punctuation.
            covered: the prefixes from which these are exceptions.

        Raises:
            TypeError: prefixes is a single string.
            ValueError: a prefix is not a plain path, or a covered prefix is below it.
        """
        if isinstance(prefixes, str):
            raise TypeError("exclude must be a collection of paths, not one string")
        for prefix in prefixes:
            if not _is_plain(prefix) or prefix == "/":
                raise ValueError(f"exclude must name plain paths of ASCII below '/', unlike {prefix!r}")
        self._exact = frozenset([prefix.rstrip("/") for prefix in prefixes])
        self._below = tuple([f"{path}/" for path in self._exact])
        for prefix in covered:
            if self._holds(prefix):
                raise ValueError(f"exclude would leave the prefix {prefix!r} unprotected")

    def cover(self, scope: Mapping[str, Any], layout: Layout, covered: CoveredPaths) -> bool:
        """Whether a covered request is excluded."""
        path: str = scope["path"]
        root_path: str = scope.get("root_path") or ""
        roots = {root for root in (root_path, *layout.root_paths) if root}
        if not self._below or not _are_plain(path, root_path, scope.get("raw_path")) or _cuts(layout.mounts, path):
            return False
        readings = {reading for root in roots or {""} for reading in _literal_readings(path, root)}
        return any(map(self._holds, readings)) and all(
            self._holds(text) or not covered.cover({"path": text}, layout) for text in readings
        )

    def _holds(self, path: str) -> bool:
        return path in self._exact or path.startswith(self._below)


def _literal_readings(path: str, root_path: str) -> set[str]:
    head, found, rest = path.partition(root_path) if root_path else ("", "", path)
    if not head and rest.startswith("/"):
        return {rest}
    return {path, f"/{rest}".replace("//", "/")} if found else {path}


def _cuts(mounts: Collection[str], path: str) -> bool:
    """Whether a mount that needs no slash behind it would end within a segment of the path."""
    text = f"{path.lower()}/"
    return any(mount in text and f"{mount}/" not in text for mount in mounts)


def _are_plain(path: str, root_path: str, raw_path: bytes | None) -> bool:
    return bool(
        _is_plain(path) and (not root_path or _is_plain(root_path)) and (raw_path is None or raw_path == path.encode())
    )


def applications_behind(app: Any) -> Iterator[Any]:
    """Yield an application and those that it wraps as ``app``: middleware first, the framework's application last."""
    for _ in range(100):  # a limit, in case an application refers to itself
        app = getattr(app, "__self__", app)  # app.asgi_app is a bound method
        yield app
        if (app := getattr(app, "app", None)) is None:
            return


def layout_of(app: Any, mounts: Iterable[str] = ()) -> Layout:
    """Find the root paths and mounts of an application, also behind middleware that keeps what it wraps in ``app``.

    FastAPI has a ``root_path`` of its own, besides the server's. Mounts of Litestar and BlackSheep, and BlackSheep's
    routes that end in ``*``, match without a slash behind them.
    """
    root_paths: set[str] = set()
    found = set(mounts)
    for behind in applications_behind(app):
        if isinstance(root_path := getattr(behind, "root_path", None), str):
            root_paths.add(root_path)
        found.update(_mounts_of(behind))
    edges = {"/" + "/".join(_segments(_fold(mount))[0]) for mount in found}
    return Layout(frozenset(root_paths - {""}), frozenset(edges - {"/"}))


def _mounts_of(app: Any) -> Iterator[str]:
    for route in _items(getattr(app, "routes", None)):  # Litestar
        if getattr(getattr(route, "route_handler", None), "is_mount", False):
            yield route.path
    yield from getattr(getattr(app, "mount_registry", None), "mounted_paths", ())  # BlackSheep
    by_method = getattr(getattr(app, "router", None), "routes", None)
    lists = cast("dict[str, list[Any]]", by_method).values() if isinstance(by_method, dict) else ()
    for route in [route for routes in lists for route in routes]:
        pattern = getattr(route, "pattern", b"")
        if isinstance(pattern, bytes) and b"*" in pattern:
            yield pattern.partition(b"*")[0].decode()


def _items(routes: object) -> Iterable[Any]:
    return cast("Iterable[Any]", routes) if isinstance(routes, list) else ()


def _fold(text: str) -> str:
    text = text.translate(_FOLDING)
    for _ in range(_DECODINGS):
        if "%" not in text:
            break
        text = _ESCAPES.sub(_decode, text).translate(_FOLDING)
    return text


def _decode(escapes: re.Match[str]) -> str:
    return bytes.fromhex(escapes[0].replace("%", "")).decode("utf-8", "replace")


def _fold_prefix(prefix: str) -> tuple[str, ...]:
    if not prefix.startswith("/"):
        raise ValueError(f"a prefix must begin with a slash, unlike {prefix!r}")
    text = _fold(prefix)
    head, tail = _segments(text)
    if tail or ";" in text or "\0" in text:
        raise ValueError(
            f"a prefix must not contain '..', ';', '?', '#' or NUL: protect the path before it in {prefix!r}"
        )
    return tuple(head)


def _merged(prefix: tuple[str, ...]) -> list[tuple[str, ...]]:
    return [(*prefix[: i - 1], prefix[i - 1] + prefix[i], *prefix[i + 1 :]) for i in range(1, len(prefix))]


def _readings(spellings: set[str], roots: set[str]) -> set[str]:
    """The folded texts that could be routed, with and without ``root_path``, and with both meanings of NUL."""
    # Litestar removes the first occurrence of the root path, others remove it from the start, some after folding.
    texts = {_fold(text) for text in spellings | _behind(spellings, roots)}
    texts |= _behind(texts, {_fold(root) for root in roots})
    # Parsed as a reference (RFC 3986 section 4.2), a path that begins with two slashes begins with a host.
    texts |= {text.lstrip("/").partition("/")[2] for text in texts if text.startswith("//")}
    return {text.replace("\0", other) for text in texts for other in (("", ";") if "\0" in text else ("",))}


def _behind(texts: set[str], roots: set[str]) -> set[str]:
    return {text.partition(root)[2] for root in roots if root for text in texts if root in text}


def _segments(text: str) -> tuple[list[str], list[str]]:
    """The segments that every reader keeps, and those behind them, of which a reader may skip any."""
    before, _, behind = text.partition(";")
    head, climbs = _plain_segments(before)
    tail, climbs_behind = _plain_segments(behind.replace(";", "/")) if behind else ([], False)
    return ([], head + tail) if climbs or climbs_behind else (head, tail)


def _plain_segments(text: str) -> tuple[list[str], bool]:
    """The segments, without the characters that readers drop, and whether ``..`` is among them."""
    parts = [part.strip() for part in text.split("/")]
    kept = [part.rstrip(". ") for part in parts]
    return [part for part in kept if part], any(not part and len(parts[i]) > 1 for i, part in enumerate(kept))


def _with_edge(mount: str, segments: list[str]) -> list[str]:
    """The segments after inserting a slash behind the mount, as its framework does."""
    path = "/" + "/".join(segments)
    return (
        [segment for segment in path.replace(mount, f"{mount}/").split("/") if segment] if mount in path else segments
    )


def _is_reached(prefix: tuple[str, ...], head: list[str], tail: list[str]) -> bool:
    standing = min(len(prefix), len(head))
    rest = iter(tail)
    return list(prefix[:standing]) == head[:standing] and all(segment in rest for segment in prefix[standing:])
