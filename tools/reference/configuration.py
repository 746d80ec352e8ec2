"""The page of the configuration: the policy, the keys of frameworks, and the environment."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import Field, fields

from async_oauth1 import Policy
from async_oauth1.django.configuration import Configuration
from async_oauth1.policy import SizeLimits
from tools.imports import modules

from .markdown import MADE, table

__all__ = ["page", "violations"]

_ABOUT = """# Configuration

Each rule of a server is an attribute of `Policy`, as in `ResourceProtector(policy=Policy(timestamp_window=600))`. On
Quart and on Flask, `app.config["OAUTH1_TIMESTAMP_WINDOW"] = 600` does the same. A value that cannot be kept is refused
when the server is made, by name.

"""
#: The keys that are no attribute of the policy.
_KEYS = {
    "OAUTH1_SUPPORTED_SIGNATURE_METHODS": ("`signature_methods` of the policy; the name is Authlib's.", "`HMAC-SHA1`"),
    "OAUTH1_TOKEN_GENERATOR": ("A function that makes tokens, or its import path.", "random"),
    "OAUTH1_TOKEN_SECRET_GENERATOR": ("A function that makes token secrets, or its import path.", "random"),
    "OAUTH1_TOKEN_LENGTH": ("Characters of a token.", "`42`"),
    "OAUTH1_TOKEN_SECRET_LENGTH": ("Characters of a token secret.", "`48`"),
}
_ENVIRONMENT = {
    "ASYNC_OAUTH1_STORE": "URL of the store for the [commands](command-line.md).",
    "ASYNC_OAUTH1_CLIENT_ID": "The client of `sign`, `doctor` and `conformance`.",
    "ASYNC_OAUTH1_CLIENT_SECRET": "Its secret; `explain` and `verify` read it, too.",
    "ASYNC_OAUTH1_TOKEN": "The token of `sign`, `doctor` and `conformance`.",
    "ASYNC_OAUTH1_TOKEN_SECRET": "Its secret; `explain` and `verify` read it, too.",
    "ASYNC_OAUTH1_NOTIFY": "Where the commands announce changes; see [Credentials](credentials.md).",
    "ASYNC_OAUTH1_KEYS": "Keys that encrypt secrets, newest first; see [Credentials](credentials.md).",
    "ASYNC_OAUTH1_NATIVE": "`0` turns the [native reader](performance.md#installing-the-native-reader) off, or leaves"
    " it out of an installation; `1` makes an installation fail if it cannot be compiled.",
    "AUTHLIB_INSECURE_TRANSPORT": "`1` lets `flask_compat` and Django serve plain http, as Authlib does.",
}
_READ = re.compile(r'"((?:OAUTH1|ASYNC_OAUTH1|AUTHLIB)_[A-Z_0-9]+)"')
_ATTRIBUTE = re.compile(r"^    (\w+): (.*(?:\n      .*)*)", re.MULTILINE)


def page() -> str:
    """The page."""
    meanings = _meanings(SizeLimits) | _meanings(Policy)
    rows = ((_key(field), f"`{field.name}`", _default(field), meanings[field.name]) for field in fields(Policy))
    keys = ((f"`{key}`", default, meaning) for key, (meaning, default) in _KEYS.items())
    django = _meanings(Configuration)
    settings = (
        (f"`{field.name}`", _default(field), django[field.name])
        for field in fields(Configuration)
        if field.name != "policy"
    )
    environment = ((f"`{name}`", meaning) for name, meaning in _ENVIRONMENT.items())
    return (
        f"{MADE}{_ABOUT}## The policy\n\n{table(('key', 'attribute', 'default', 'meaning'), rows)}\n"
        f"## Other keys\n\n{table(('key', 'default', 'meaning'), keys)}\n"
        "## Django\n\nThe setting `AUTHLIB_OAUTH1_PROVIDER` is a dictionary: attributes of the policy, and these.\n\n"
        f"{table(('key', 'default', 'meaning'), settings)}\n"
        f"## Environment\n\n{table(('variable', 'meaning'), environment)}"
    )


def violations() -> Iterator[str]:
    """Keys that the packages read and the page does not have."""
    known = {
        *_KEYS,
        *_ENVIRONMENT,
        "AUTHLIB_OAUTH1_PROVIDER",
        *(f"OAUTH1_{field.name.upper()}" for field in fields(Policy)),
    }
    for name, path in modules().items():
        for key in sorted(set(_READ.findall(path.read_text(encoding="utf-8"))) - known):
            yield f"{name} reads {key}, which tools/reference/configuration.py does not have"


def _key(field: Field[object]) -> str:
    return f"`OAUTH1_{'SUPPORTED_' if field.name == 'signature_methods' else ''}{field.name.upper()}`"


def _default(field: Field[object]) -> str:
    return f"`{field.default!r}`"


def _meanings(record: type) -> dict[str, str]:
    """The attributes in a docstring, with what it says of each."""
    text = (inspect.getdoc(record) or "").partition("Attributes:\n")[2]
    return {name: re.sub(r"``|`", "`", " ".join(meaning.split())) for name, meaning in _ATTRIBUTE.findall(text)}
