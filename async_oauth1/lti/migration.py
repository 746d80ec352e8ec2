"""From LTI 1.1 to 1.3: the migration claim, which an LTI 1.3 launch signs with the old secret.

The claim ``https://purl.imsglobal.org/spec/lti/claim/lti1p1`` of an ID token names the key of LTI 1.1, and
``oauth_consumer_key_sign`` proves that the platform has its secret. The ID token itself must have been verified before.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from .errors import named

__all__ = ["Migration", "migration_signature", "verify_migration"]

_CLAIMS = "https://purl.imsglobal.org/spec/lti/claim/"
_MISMATCH = (
    "oauth_consumer_key_sign does not match. Either this is not the secret of {key}, or the platform signed a nonce "
    "that is not that of the ID token, or another value of {others}. Canvas signs a nonce of its own: then the nonce "
    "cannot be checked, and the key has to be confirmed in another way, such as by an administrator."
)


@dataclass(frozen=True, slots=True)
class Migration:
    """What an LTI 1.3 launch was in LTI 1.1.

    Attributes:
        consumer_key: ``oauth_consumer_key`` of the claim; ``None`` if the claim lacks it.
        user_id: of the user in LTI 1.1; ``None`` unless the signature holds.
        resource_link_id: of the link in LTI 1.1; likewise.
        context_id: of the course in LTI 1.1; likewise.
        explanation: why the signature does not hold; empty if it does.
    """

    consumer_key: str | None
    user_id: str | None = None
    resource_link_id: str | None = None
    context_id: str | None = None
    explanation: str = ""

    @property
    def holds(self) -> bool:
        """Whether the platform has proved that it has the secret of ``consumer_key``."""
        return not self.explanation


def migration_signature(
    *, oauth_consumer_key: str, deployment_id: str, iss: str, client_id: str, exp: int | str, nonce: str, secret: str
) -> str:
    """The value of ``oauth_consumer_key_sign``: HMAC-SHA256 in Base64.

    Args:
        oauth_consumer_key: the key of LTI 1.1.
        deployment_id: of the ID token.
        iss: likewise.
        client_id: ``aud`` of the ID token.
        exp: of the ID token, Unix time in seconds.
        nonce: of the ID token.
        secret: of the key.
    """
    base = "&".join([oauth_consumer_key, deployment_id, iss, client_id, str(exp), nonce])
    return base64.b64encode(hmac.new(secret.encode(), base.encode(), hashlib.sha256).digest()).decode()


def verify_migration(claims: Mapping[str, Any], secret: str) -> Migration:
    """Verify the migration claim of an ID token.

    Args:
        claims: of an ID token whose own signature, issuer, audience, expiry and nonce were verified.
        secret: of ``oauth_consumer_key`` in the claim, as LTI 1.1 had it.

    Returns:
        The migration; its ``explanation`` says why the signature does not hold, if it does not.
    """
    found: object = claims.get(f"{_CLAIMS}lti1p1")
    if not isinstance(found, Mapping):
        return Migration(None, explanation=f"The ID token has no claim {_CLAIMS}lti1p1.")
    claim = cast("Mapping[str, Any]", found)
    key = _text(claim.get("oauth_consumer_key"))
    explanation = _problem(claims, claim, key, secret)
    if explanation:
        return Migration(key, explanation=explanation)
    # A platform leaves out what is the same in LTI 1.3.
    link, context = _object(claims.get(f"{_CLAIMS}resource_link")), _object(claims.get(f"{_CLAIMS}context"))
    return Migration(
        key,
        user_id=_text(claim.get("user_id", claims.get("sub"))),
        resource_link_id=_text(claim.get("resource_link_id", link.get("id"))),
        context_id=_text(claim.get("context_id", context.get("id"))),
    )


def _problem(claims: Mapping[str, Any], claim: Mapping[str, Any], key: str | None, secret: str) -> str:
    """Why the signature does not hold; empty if it does."""
    signature = _text(claim.get("oauth_consumer_key_sign"))
    signed = {"deployment_id": _text(claims.get(f"{_CLAIMS}deployment_id"))}
    signed |= {name: _text(claims.get(name)) for name in ("iss", "exp", "nonce")}
    audience = _audience(claims)
    present = {"oauth_consumer_key": key, "oauth_consumer_key_sign": signature, **signed, "aud": audience}
    if missing := [name for name, value in present.items() if not value]:
        return f"Missing, empty or of the wrong type: {named(missing)}."
    if not secret:
        return f"There is no secret for {named([key or ''])}."
    values = {name: value or "" for name, value in signed.items()}
    if _matches(signature, audience, oauth_consumer_key=key or "", secret=secret, **values):
        return ""
    return _cause(signature, audience, {"oauth_consumer_key": key or "", "secret": secret, **values})


def _cause(signature: str | None, audience: Iterable[str], values: dict[str, str]) -> str:
    """The mistake with which the signature holds, or else what may be wrong."""
    iss, secret = values["iss"], values["secret"]
    other_iss = iss.removesuffix("/") if iss.endswith("/") else f"{iss}/"
    mistakes = (
        ({"nonce": ""}, "The platform has signed an empty nonce instead of that of the ID token."),
        ({"iss": other_iss}, "The platform has signed iss with or without the slash at its end."),
        ({"secret": secret.strip()}, "The secret that was given has blanks around it."),
    )
    for changes, text in mistakes:
        if changes.items() - values.items() and _matches(signature, audience, **{**values, **changes}):
            return text
    others = "deployment_id, iss, client_id (aud) or exp"
    return _MISMATCH.format(key=named([values["oauth_consumer_key"]]), others=others)


def _matches(signature: str | None, audience: Iterable[str], **values: str) -> bool:
    """Whether a signature is that of these values and one of the audience."""
    expected = [migration_signature(client_id=client_id, **values) for client_id in audience]
    return any(hmac.compare_digest(one.encode(), (signature or "").encode()) for one in expected)


def _audience(claims: Mapping[str, Any]) -> tuple[str, ...]:
    """The client identifiers in ``aud``, which may be a list, and ``azp``."""
    audience: object = claims.get("aud")
    found = cast("list[object]", audience) if isinstance(audience, list | tuple) else [audience]
    texts = (_text(one) for one in [claims.get("azp"), *found])
    return tuple(dict.fromkeys(text for text in texts if text))


def _text(value: object) -> str | None:
    """A claim as text: Unix times are numbers. Encoded surrogates, which JSON may have, are no text."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    try:
        return str(value).encode().decode()
    except UnicodeEncodeError:
        return None


def _object(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}
