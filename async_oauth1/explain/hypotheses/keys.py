"""The method, the signature method and the key (RFC 5849 sections 3.4.1.1, 3.4.2 and 3.4.4)."""

from __future__ import annotations

from collections.abc import Iterator

from async_oauth1.protocol.signature import SIGNATURE_METHODS

from ..changes import Change, Context, always, change, changing, key_with
from ..texts import octets_of

_METHODS = ("POST", "GET", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS")
_BOM = "\ufeff".encode().decode("latin-1")
#: What is pasted behind a secret, and how unlikely that is.
_EDGES = ((0.5, "\n"), (0.5, " "), (1, "\r\n"), (2.5, "\t"), (4, _BOM))


def http_method(context: Context) -> Iterator[Change]:
    """Another method, or its name in lower case."""
    wire, signed = context.wire, context.plan.method
    overridden = (wire.header("X-HTTP-Method-Override") or wire.header("X-HTTP-Method") or "").upper()
    fix = "Sign the method that the request is sent with, in upper case."
    for method in dict.fromkeys((overridden, *_METHODS)):
        if method and method != signed:
            text = f"The client signed {method}; {signed} arrived."
            cost = (
                0
                if method == overridden
                else 0.5
                if method in ("POST", "GET")
                else 1.5
                if method == "PUT" and signed == "POST"
                else 2.5
            )
            yield change(cost, "http_method", text, fix, method=always(method))
    text = "The client signed the method's name in lower case."
    yield change(0.5, "http_method", text, fix, method=str.lower)
    if wire.method != signed:
        yield change(
            2,
            "http_method",
            f"The client signed the method as {wire.method[:20]!r}.",
            fix,
            method=always(wire.method),
        )
    yield change(4, "http_method", "The client signed the method's name with a capital.", fix, method=str.capitalize)


def secrets(context: Context) -> Iterator[Change]:
    """Secrets that are exchanged, missing, joined or encoded otherwise."""
    yield from _swapped_secrets(context)
    yield from _temporary_secret(context)
    yield from _joined_secrets(has_token=bool(context.plan.key.token_secret))


def _swapped_secrets(context: Context) -> Iterator[Change]:
    key, sent = context.plan.key, context.wire.protocol
    fix = "Check which secret the client uses for what."
    client, token = key.client_secret, key.token_secret
    if token:
        text = "The client used the token secret as its own, and the reverse."
        yield change(0, "secrets_swapped", text, fix, key=key_with(client_secret=token, token_secret=client))
        text = "The client signed as if there were no token secret."
        yield change(
            0, "token_secret_missing", text, "Sign with the token secret as well.", key=key_with(token_secret="")
        )
    for name, what, part in (
        ("oauth_consumer_key", "its identifier in the place of its secret", "client_secret"),
        ("oauth_token", "the token in the place of the token secret", "token_secret"),
    ):
        identifier = sent.get(name)
        if identifier:
            octets = octets_of(identifier)
            yield change(0.5, "secrets_swapped", f"The client used {what}.", fix, key=key_with(**{part: octets}))
    if token:
        text = "The client used its own secret for the token secret as well."
        yield change(3, "secrets_swapped", text, fix, key=key_with(token_secret=client))


def _temporary_secret(context: Context) -> Iterator[Change]:
    secret = context.secrets.temporary_secret
    if secret and secret != context.plan.key.token_secret:
        text = "The client kept the secret of the temporary credentials after the exchange."
        fix = "Sign with the secret that came with the token."
        yield change(0, "token_secret_missing", text, fix, key=key_with(token_secret=octets_of(secret)))


def _joined_secrets(*, has_token: bool) -> Iterator[Change]:
    fix = "Join both encoded secrets with &, also if the token secret is empty."
    yield change(0, "ampersand_missing", "The client left & out of the key.", fix, key=key_with(template="{}{}"))
    if has_token:
        text = "The client used its own secret alone as the key, without &."
        yield change(3, "ampersand_missing", text, fix, key=key_with(token_secret="", template="{}{}"))
    fix = "Percent-encode each secret once, then join them with &."
    yield change(0, "secret_encoding", "The client did not encode the secrets.", fix, key=key_with(encodings=0))
    yield change(0.5, "secret_encoding", "The client encoded the secrets twice.", fix, key=key_with(encodings=2))
    text = "The client encoded the & between the secrets."
    yield change(3, "secret_encoding", text, fix, key=key_with(template="{}%26{}"))


def needless_token_secret(context: Context) -> Iterator[Change]:
    """A token secret in the key of a request that names no token."""
    secret = context.secrets.token_secret
    if secret and not context.wire.protocol.get("oauth_token"):
        text = "The client signed with a token secret, and sent no oauth_token."
        fix = "Send the token, or sign with an empty token secret."
        yield change(1, "oauth_parameter", text, fix, key=key_with(token_secret=octets_of(secret)))


def whitespace(context: Context) -> Iterator[Change]:
    """A blank or a line end at the edge of a secret."""
    fix = "Copy the secret without blanks and line ends at its edges."
    names = (("client_secret", "client secret"), ("token_secret", "token secret"))
    for attribute, what in names:
        secret = getattr(context.plan.key, attribute)
        if not secret:
            continue
        for cost, edge in _EDGES:
            text = f"The client used its {what} with a blank or a line end behind it."
            yield change(cost, "secret_whitespace", text, fix, key=key_with(**{attribute: secret + edge}))
        for cost, edge in ((2.5, " "), (4, _BOM), (4, "\n"), (4, "\t")):
            text = f"The client used its {what} with a blank or a line end in front of it."
            yield change(cost, "secret_whitespace", text, fix, key=key_with(**{attribute: edge + secret}))
        if secret.strip() != secret:
            text = f"The client used its {what} without the blanks that the provider has at its edge."
            yield change(1, "secret_whitespace", text, fix, key=key_with(**{attribute: secret.strip()}))
    key = context.plan.key
    if key.token_secret:
        for _, edge in _EDGES[:3]:
            text = "The client used both secrets with a blank or a line end behind them."
            both = key_with(client_secret=key.client_secret + edge, token_secret=key.token_secret + edge)
            yield change(3, "secret_whitespace", text, fix, key=both)


def other_secrets(context: Context) -> Iterator[Change]:
    """Further current secrets of the client: nothing is wrong with those."""
    for secret in context.secrets.client_secrets[1:]:
        yield changing(-1, (), key=key_with(client_secret=octets_of(secret)))


def former_secrets(context: Context) -> Iterator[Change]:
    """Secrets that have ended."""
    for kind, secret in context.secrets.former:
        text = f"The client used a {kind} secret that has ended."
        octets = octets_of(secret)
        yield change(-1, "former_secret", text, "Use the current secret.", key=key_with(**{f"{kind}_secret": octets}))


def signature_method(context: Context) -> Iterator[Change]:
    """Another signature method than the one that is named."""
    named = context.plan.algorithm
    for method, known in SIGNATURE_METHODS.items():
        if method != named and (known.key_kind != "RSA key" or context.secrets.rsa_public_key):
            if not named:
                yield changing(0, (), algorithm=always(method))
                continue
            text = f"The client signed with {method} and named {named or 'no method'}."
            fix = f"Name the method that signs: oauth_signature_method={method}."
            cost = 1 if method.partition("-")[0] == named.partition("-")[0] else 2
            yield change(cost, "signature_method", text, fix, algorithm=always(method))


HYPOTHESES = (other_secrets, http_method, secrets, needless_token_secret, whitespace, former_secrets, signature_method)
