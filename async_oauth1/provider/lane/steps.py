"""The lane: who may enter, and its steps. The package says what it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any, TypeAlias

from async_oauth1.credentials import Client, TokenCredential
from async_oauth1.policy import Policy
from async_oauth1.protocol.request import OAuth1Request
from async_oauth1.protocol.signature import SIGNATURE_METHODS, SigningKeys, shared_keys
from async_oauth1.provider.checks import host_allowed
from async_oauth1.provider.hooks import Hooks, hook_caller
from async_oauth1.provider.signatures import DUMMY_CLIENT, DUMMY_CREDENTIAL

__all__ = ["LEFT_OUT", "REPLACEABLE", "Lane", "find_lane", "methods_of", "usual_timestamp"]

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
#: The methods whose replacement on the instance a protector notes.
REPLACEABLE = frozenset(OF_NONCES) | frozenset(LEFT_OUT)

_METHODS = {name: SIGNATURE_METHODS[name] for name in ("HMAC-SHA1", "HMAC-SHA256")}

_CLIENTS, _CREDENTIALS = (Client, type(None)), (TokenCredential, type(None))
_DUMMIES = (DUMMY_CLIENT, DUMMY_CREDENTIAL, DUMMY_CLIENT.client_id)

_Peek: TypeAlias = Callable[[str, "str | None"], "tuple[Client | None, TokenCredential | None] | None"]
_ExistsNonce: TypeAlias = Callable[[str, str, str, "str | None"], bool]


def find_lane(protector: Any, usual: tuple[Any, ...]) -> Lane | None:
    """The lane of a protector, or ``None`` if only the general path knows how it verifies.

    Args:
        protector: a resource protector.
        usual: `methods_of` its class, if nothing is replaced.
    """
    # Not read from its ``__dict__``: once an object has one, CPython 3.11 looks all of its attributes up slowly.
    is_usual = protector._complete and not protector._custom_verifiers  # noqa: SLF001 - the lane is a part of it
    if not is_usual or hook_caller.get() is not None:
        return None
    replaced: frozenset[str] = protector._replaced  # noqa: SLF001 - what a protector keeps for its lane
    asks_store = not replaced and methods_of(type(protector)) == usual
    if not asks_store and _is_replaced(protector, usual, replaced):
        return None
    lane: Lane | None = protector._lane  # noqa: SLF001 - kept for the lane, too
    if lane is None or lane.version != protector.hooks.version or lane.asks_store != asks_store:
        lane = protector._lane = Lane(protector.hooks, asks_store=asks_store)  # noqa: SLF001 - kept for the lane
    return lane if lane.is_open else None


def _is_replaced(protector: Any, usual: tuple[Any, ...], replaced: frozenset[str]) -> bool:
    """Whether something else is replaced than what `OF_NONCES` names."""
    first = len(OF_NONCES)
    return methods_of(type(protector))[first:] != usual[first:] or not replaced.isdisjoint(LEFT_OUT)


class Lane:
    """The part that is the same for every request until a hook is registered.

    Attributes:
        asks_store: see `__init__`.
        version: of the hooks, see `Hooks`.
        is_open: false once a look-up has returned another class than `Client` or `TokenCredential`: such models are
            asked for their secrets by awaiting, so the lane could not use them.
    """

    __slots__ = ("_exists_nonce", "_peek_both", "_peek_client", "asks_store", "is_open", "version")

    def __init__(self, hooks: Hooks, *, asks_store: bool = True) -> None:
        """Find out which stores need not wait.

        Args:
            hooks: of the protector.
            asks_store: whether the protector does nothing about nonces but to ask the hook.
        """
        self.asks_store = asks_store
        self.is_open = True
        self.version = hooks.version
        self._peek_both: _Peek | None = _without_waiting(hooks.get("query_credentials"), "query_credentials", "peek")
        self._peek_client: _Peek | None = _without_waiting(hooks.get("query_client"), "query_client", "peek")
        self._exists_nonce: _ExistsNonce | None = None
        if asks_store:
            hook = hooks.get("exists_nonce")
            self._exists_nonce = _without_waiting(hook, "exists_nonce", "exists_nonce_at_once")

    @staticmethod
    def admits(
        request: OAuth1Request,
        policy: Policy,
        now: float,
        two_legged: bool,  # noqa: FBT001 - called for every request, and keywords take longer
        body_hash_required: bool,  # noqa: FBT001 - called for every request, and keywords take longer
    ) -> bool:
        """Whether every check without a look-up would pass, and the request deviates in nothing."""
        # A subclass may override how signatures are compared.
        if type(request) is not OAuth1Request or request.deviations or request.has_other_header_parameters:
            return False
        sent, timestamp, size = request.protocol_parameters, request.usual_timestamp, request.identifiers_size
        if not timestamp:  # read in Python, or unusual
            timestamp, size = usual_timestamp(sent)
        if not (
            timestamp
            and abs(timestamp - now) <= policy.timestamp_window
            and size <= policy.max_identifier_bytes
            and (method := sent["oauth_signature_method"]) in _METHODS
            and method in policy.signature_methods
            and (two_legged or sent.get("oauth_token"))
        ):
            return False
        if request.may_be_rewritten or policy.tolerances:
            return False
        if request.scheme != "https" and policy.require_https and not request.is_secure:
            return False
        if policy.allowed_hosts and not host_allowed(request.hostname, policy.allowed_hosts):
            return False
        # A form is signed. Any other body is checked by the general path, if it is to be checked at all.
        return not (body_hash_required or policy.require_signed_body) or (request.is_form and request.body is not None)

    def look_up(self, request: OAuth1Request) -> bool | None:
        """Set client and credential if that needs no waiting.

        Returns:
            Whether a token that the request needs is missing; ``None`` if the look-up must be awaited.
        """
        sent = request.protocol_parameters
        token = sent.get("oauth_token") or None
        peek = self._peek_client if token is None else self._peek_both
        found = peek and peek(sent["oauth_consumer_key"], token)
        if not found:
            return None
        request.client, request.credential = found
        return token is not None and found[1] is None

    def holds(self, request: OAuth1Request, *, token_missing: bool) -> bool:
        """Whether the signature verifies with the current secrets; ``token_missing`` as from `look_up`."""
        client: Client | None = request.client
        credential: TokenCredential | None = request.credential
        # A subclass may override a method with a coroutine function.
        if type(client) not in _CLIENTS or type(credential) not in _CREDENTIALS:
            self.is_open = False
            return False
        sent = request.protocol_parameters
        name = sent["oauth_signature_method"]
        is_known = client is not None and not token_missing
        models = (client, credential, sent["oauth_consumer_key"]) if is_known else _DUMMIES
        keys = _current_keys(*models)
        if keys is None:  # nothing is computed here, because the general path computes with other keys
            return False
        if not request.is_signed_by(_METHODS[name], keys) or not is_known or client is None:
            return False
        if not (client.signature_methods or client.rsa_public_key):
            return True  # the usual case: every method of the server's
        methods = client.get_signature_methods()
        return methods is None or name in methods

    def is_nonce_new(self, request: OAuth1Request, window: float, clock: Callable[[], float]) -> bool:
        """Remember the nonce of a genuine request, if that needs no waiting.

        Returns:
            Whether it is new, and the timestamp is still in the window of so many seconds. If not, or not known,
            `BaseServer.use_nonce` asks the store, also about its error.
        """
        sent, exists_nonce = request.protocol_parameters, self._exists_nonce
        if exists_nonce is None:
            return False
        try:
            is_known = exists_nonce(
                sent["oauth_nonce"],
                sent["oauth_timestamp"],
                sent["oauth_consumer_key"],
                sent.get("oauth_token") or None,
            )
        except Exception:  # noqa: BLE001 - the store is asked again, and its error handled there
            return False
        timestamp = request.usual_timestamp or int(sent["oauth_timestamp"])
        return is_known is False and abs(timestamp - clock()) <= window


def _current_keys(client: Client | None, credential: TokenCredential | None, client_id: str) -> SigningKeys | None:
    """The current secrets, if there are some, and nothing is tolerated of the client."""
    if client is None or client.tolerances or not client.client_secret:
        return None
    if credential is None:
        return shared_keys(client.client_secret, "")
    if credential.client_id != client_id:
        return None
    return shared_keys(client.client_secret, credential.oauth_token_secret)


def usual_timestamp(sent: Mapping[str, str]) -> tuple[int, int]:
    """Judge protocol parameters as the native reader does: all that the lane wants of them, whatever the policy is.

    Returns:
        The timestamp, and the octets of client identifier, token, nonce and timestamp together; twice 0 if a parameter
        is missing, empty or unusual.
    """
    try:
        _, timestamp = sent["oauth_signature_method"], sent["oauth_timestamp"]
        client_id, nonce, signature = sent["oauth_consumer_key"], sent["oauth_nonce"], sent["oauth_signature"]
    except KeyError:
        return 0, 0
    if not (client_id and nonce and timestamp and signature) or "oauth_body_hash" in sent:
        return 0, 0
    text = f"{client_id}{sent.get('oauth_token', '')}{nonce}{timestamp}"
    if sent.get("oauth_version", "1.0") != "1.0" or not (text.isascii() and text.isprintable()):
        return 0, 0
    is_positive = timestamp.isdigit() and timestamp[0] != "0" and len(timestamp) <= 12
    return (int(timestamp), len(text)) if is_positive else (0, 0)


def _without_waiting(hook: Any, name: str, plain: str) -> Any:
    """The store's plain function that does the same as a hook, if the hook is the store's own method of this name.

    A subclass that overrides one of the two without the other would answer differently.
    """
    store: Any = getattr(hook, "__self__", None)
    at_once, owners = getattr(store, plain, None), type(store).__mro__
    if not (_is_method_of(owners[0], name, hook) and _is_method_of(owners[0], plain, at_once)):
        return None
    for owner in owners:
        if name in vars(owner) or plain in vars(owner):
            return at_once if {name, plain} <= vars(owner).keys() else None
    return None


def _is_method_of(cls: type, name: str, method: Any) -> bool:
    """Whether something is the method of this name that a class has, and not another one of the instance's own."""
    func: object = getattr(method, "__func__", None)
    return func is not None and func is getattr(cls, name, None)
