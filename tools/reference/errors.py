"""The page of the errors: each class, its code, and what a client sees."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from async_oauth1 import errors
from async_oauth1.provider.responses import resource_error_response, server_error_response
from tools.imports import ROOT

from .markdown import MADE, table

__all__ = ["page", "violations"]

_ABOUT = """# Errors

What a client sees if a request is refused. [Refused, and why](refused.md) has the usual causes of each code. The
classes are in `async_oauth1.errors`, and `except OAuth1Error` catches all of them.

"""
_EXAMPLE = """## What an answer looks like

At a protected resource, the body is JSON:

```text
{resource}
```

At the endpoints where clients fetch credentials, it is a form:

```text
{endpoint}
```

A refusal with 401 has `WWW-Authenticate: OAuth`, one with 405 has `Allow`, and one with 429 or 503 has `Retry-After`.
[Problem reporting](refused.md#problem-reporting) adds `oauth_problem`.
"""
#: What Authlib's errors mean here.
_MEANINGS = {
    "access_denied": "The user has denied: `error=access_denied` in the redirect to the callback.",
    "duplicated_oauth_protocol_parameter": "A protocol parameter comes twice, or in two places.",
    "insecure_transport": "The request came over plain http.",
    "invalid_client": "The client is unknown.",
    "invalid_nonce": "The nonce was used before.",
    "invalid_request": "Something is malformed; the description says what.",
    "invalid_signature": "The signature is wrong; with `uniform_errors`, also if the client or the token is unknown.",
    "invalid_token": "The token is unknown, expired or revoked, or belongs to another client.",
    "method_not_allowed": "The endpoint does not accept the method.",
    "missing_required_parameter": "A parameter is missing; the description names it.",
    "unsupported_parameter": "A parameter is not supported; for hooks, the package itself does not raise it.",
    "unsupported_signature_method": "The signature method is not enabled.",
}
#: Codes that the package itself does not raise.
_NOT_RAISED = {"access_denied", "unsupported_parameter"}
#: Errors that need more to be made than a description.
_PARAMETER = "oauth_nonce"


def page() -> str:
    """The page."""
    head = ("code", "status", "class", "what it means")
    rows = (
        (f"`{error.error}`", str(error.status_code), f"`{type(error).__name__}`", _meaning(error))
        for error in _errors()
    )
    example = errors.InvalidNonceError()
    shown = {
        "resource": resource_error_response(example, realm="Photos"),
        "endpoint": server_error_response(example, realm="Photos", allow="POST"),
    }
    texts = {name: _shown(answer.status_code, answer.headers, answer.body) for name, answer in shown.items()}
    return MADE + _ABOUT + table(head, rows) + "\n" + _EXAMPLE.format(**texts)


def violations() -> Iterator[str]:
    """Codes that the page of the causes does not have."""
    causes = (ROOT / "docs" / "refused.md").read_text(encoding="utf-8")
    for code in sorted({str(error.error) for error in _errors()}):
        if f"`{code}`" not in causes and code not in _NOT_RAISED:
            yield f"docs/refused.md has no cause of {code}"


def _errors() -> list[errors.OAuth1Error]:
    """One error of each class, by status and code."""
    classes = [getattr(errors, name) for name in errors.__all__]
    found = [_made(kind) for kind in classes if issubclass(kind, errors.OAuth1Error) and kind.error]
    return sorted(found, key=lambda error: (error.status_code, str(error.error), type(error).__name__))


def _made(kind: type[errors.OAuth1Error]) -> errors.OAuth1Error:
    needs_name = kind in (errors.MissingRequiredParameterError, errors.UnsupportedParameterError)
    return kind(_PARAMETER) if needs_name else kind()


def _meaning(error: errors.OAuth1Error) -> str:
    """The first sentence of the class, or, of Authlib's, the meaning above."""
    if type(error).__module__ != errors.__name__:
        return _MEANINGS[str(error.error)]
    return (inspect.getdoc(type(error)) or "").partition("\n")[0].replace("``", "`")


def _shown(status: int, headers: list[tuple[str, str]], body: str) -> str:
    return "\n".join([f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers), "", body])
