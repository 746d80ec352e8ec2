"""The signature base string (RFC 5849 section 3.4.1)."""

from __future__ import annotations

from bisect import bisect_left
from functools import lru_cache

from .encoding import escape_text, escape_uri

#: The number of cached beginnings of base strings; most requests are for a few URIs.
BEGINNINGS_KEPT = 1_024
#: In characters. Longer paths are not cached, which limits the memory that random paths can use.
LONGEST_PATH_KEPT = 256


def base_string(method: str, scheme: str, host: str, path: str, form: str) -> str:
    """Build the base string (section 3.4.1.1).

    Args:
        method: HTTP method, in any case.
        scheme: ``http`` or ``https``.
        host: host and port as in section 3.4.1.2.
        path: the path as sent, as Latin-1 text.
        form: the parameters of section 3.4.1.3.1 as a canonical form; this function removes ``oauth_signature``.
    """
    beginning = _kept_beginning if len(path) <= LONGEST_PATH_KEPT else _beginning
    return beginning(method, scheme, host, path) + base_string_parameters(form)


def _beginning(method: str, scheme: str, host: str, path: str) -> str:
    return f"{escape_text(method.upper())}&{escape_uri(f'{scheme}://{host}{path}')}&"


_kept_beginning = lru_cache(maxsize=BEGINNINGS_KEPT)(_beginning)


def base_string_parameters(form: str) -> str:
    """Normalise a canonical form (section 3.4.1.3.2) and encode it again for the base string, without the signature.

    Parameters are sorted by name, then by value. Sorting whole parameters gives this order if the separator is less
    than every character of a name: ``!`` is, and ``=`` is not. Canonical text is already encoded, and the second
    encoding changes only ``%``, ``=`` and ``&``.
    """
    parameters = form.replace("%", "%25").replace("=", "!").split("&")
    parameters.sort()
    begin = bisect_left(parameters, "oauth_signature!")
    end = bisect_left(parameters, 'oauth_signature"', begin)  # the character after "!"
    del parameters[begin:end]
    return "%26".join(parameters).replace("!", "%3D")
