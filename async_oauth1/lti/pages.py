"""What the browser of a refused launch gets: a redirect back to the consumer, or a page."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from async_oauth1.errors import InvalidNonceError, OAuth1Error, StoreUnavailableError
from async_oauth1.explaining.queue import explanation_of
from async_oauth1.provider.refusals import root_of
from async_oauth1.provider.responses import OAuth1Response, error_headers

from .errors import LTILaunchError, RelaunchRequiredError
from .launching.tool_states import state_cookie
from .refusals import RefusedLaunch, refused_launch
from .urls import is_web_url, with_parameters

__all__ = ["launch_error_response"]

_RETURN_URL = "launch_presentation_return_url"
_NOT_STORED = ("Cache-Control", "no-store")
_USED = (
    "This launch was used before. The page was reloaded, opened again from the browser's history, or the link was "
    "clicked twice. Go back to your course and open the activity again."
)
_UNAVAILABLE = "The tool cannot check the launch at the moment. Go back to your course and try again shortly."
_REFUSED = "The tool could not verify this launch. Tell your teacher or the administrator of your course."
_STYLE = (
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:38rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;"
    "background:#fff}code,pre{white-space:pre-wrap;overflow-wrap:anywhere}a{color:#0b57d0}"
    "@media(prefers-color-scheme:dark){body{color:#e8e6e1;background:#15191e}a{color:#7db8e0}}"
)


def launch_error_response(error: OAuth1Error, *, debug: bool = False) -> OAuth1Response:
    """Answer the browser whose launch was refused.

    If the signature holds and the launch has a return URL, a launch that LTI does not allow is redirected there, with
    ``lti_errormsg`` for the user and ``lti_errorlog`` for the consumer's log (LTI 1.1.1, section 3). A URL that is not
    signed, or not http or https, is never followed or shown. Everything else gets a page.

    Args:
        error: what `LTITool.verify_launch` has raised.
        debug: show on the page why the signature does not verify. Only for the tool's developer: it tells an unknown
            key from a wrong secret, and takes up to 50 ms.
    """
    if isinstance(error, RelaunchRequiredError):
        return _redirect(error.url, [("Set-Cookie", state_cookie(error.tool_state))])
    launch = refused_launch(error)
    url = _signed_return_url(launch)
    if url and isinstance(error, LTILaunchError):
        messages = [("lti_errormsg", _text_for_users(error)), ("lti_errorlog", f"{error.error}: {error.description}")]
        return _redirect(with_parameters(url, messages), [])
    headers = [("Content-Type", "text/html; charset=utf-8"), _NOT_STORED, ("Content-Security-Policy", _POLICY)]
    realm = launch.refusal.policy.realm if launch else ""
    headers += error_headers(error, realm=realm, allow="POST")
    return OAuth1Response(error.status_code, _page(error, url, launch if debug else None), headers)


# The page has no script, and shows nothing of another server. It may be in a frame, as launches are.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def _signed_return_url(launch: RefusedLaunch | None) -> str | None:
    url = (launch.signed or {}).get(_RETURN_URL, "") if launch else ""
    return url if is_web_url(url) else None


def _redirect(url: str, headers: list[tuple[str, str]]) -> OAuth1Response:
    return OAuth1Response(303, "", [("Location", url), _NOT_STORED, *headers])


def _text_for_users(error: OAuth1Error) -> str:
    if isinstance(error, InvalidNonceError):
        return _USED
    if isinstance(error, StoreUnavailableError):
        return _UNAVAILABLE
    return f"{_REFUSED} {error.description or ''}".strip()


def _page(error: OAuth1Error, url: str | None, explained: RefusedLaunch | None) -> str:
    title = "This launch was used before" if isinstance(error, InvalidNonceError) else "The launch was refused"
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        f"<title>{title}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{title}</h1>",
        f"<p>{escape(_text_for_users(error))}</p>",
        f"<p>Reason: <code>{escape(error.error or '')}</code></p>",
    ]
    if url:
        parts.append(f'<p><a href="{escape(url)}">Back to the course</a></p>')
    if explained is not None:
        parts += _explanation(error, explained)
    return "\n".join([*parts, "</body></html>"]).encode("ascii", "xmlcharrefreplace").decode()


def _explanation(error: OAuth1Error, launch: RefusedLaunch) -> Iterator[str]:
    """Why the launch was refused, for the developer: the error that the answer hides, and the causes."""
    root = root_of(error)
    yield "<h2>For the developer</h2>"
    yield f"<p><code>{escape(root.error or '')}</code>: {escape(str(root.description or ''))}</p>"
    explanation = explanation_of(launch.refusal)
    if explanation.causes:
        yield "<ul>"
        for cause in explanation.causes:
            yield f"<li><code>{escape(cause.code)}</code>: {escape(cause.text)} To do: {escape(cause.fix)}</li>"
        yield "</ul>"
    elif explanation.tried:
        yield f"<p>None of {explanation.tried} ways to sign was found, so most likely a secret is wrong.</p>"
    yield f"<p>The base string of this tool:</p><pre>{escape(explanation.base_string)}</pre>"
