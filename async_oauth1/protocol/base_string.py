"""The signature base string (RFC 5849 section 3.4.1), of what a request holds."""

from __future__ import annotations

from bisect import bisect_left
from functools import lru_cache

from .encoding import escape_text, escape_uri

#: Beginnings of base strings that are kept: most requests are for few places.
BEGINNINGS_KEPT = 1_024
#: In characters, so that random paths cannot fill the cache.
LONGEST_PATH_KEPT = 256


def base_string(method: str, scheme: str, host: str, path: str, form: str) -> str:
    """Build the base string (section 3.4.1.1).

    Args:
        method: HTTP method, in any case.
        scheme: ``http`` or ``https``.
        host: as section 3.4.1.2 has it.
        path: as sent; octets as Latin-1 text.
        form: all parameters that section 3.4.1.3.1 counts, as a canonical form; ``oauth_signature`` is left out here.
    """
    beginning = _kept_beginning if len(path) <= LONGEST_PATH_KEPT else _beginning
    return beginning(method, scheme, host, path) + base_string_parameters(form)


def _beginning(method: str, scheme: str, host: str, path: str) -> str:
    return f"{escape_text(method.upper())}&{escape_uri(f'{scheme}://{host}{path}')}&"


_kept_beginning = lru_cache(maxsize=BEGINNINGS_KEPT)(_beginning)


def base_string_parameters(form: str) -> str:
    """Normalise a canonical form (section 3.4.1.3.2) and encode it once more for the base string.

    ``oauth_signature`` is left out. Parameters are sorted by name, then by value. Sorting whole parameters does both at
    once, if what stands between the two is less than every character of a name: ``=`` is not, ``!`` is. Canonical text
    is already encoded for the first time, and the second time concerns only ``%``, ``=`` and ``&``.
    """
    parameters = form.replace("%", "%25").replace("=", "!").split("&")
    parameters.sort()
    begin = bisect_left(parameters, "oauth_signature!")
    end = bisect_left(parameters, 'oauth_signature"', begin)  # the character behind "!"
    del parameters[begin:end]
    return "%26".join(parameters).replace("!", "%3D")
