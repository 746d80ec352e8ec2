"""Which protectors may enter the lane."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

from async_oauth1.provider.hooks import hook_caller

from .steps import Lane

__all__ = ["LEFT_OUT", "find_lane", "methods_of"]

#: What the lane leaves out, or calls only in part. With one of these replaced, the general path is taken.
LEFT_OUT = (
    "validate_request",
    "verify",
    "check_request",
    "check_transport",
    "is_secure",
    "check_signature_method",
    "_look_up",
    "_belongs_to_client",
    "get_client_by_id",
    "get_token_credential",
    "verify_signature",
    "custom_verifier",
    "find_tolerances",
    "longest_window",
    "verify_body",
    "_hook",
)
#: With one of these replaced, the nonce is awaited, as in the general path.
OF_NONCES = ("use_nonce", "exists_nonce", "check_window")
#: The functions of a class that these names stand for.
methods_of = attrgetter(*OF_NONCES, *LEFT_OUT)
_ALL = frozenset(OF_NONCES) | frozenset(LEFT_OUT)


def find_lane(protector: Any, usual: tuple[Any, ...]) -> Lane | None:
    """The lane of a protector, or ``None`` if only the general path knows how it verifies.

    Args:
        protector: a resource protector.
        usual: `methods_of` its class, if nothing is replaced.
    """
    attributes: dict[str, Any] = protector.__dict__
    if not attributes["_complete"] or attributes["_custom_verifiers"] or hook_caller.get() is not None:
        return None
    asks_store = methods_of(type(protector)) == usual and _ALL.isdisjoint(attributes)
    if not asks_store and _is_replaced(protector, usual):
        return None
    lane: Lane | None = attributes.get("_lane")
    if lane is None or lane.version != protector.hooks.version or lane.asks_store != asks_store:
        lane = protector._lane = Lane(protector.hooks, asks_store=asks_store)  # noqa: SLF001 - it keeps its own lane
    return lane if lane.is_open else None


def _is_replaced(protector: Any, usual: tuple[Any, ...]) -> bool:
    """Whether something else is replaced than what `OF_NONCES` names."""
    first = len(OF_NONCES)
    return methods_of(type(protector))[first:] != usual[first:] or any(map(protector.__dict__.__contains__, LEFT_OUT))
