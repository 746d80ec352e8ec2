"""The frameworks, the servers that each of them runs under, and what a framework cannot do."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["DEPLOYMENTS", "EXCEPTIONS", "FRAMEWORKS", "SERVERS", "Deployment"]

#: The module of each framework's application, in `tests.frameworks.applications`.
FRAMEWORKS = {"bare ASGI": "bare", "FastAPI": "on_fastapi", "Quart": "on_quart", "Starlette": "on_starlette"}
_HYPERCORN = ["-m", "hypercorn", "-b", "127.0.0.1:{port}", "--log-level", "critical"]
#: The arguments for Python of each server.
SERVERS = {
    "hypercorn": [*_HYPERCORN, "{app}"],
    "hypercorn with trio": [*_HYPERCORN, "-k", "trio", "{app}"],
    "uvicorn": ["-m", "uvicorn", "--port", "{port}", "--log-level", "critical", "--no-proxy-headers", "{app}"],
    "granian": ["-m", "granian", "--interface", "asgi", "--port", "{port}", "--no-log", "{app}"],
}
#: The servers that speak HTTP/2 without TLS. Not with trio: there hypercorn ends if a body goes on after its response.
WITH_HTTP_2 = frozenset({"hypercorn", "granian"})
#: Servers that not every framework runs under.
ONLY = {"hypercorn with trio": ("bare ASGI", "Starlette"), "granian": ("bare ASGI",)}

#: Scenarios that do not hold on a framework, by their names, and why. The page ``docs/frameworks.md`` has this table.
EXCEPTIONS: dict[tuple[str, str], str] = {
    ("Quart", "early delivery"): "Quart receives on its own, and has no way to withhold the end of a body.",
}


class Deployment(NamedTuple):
    """A framework under a server."""

    framework: str
    server: str

    def __str__(self) -> str:
        return f"{self.framework} under {self.server}"

    @property
    def protocols(self) -> tuple[str, ...]:
        """The protocols that the server speaks."""
        return ("HTTP/1.1", "HTTP/2") if self.server in WITH_HTTP_2 else ("HTTP/1.1",)

    def command(self) -> list[str]:
        """The arguments for Python; ``{port}`` is still to be replaced."""
        app = f"tests.frameworks.applications.{FRAMEWORKS[self.framework]}:app"
        return [argument.replace("{app}", app) for argument in SERVERS[self.server]]


DEPLOYMENTS = [
    Deployment(framework, server)
    for framework in FRAMEWORKS
    for server in SERVERS
    if framework in ONLY.get(server, FRAMEWORKS)
]
