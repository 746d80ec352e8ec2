"""Compare a request with the base string that a provider shows in its refusal; no secret is needed.

Several providers answer 401 with the base string that they built. `explain_said` finds it in the body, and says in
which part it differs from what the request signs by RFC 5849 section 3.4.1.
"""

from __future__ import annotations

from dataclasses import replace

from async_oauth1.credentials import RSA_METHODS
from async_oauth1.errors import OAuth1Error
from async_oauth1.policy import Policy
from async_oauth1.protocol.signature import SIGNATURE_METHODS

from ..changes import Cause, Context, Secrets, key_of
from ..explanation import Explanation
from ..facts import unreadable, violations
from ..plan import Key, plan_of
from ..readings import Readings
from ..redaction import redacted
from ..search import Search
from ..texts import octets_of, shown
from ..wire import WireRequest, read
from .attempts import this_attempt
from .comparison import differences
from .finding import find_base_string

__all__ = ["explain_said", "find_base_string"]

_POLICY = Policy(signature_methods=tuple(SIGNATURE_METHODS), require_https=False)
_OTHER_ATTEMPT = "The nonce or the timestamp in it are another attempt's, which is no difference."


def explain_said(wire: WireRequest, said: str, keys: Secrets | None = None) -> Explanation:
    """Explain a refusal by the base string that the provider shows.

    Args:
        wire: the request, as the client sent it.
        said: the provider's base string, as `find_base_string` finds it.
        keys: if given, equal base strings are told apart: another key, or another text that was signed.

    Returns:
        The explanation; ``base_string`` is the provider's, with this request's nonce and timestamp.
    """
    plan = plan_of(wire, Key(""))
    plain = Explanation(verifies=False, causes=(), method=plan.algorithm, base_string=shown(said), signed=None)
    try:
        parsed = read(wire, _POLICY)
    except OAuth1Error as error:
        return replace(plain, causes=(unreadable(wire, error),))
    theirs = this_attempt(octets_of(said), plan.base_string)
    causes = tuple(differences(Context(wire, Secrets(), _POLICY, plan), theirs))
    if not causes:
        causes = _equal(wire, keys)
    if theirs != octets_of(said):
        causes = (replace(causes[0], text=f"{causes[0].text} {_OTHER_ATTEMPT}"), *causes[1:])
    facts = violations(wire, parsed, keys or Secrets(), _POLICY, None)
    known = {cause.code for cause in causes}
    causes = (*causes, *(fact for fact in facts if fact.code not in known))
    explanation = replace(plain, causes=causes, base_string=shown(theirs), signed=shown(plan.base_string))
    return redacted(explanation, keys or Secrets())


_EQUAL = "The provider's base string is the one that this request signs by the RFC."


def _equal(wire: WireRequest, keys: Secrets | None) -> tuple[Cause, ...]:
    """What equal base strings mean: another key, or another text that the client signed."""
    if keys is None:
        text = f"{_EQUAL} Either the key is wrong, or the client signs something else than it sends."
        fix = "Check both secrets. With ASYNC_OAUTH1_CLIENT_SECRET set, this command says which of the two it is."
        return (Cause("key", text, fix),)
    search = _search(wire, keys)
    match = search.run()
    if match is None:
        return (
            Cause("key", f"{_EQUAL} {_unmatched(wire, keys)}", "Check both secrets, also for the right environment."),
        )
    if not match.causes:
        text = f"{_EQUAL} The signature is right with the key given here, so the provider holds another key."
        return (Cause("key", text, "Compare the key with the one that the provider shows for this client."),)
    text = f"{_EQUAL} With the key given here, the signature shows what the client does otherwise."
    return (Cause("key", text, "See what follows."), *match.causes)


def _search(wire: WireRequest, keys: Secrets) -> Search:
    plan = plan_of(wire, key_of(wire, keys))
    signature = wire.protocol.get("oauth_signature", "")
    readings = Readings(signature, in_header=wire.protocol_place == "header", rsa_public_key=keys.rsa_public_key)
    return Search(Context(wire, keys, _POLICY, plan), readings)


def _unmatched(wire: WireRequest, keys: Secrets) -> str:
    signature = wire.protocol.get("oauth_signature", "")
    if wire.protocol.get("oauth_signature_method") not in RSA_METHODS or not keys.rsa_public_key:
        return "The signature is not the one of the key given here, so the client signs with another key."
    readings = Readings(signature, in_header=wire.protocol_place == "header", rsa_public_key=keys.rsa_public_key)
    if readings.digests:
        return "The signature was made with this key, but of something else than the request."
    return "The signature was not made with the private key of this public key."
