"""The floors: which module may import which.

`FLOORS` sorts the packages, and `ROOMS` the modules in each package. A module may import from lower floors, and in its
own package from lower rows. Modules of one row do not import each other.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from .imports import imports, modules

__all__ = ["DRIVERS", "FLOORS", "LOOP_FLOOR", "ROOMS", "violations"]

Rows = tuple[tuple[str, ...], ...]

#: Lowest first. Names are relative to ``async_oauth1``, except ``flask_compat``.
FLOORS: Rows = (
    ("errors", "logs", "native", "tolerances"),
    ("policy", "retirement"),
    ("protocol",),
    ("credentials", "signature"),
    ("current",),
    ("provider",),
    ("explain", "probing"),
    ("explaining",),
    ("asgi", "hooks", "stores"),
    ("django", "limits", "litestar", "quart", "sqlalchemy", "starlette", "telemetry"),
    ("fastapi",),
    ("admin", "lti", "serve"),
    ("testing",),
    ("cli", "flask_compat"),
    ("__main__",),
)

#: The first floor that may import asyncio. The flows below it also run without an event loop.
LOOP_FLOOR = 7

#: The rows inside each package, lowest first.
ROOMS: dict[str, Rows] = {
    "protocol": (
        ("recoding", "rsa_keys"),
        ("encoding", "header_fields", "hosts"),
        ("authorization_header", "base_string", "callbacks"),
        ("named_parameters", "reading", "signature"),
        ("lenient_forms", "places"),
        ("request",),
        ("raw_request",),
    ),
    "native": (("loading",), ("__main__",)),
    "provider": (
        ("hints", "records", "refusal_texts", "responses", "sync_driver", "tokens"),
        ("hooks",),
        ("approval", "checks", "leniency", "refusals", "signing_keys"),
        ("signatures",),
        ("configured_server",),
        ("lane", "verification"),
        ("credential_hooks", "resource_protector"),
        ("authorization_server",),
    ),
    "provider.approval": (("approvals", "decisions", "dialects", "scopes"), ("auditing",)),
    "provider.records": (("audit", "fields", "watching"), ("accepted", "sampling")),
    "provider.lane": (("steps",),),
    "provider.hooks": (("limiting", "problems", "protocols"), ("signatures",), ("registry",)),
    "explain": (
        ("texts", "wire"),
        ("plan",),
        ("changes",),
        ("bodies", "body_hashes", "explanation", "readings"),
        ("facts", "hypotheses", "redaction", "report"),
        ("search",),
        ("readers", "said"),
    ),
    "explain.hypotheses": (("encoding", "keys", "parameters", "uri"), ("path", "repetition", "values")),
    "explain.readers": (("parts",), ("curl", "har", "http")),
    "explain.said": (("attempts", "finding", "structure"), ("comparison",)),
    "probing": (
        ("signing",),
        ("connection", "raw_signing"),
        ("session",),
        ("deciding", "passing", "reaching", "requirements"),
    ),
    "explaining": (("queue",), ("loop",), ("thread",)),
    "admin": (("descriptions", "operations", "permission", "registration", "same_origin", "serving"), ("api", "page")),
    "admin.api": (
        ("problems",),
        ("bodies", "calls", "documents", "patching", "paths"),
        ("routes",),
        ("application",),
    ),
    "admin.page": (
        ("events", "form_tokens", "forms", "registration", "rendering"),
        ("requests",),
        ("views",),
        ("application",),
    ),
    "asgi": (
        ("environ", "event_loops", "origin", "unawaited", "versions"),
        ("requests",),
        ("bodies", "lingering", "routing", "startup", "users"),
        ("endpoints", "verifying"),
        ("exchange", "health", "middleware"),
    ),
    "asgi.health": (("endpoints",),),
    "asgi.bodies": (("pieces",), ("received",), ("early",)),
    "asgi.verifying": (("bearer",), ("demands",), ("announcing",), ("verification",), ("gate",)),
    "asgi.routing": (("covered_paths", "preflights", "targets"),),
    "django": (
        ("configuration", "driver", "models", "pending", "requests"),
        ("caches", "flows", "tables"),
        ("checks", "lookups"),
        ("admin", "apps", "management", "migrations", "protector", "servers"),
        ("rest_framework",),
    ),
    "django.management": (("commands",),),
    "django.management.commands": (("purge_oauth1",),),
    "django.migrations": (("0001_initial",),),
    "limits": (("addresses", "counting", "rates"), ("answers", "storages"), ("limiting",)),
    "litestar": (("exceptions", "refusals", "requests", "startup", "users"), ("guards",), ("middleware",), ("auth",)),
    "fastapi": (("openapi", "refusals"), ("recorder",), ("requests", "security")),
    "quart": (("requests",), ("applications",), ("servers",)),
    "starlette": (("refusing", "requests", "users"), ("middleware", "protecting")),
    "lti": (
        ("consumers", "errors", "pox", "roles", "signing", "urls"),
        ("outcomes", "servers"),
        ("launches", "migration"),
        ("launching", "refusals"),
        ("consuming", "content_items", "pages"),
        ("tool",),
    ),
    "lti.consuming": (("cartridges", "forms", "outcome_service"),),
    "lti.launching": (("fields", "reading", "tool_states"), ("requirements",)),
    "lti.pox": (("reading", "scores", "writing"), ("messages",)),
    "serve": (
        ("echo", "listening", "presets", "rsa_keys", "secrecy"),
        ("error_bodies", "exchange", "records", "rules", "settings"),
        ("explaining", "pages"),
        ("consent", "recorder"),
        ("provider",),
    ),
    "telemetry": (
        ("table",),
        ("recording", "tracing"),
        ("observing", "opentelemetry", "prometheus"),
        ("instrumenting",),
    ),
    "testing": (
        ("clock", "credentials", "serving", "signed_auth"),
        ("broken", "conformance", "lti_platform", "server", "signing_clients"),
        ("plugin",),
    ),
    "testing.conformance": (("running",), ("nonces", "pending"), ("faults", "processes", "tokens")),
    "stores": (
        ("announced_changes", "batching", "encryption", "forks", "health", "interfaces", "lifecycle", "purging"),
        ("change_feed", "urls"),
        ("base", "row_mapping"),
        ("auditing", "client_changes", "reencryption", "sql"),
        ("administration", "uses"),
        ("sql_store",),
        ("caching", "memory", "postgres", "redis", "sqlite"),  # one row: backends never import each other
    ),
    "stores.uses": (("exchanges", "last_use"), ("in_sql",)),
    "stores.administration": (("paging",), ("in_sql", "interface")),
    "stores.auditing": (("interface",), ("in_sql",)),
    "stores.urls": (("redaction",), ("registry",)),
    "stores.health": (("figures", "outages", "tls"),),
    "stores.caching": (("delegating", "ttl_cache"), ("credential_cache",), ("store",)),
    "stores.memory": (
        ("expiring", "nonce_table", "token_table"),
        ("pending_table",),
        ("auditing",),
        ("administration", "exchanges"),
        ("store",),
    ),
    "stores.postgres": (
        ("schema", "sql", "url"),
        ("connection", "tables"),
        ("problems",),
        ("change_feed", "database"),
        ("store",),
    ),
    "stores.redis": (
        ("connections", "records", "shared_timeout", "url"),
        ("node",),
        ("checks", "scripts", "topology"),
        ("exchanges", "nonce_writer", "pings"),
        ("change_feed", "store"),
    ),
    "stores.sqlite": (("connection", "schema", "sql"), ("tables",), ("file",), ("database",), ("store",)),
    "sqlalchemy": (
        ("columns", "exact", "secrets", "transactions"),
        ("mixins", "models"),
        ("look_ups", "nonces", "optional_mixins", "temporary_credentials"),
        ("clients", "reencryption", "tokens"),
        ("parts",),
        ("store",),
    ),
    "cli": (
        ("console",),
        ("options", "public_keys", "request_options", "saved_requests", "serve_log", "store_access"),
        ("audit", "clients", "known_secrets", "tokens"),
        ("explain", "probing", "serve", "sign"),
        ("verify",),
    ),
    "cli.probing": (("sessions",), ("conformance", "doctor")),
    "flask_compat": (
        ("configurations", "errors", "execution", "util"),
        ("signature", "wrapper"),
        ("caching",),
        ("cache", "flows", "frameworks"),
        ("server",),
        ("authorization_server", "resource_protector"),
        ("sqla",),
    ),
    "flask_compat.sqla": (("mixins", "widths"), ("transactions",), ("nonces",), ("hooks",)),
    "flask_compat.caching": (
        ("kinds", "nonce_lifetime"),
        ("added_nonces",),
        ("adapter",),
        ("suitability",),
        ("proved_cache",),
    ),
    "flask_compat.execution": (
        ("callable_kinds", "database_pools", "ending_requests", "without_loop"),
        ("flow_runner",),
        ("locks",),
    ),
    "flask_compat.flows": (("base",), ("authorization",)),
    "flask_compat.frameworks": (("flask", "quart"), ("detection",)),
}

#: The only packages that may import a driver or a framework.
DRIVERS: dict[str, tuple[str, ...]] = {
    "aiosqlite": ("async_oauth1.stores.sqlite",),
    "anyio": ("async_oauth1.asgi.event_loops",),
    "asyncpg": ("async_oauth1.stores.postgres",),
    "cryptography": (
        "async_oauth1.protocol.rsa_keys",
        "async_oauth1.protocol.signature",
        "async_oauth1.explain.readings",
        "async_oauth1.serve.rsa_keys",
        "async_oauth1.stores.encryption",
        "async_oauth1.cli",
    ),
    "asgiref": ("async_oauth1.django", "flask_compat"),
    "defusedxml": ("async_oauth1.lti.pox",),
    "django": ("async_oauth1.django",),
    "fastapi": ("async_oauth1.fastapi",),
    "flask": ("flask_compat",),
    "jinja2": ("async_oauth1.admin.page",),
    "limits": ("async_oauth1.limits",),
    "litestar": ("async_oauth1.litestar",),
    "markupsafe": ("async_oauth1.admin.page",),
    "opentelemetry": ("async_oauth1.telemetry",),
    "prometheus_client": ("async_oauth1.telemetry.prometheus", "async_oauth1.telemetry.instrumenting"),
    "quart": ("async_oauth1.quart", "async_oauth1.serve", "async_oauth1.cli.serve", "flask_compat"),
    "redis": ("async_oauth1.limits.storages", "async_oauth1.stores.redis"),
    "rest_framework": ("async_oauth1.django.rest_framework",),
    "sqlalchemy": ("async_oauth1.sqlalchemy", "flask_compat.sqla"),
    "rich": ("async_oauth1.cli",),
    "starlette": ("async_oauth1.fastapi", "async_oauth1.starlette"),
    "typer": ("async_oauth1.cli", "async_oauth1.__main__"),
}

# A package's `__init__` that re-exports names, and the highest floor of these.
_FACES = {"async_oauth1": "provider"}


def violations() -> Iterator[str]:
    """Imports from the same floor or a higher one, and modules without a place."""
    for module, path in modules().items():
        try:
            here = place(module)
        except LookupError as error:
            yield str(error)
            continue
        for line, target in imports(path):
            top = target.partition(".")[0]
            if top in ("asyncio", "anyio", "trio") and here[0][0] < LOOP_FLOOR:
                yield f"{path}:{line} imports {target}; modules below the frameworks must not use the event loop"
            if top in DRIVERS and not f"{module}.".startswith(tuple(f"{package}." for package in DRIVERS[top])):
                yield f"{path}:{line} imports {target}; only {', '.join(DRIVERS[top])} may"
            if target not in modules() or target == module or _is_own_package(module, target):
                continue
            if not is_below(target, module):
                yield f"{path}:{line} imports {target}, which is not below {module}"


def is_below(target: str, module: str) -> bool:
    """Whether a module may be imported by another one."""
    for (there, its_name), (here, name) in zip(place(target), place(module), strict=False):
        if there != here or its_name != name:
            return there < here
    return len(place(target)) < len(place(module))


@cache
def place(module: str) -> tuple[tuple[int, str], ...]:
    """The floor of a module, and its row at each level of packages, each with the name at that level.

    Raises:
        LookupError: the module has no place.
    """
    name = module.removeprefix("async_oauth1.")
    if module == "async_oauth1":
        return ((place(f"async_oauth1.{_FACES[module]}")[0][0], "async_oauth1"),)
    unit, _, rest = name.partition(".")
    found = [(_row(FLOORS, unit, module), unit)]
    while rest or unit in ROOMS:
        rows = ROOMS.get(unit)
        if rows is None:
            raise LookupError(f"{module}: add the rows of {unit} to ROOMS in tools/floors.py")
        if not rest:
            found.append((len(rows), ""))  # a package's `__init__` is above its modules
            break
        inner, _, rest = rest.partition(".")
        found.append((_row(rows, inner, module), inner))
        unit = f"{unit}.{inner}"
    return tuple(found)


def _row(rows: Rows, name: str, module: str) -> int:
    for number, row in enumerate(rows):
        if name in row:
            return number
    raise LookupError(f"{module} has no place: add {name!r} in tools/floors.py")


def _is_own_package(module: str, target: str) -> bool:
    """Whether a package's `__init__` imports from its own package."""
    return target.startswith(f"{module}.")
