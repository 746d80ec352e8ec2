"""Which connections need no signature although `OAuth1Auth` covers their route."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from async_oauth1.asgi.requests import Scope
from async_oauth1.asgi.routing.covered_paths import CoveredPaths, ExcludedPaths, Layout, layout_of
from async_oauth1.asgi.routing.preflights import is_preflight

__all__ = ["Exceptions"]


class Exceptions:
    """Excluded paths and routes, and CORS preflights."""

    def __init__(self, paths: Collection[str], opt_key: str, *, cors_preflight: bool) -> None:
        """Check the paths; see `OAuth1Auth`."""
        self._everything = CoveredPaths(["/"])
        self._paths = ExcludedPaths(paths, ["/"])
        self._has_paths = bool(paths)
        self._opt_key = opt_key
        self._cors_preflight = cors_preflight
        self._known: tuple[Any, int, Layout] | None = None

    def exclude(self, scope: Scope) -> bool:
        """Whether a connection is excluded, by its path or by an option of its route."""
        handler = scope.get("route_handler")
        if handler is not None and handler.opt.get(self._opt_key):
            return True
        whole = _whole_path(scope) if self._has_paths else None
        if whole is None:
            return False
        return self._paths.cover(
            {"path": whole, "raw_path": scope["raw_path"], "root_path": scope.get("root_path")},
            self._layout_of(scope.get("litestar_app")),
            self._everything,
        )

    def let_pass(self, scope: Scope) -> bool:
        """Whether a connection is a CORS preflight, and these may pass."""
        if not self._cors_preflight or scope["type"] != "http":
            return False
        return is_preflight(scope["method"], (name.decode("latin-1") for name, _ in scope["headers"]))

    def _layout_of(self, app: Any) -> Layout:
        """The mounts of an application, which may get more routes while it serves."""
        count = len(getattr(app, "routes", ()))
        if self._known is None or self._known[0] is not app or self._known[1] != count:
            self._known = app, count, layout_of(app)
        return self._known[2]


def _whole_path(scope: Scope) -> str | None:
    """The path before Litestar cut a mount or the root path off; ``None`` if it is unknown."""
    raw_path: bytes | None = scope.get("raw_path")
    if not raw_path or not raw_path.isascii():
        return None
    whole, routed = raw_path.decode(), scope["path"]
    # Middleware may have changed the path that is routed, and not the raw one.
    return whole if whole.rstrip("/").endswith(routed.rstrip("/")) else None
