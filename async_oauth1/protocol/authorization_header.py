"""The ``Authorization`` header (RFC 5849 section 3.5.1) as a canonical form.

    credentials = "OAuth" 1*SP #( name "=" <"> value <"> )

Names and values are percent-encoded (section 3.6); ``realm`` alone is an ordinary quoted string (RFC 9110 section
11.5) and takes no part in the signature. As RFC 9110 has it, white space around commas, empty list elements and a
value without quotes are taken as well: clients in the field send all three.
"""

from __future__ import annotations

import re

from async_oauth1.errors import DuplicatedOAuthProtocolParameterError, InvalidRequestError

from .encoding import CANONICAL, UNRESERVED, Pair, canonical, join_pairs, split_pairs, unescape, unescape_strictly

# One parameter with the comma behind it; or bare commas; or else, in the last group, all the rest. The quantifiers are
# possessive and a failure takes everything, so no header is scanned twice however it was made.
_ELEMENT = re.compile(
    r"""[ \t]*+
        (?: ([^\s"=,]++) [ \t]*+ = [ \t]*+ (?: "([^"\\]*+(?:\\.[^"\\]*+)*+)" | ([^\s",]*+) ) [ \t]*+ (?: , | \Z )
          | ,[ \t,]*+
          | \Z
          | (.++)
        )""",
    re.DOTALL | re.VERBOSE,
)
# Nearly every header: canonical parameters, mostly the protocol's, at most a realm in front of them.
_PARAMETER = rf'(?:oauth_[a-z_]++|(?!(?i:realm=))[{UNRESERVED}]++)="{CANONICAL}"'
_is_plain = re.compile(rf'OAuth ++(?:realm="([^"\\]*+)", *+)?+({_PARAMETER}(?:, ?+{_PARAMETER})*+)').fullmatch
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)


def parse_authorization(octets: bytes, max_parameters: int) -> tuple[str, str | None] | None:
    """Read the value of an ``Authorization`` header.

    Args:
        octets: the value, of a length that the caller has limited.
        max_parameters: how many the header may have.

    Returns:
        The parameters as a canonical form, in the order received, without the realm; and the realm, decoded, or
        ``None`` if there is none. ``None`` instead of both if the header is of another scheme.

    Raises:
        InvalidRequestError: the header is malformed, or has more parameters than that.
        DuplicatedOAuthProtocolParameterError: it has more than one realm.
    """
    text = octets.decode("latin-1")
    plain = _is_plain(text)
    if plain:
        realm, parameters = plain.groups()
        return parameters.replace('"', "").replace(", ", "&").replace(",", "&"), realm
    text = text.strip(" \t")
    if text[:5].lower() != "oauth" or (len(text) > 5 and text[5] not in " \t"):
        return None
    return _parse_elements(text[5:], max_parameters)


def protocol_parameters(form: str) -> tuple[dict[str, str], bool]:
    """Those of the parameters whose names begin with ``oauth_``, decoded; and whether there are others.

    Args:
        form: a canonical form.

    Raises:
        DuplicatedOAuthProtocolParameterError: one of them stands more than once (section 3.1).
        InvalidRequestError: a value is not UTF-8.
    """
    if not form:
        return {}, False
    number = form.count("&oauth_") + form.startswith("oauth_")
    pieces = form.replace("&", "=").split("=")
    each = iter(pieces)
    parameters = dict(zip(each, each))  # noqa: B905 - a canonical form has a value for each name
    others = 2 * number < len(pieces)
    if others:
        parameters = {name: value for name, value in parameters.items() if name.startswith("oauth_")}
    if len(parameters) < number:
        raise DuplicatedOAuthProtocolParameterError('An "oauth_" parameter stands more than once.')
    for name, value in parameters.items():
        if "%" in value:
            try:
                parameters[name] = unescape_strictly(value)
            except UnicodeDecodeError:
                raise InvalidRequestError(f'"{unescape(name)}" is not UTF-8.') from None
    return parameters, others


def other_names(form: str) -> list[str]:
    """The names that begin neither with ``oauth_`` nor with ``xoauth_``, decoded."""
    return [unescape(name) for name, _ in split_pairs(form) if not name.startswith(("oauth_", "xoauth_"))]


def _parse_elements(text: str, max_parameters: int) -> tuple[str, str | None]:
    pairs: list[Pair] = []
    realm: str | None = None
    for element in _ELEMENT.finditer(text):
        name, quoted, bare, other = element.groups("")
        if name:
            if len(pairs) >= max_parameters:  # before the work, not after it
                raise InvalidRequestError(f"The request has more than {max_parameters} parameters.")
            if name.lower() != "realm":
                pairs.append((canonical(name), canonical(quoted or bare)))
            elif realm is None:
                realm = _QUOTED_PAIR.sub(r"\1", quoted or bare)
            else:
                raise DuplicatedOAuthProtocolParameterError(
                    '"realm" stands more than once in the Authorization header.'
                )
        elif other:
            raise InvalidRequestError(
                'Malformed Authorization header: write OAuth name="value", name="value" with percent-encoded values.'
            )
    return join_pairs(pairs), realm
