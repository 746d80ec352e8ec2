"""The three kinds of credentials (RFC 5849 section 1.1) as frozen records with Authlib's mixin methods.

The shipped stores return these. A provider can use its own models instead, if they have the methods of `ClientLike`,
`TokenCredentialLike` or `TemporaryCredentialLike`; each method may be a coroutine function. ``repr`` never shows a
secret.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias, TypedDict, TypeVar

from .errors import InvalidRequestError
from .protocol.callbacks import callback_fault, callback_matches
from .protocol.rsa_keys import StoredKey, check_key_form
from .protocol.signature import SIGNATURE_METHODS
from .tolerances import CALLBACK_QUERY_MAY_DIFFER, REPEATED_NONCE, check_tolerances

__all__ = [
    "Client",
    "ClientChanges",
    "ClientLike",
    "MaybeAwaitable",
    "NoncePolicy",
    "TemporaryCredential",
    "TemporaryCredentialLike",
    "TokenCredential",
    "TokenCredentialLike",
]

#: ``strict`` refuses a nonce that was used; ``log-only`` logs it, for a client that repeats nonces and cannot change.
NoncePolicy = Literal["strict", "log-only"]

#: The methods that need an RSA key.
RSA_METHODS = tuple(name for name, method in SIGNATURE_METHODS.items() if method.key_kind == "RSA key")


T = TypeVar("T")
#: What a hook or a model's method returns: its result, or an awaitable of it.
MaybeAwaitable: TypeAlias = Awaitable[T] | T


class ClientLike(Protocol):
    """The methods that a client model must have.

    It may also have ``get_client_secrets()``, ``get_signature_methods()``, ``check_callback(uri)``,
    ``get_nonce_policy()`` and ``get_tolerances()``, as `Client` has.
    """

    def get_client_secret(self) -> MaybeAwaitable[str | bytes | None]:
        """The shared secret. With ``None``, no HMAC method and no PLAINTEXT verifies."""
        ...

    def get_rsa_public_key(self) -> MaybeAwaitable[str | bytes | None]:
        """The public key in PEM. With ``None``, no RSA method verifies."""
        ...


class TokenCredentialLike(Protocol):
    """The methods that a token credential model must have, and ``get_scope()`` if routes require scopes."""

    def get_oauth_token(self) -> MaybeAwaitable[str | bytes]:
        """The token."""
        ...

    def get_oauth_token_secret(self) -> MaybeAwaitable[str | bytes]:
        """The secret that belongs to the token."""
        ...


class TemporaryCredentialLike(TokenCredentialLike, Protocol):
    """The methods that a temporary credential model must have.

    It may also have ``get_scope()``: the scope that was granted, which the shipped stores give to the token
    credentials; and ``is_decided()``: whether it was approved or denied. If it tells the user who approved and the
    verifier, a second click on "Approve", a reload and the way back lead to the same place as the first click; else
    they are refused if it was decided. It tells the user by ``get_user_id()`` or ``user_id``, and the verifier by
    ``get_verifier()`` or ``oauth_verifier``: methods, attributes or, in a mapping, keys; both ``None`` until then.
    """

    def get_client_id(self) -> MaybeAwaitable[str | bytes]:
        """The client that it was issued to."""
        ...

    def get_redirect_uri(self) -> MaybeAwaitable[str | None]:
        """The callback given at the first step."""
        ...

    def check_verifier(self, verifier: str, /) -> MaybeAwaitable[bool]:
        """Whether this is the verifier bound to it at approval."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A registered client.

    Attributes:
        client_id: what ``oauth_consumer_key`` says; 1 to 255 bytes.
        client_secret: shared secret, ``None`` for a client that only signs with RSA.
        overlapping_secrets: former secrets that still verify, newest first.
        overlaps_end_at: Unix time until which each of them does, ``None`` for always; empty: all of them always.
        name: what the resource owner reads on the consent page.
        callbacks: registered callbacks; ``oob`` among them allows codes.
        signature_methods: the methods enabled for this client; empty: all of the server's, or those of RSA if it has a
            key.
        rsa_public_key: PEM, a public key or an X.509 certificate; 1,024 bits or more, 2,048 are recommended.
        nonce_policy: ``strict`` or ``log-only``.
        callback_query_may_differ: let the query of a callback differ from the registered one.
        tolerances: names of rules to relax for this client, from `async_oauth1.tolerances.CLIENT_TOLERANCES`.
        disabled: every request of the client is refused as if it were unknown.
    """

    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    overlapping_secrets: tuple[str, ...] = field(default=(), repr=False)
    overlaps_end_at: tuple[float | None, ...] = ()
    name: str = ""
    callbacks: tuple[str, ...] = ()
    signature_methods: tuple[str, ...] = ()
    rsa_public_key: str | None = field(default=None, repr=False)
    nonce_policy: NoncePolicy = "strict"
    callback_query_may_differ: bool = False
    tolerances: tuple[str, ...] = ()
    disabled: bool = False

    def __post_init__(self) -> None:
        """Refuse a record that could never work.

        Raises:
            TypeError: a single string instead of a tuple of strings; its letters would be secrets.
            ValueError: an identifier that no request can carry, an unknown nonce policy, a number of ends that is not
                that of the overlapping secrets, an RSA key that cannot be used, or a tolerance that is not known.
            InvalidRequestError: a callback that the first step would refuse.
        """
        for name in ("overlapping_secrets", "callbacks", "signature_methods"):
            if isinstance(getattr(self, name), str):
                raise TypeError(f"{name} is a tuple of strings, not one string")
        if not 1 <= len(self.client_id.encode()) <= 255 or not self.client_id.isprintable():
            raise ValueError(f"client_id is 1 to 255 bytes without control characters, not {self.client_id[:100]!a}")
        if self.overlaps_end_at and len(self.overlaps_end_at) != len(self.overlapping_secrets):
            raise ValueError(
                f"overlaps_end_at has one time for each of the {len(self.overlapping_secrets)} overlapping_secrets, "
                f"or none at all, and not {len(self.overlaps_end_at)}"
            )
        if self.nonce_policy not in ("strict", "log-only"):
            raise ValueError(f'nonce_policy is "strict" or "log-only", not {self.nonce_policy!r}')
        if self.rsa_public_key is not None and not isinstance(self.rsa_public_key, StoredKey):
            _check_rsa_public_key(self.rsa_public_key)
        for callback in self.callbacks:
            if fault := callback_fault(callback):
                raise InvalidRequestError(f"callbacks: {callback[:100]!a} {fault}.")
        if self.tolerances != ():
            object.__setattr__(self, "tolerances", check_tolerances(self.tolerances, of_client=True))

    def get_default_redirect_uri(self) -> str | None:
        """The first registered callback that is a URI."""
        return next((uri for uri in self.callbacks if uri != "oob"), None)

    def get_client_secret(self) -> str | None:
        """The current secret."""
        return self.client_secret

    def get_client_secrets(self) -> tuple[str, ...]:
        """Every secret that verifies, current first."""
        return (self.client_secret, *self.overlapping_secrets) if self.client_secret else self.overlapping_secrets

    def get_rsa_public_key(self) -> str | None:
        """The public key in PEM."""
        return self.rsa_public_key

    def get_signature_methods(self) -> tuple[str, ...] | None:
        """The methods enabled for this client, or ``None`` for all of the server's.

        A client with a public key signs with RSA unless it is said otherwise: a secret that it happens to have, too,
        must not be a second way in.
        """
        return self.signature_methods or (RSA_METHODS if self.rsa_public_key else None)

    def get_nonce_policy(self) -> NoncePolicy:
        """What a repeated nonce means."""
        return "log-only" if REPEATED_NONCE in self.tolerances else self.nonce_policy

    def get_tolerances(self) -> tuple[str, ...]:
        """The names of the rules that are relaxed for this client."""
        return self.tolerances

    def check_callback(self, uri: str) -> bool:
        """Whether the callback is registered; a loopback one with any port."""
        may_differ = self.callback_query_may_differ or CALLBACK_QUERY_MAY_DIFFER in self.tolerances
        return callback_matches(uri, self.callbacks, query_may_differ=may_differ)


class ClientChanges(TypedDict, total=False):
    """What `Store.update_client` can change. An attribute that is left out keeps its value.

    Attributes:
        callbacks: as in `Client`; they replace the registered ones.
        callback_query_may_differ: as in `Client`.
        nonce_policy: as in `Client`.
        tolerances: as in `Client`; they replace the present ones.
        name: as in `Client`.
        signature_methods: as in `Client`; they replace the present ones.
        rsa_public_key: as in `Client`; ``None`` removes it.
    """

    callbacks: tuple[str, ...]
    callback_query_may_differ: bool
    nonce_policy: NoncePolicy
    tolerances: tuple[str, ...]
    name: str
    signature_methods: tuple[str, ...]
    rsa_public_key: str | None


def _check_rsa_public_key(key: str) -> None:
    try:
        check_key_form(key)
    except ValueError as error:
        raise ValueError(f"rsa_public_key {error}") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class TemporaryCredential:
    """Temporary credentials (section 2.1), bound to the client that asked for them.

    Attributes:
        oauth_token: the identifier that travels through the browser.
        oauth_token_secret: known to the client alone.
        client_id: the client that asked.
        oauth_callback: the URL to which the browser returns; ``oob`` for a code.
        user_id: the resource owner who approved, once decided.
        oauth_verifier: what proves the approval; ``None`` until then, and after a denial.
        decided: approved or denied.
        requested_scope: what the client asked for, space-separated. It is only asked: show it, and grant what you see
            fit.
        scope: what was granted, space-separated; empty until decided.
    """

    oauth_token: str
    oauth_token_secret: str = field(repr=False)
    client_id: str
    oauth_callback: str
    user_id: str | None = None
    oauth_verifier: str | None = field(default=None, repr=False)
    decided: bool = False
    requested_scope: str = ""
    scope: str = ""

    def get_oauth_token(self) -> str:
        """The temporary token."""
        return self.oauth_token

    def get_oauth_token_secret(self) -> str:
        """Its secret."""
        return self.oauth_token_secret

    def get_client_id(self) -> str:
        """The client that it was issued to."""
        return self.client_id

    def get_redirect_uri(self) -> str:
        """The callback given at the first step."""
        return self.oauth_callback

    def get_user_id(self) -> str | None:
        """The resource owner who approved."""
        return self.user_id

    def get_verifier(self) -> str | None:
        """What proves the approval."""
        return self.oauth_verifier

    def get_scope(self) -> str:
        """The scopes that were granted, separated by spaces."""
        return self.scope

    def is_decided(self) -> bool:
        """Whether it was approved or denied."""
        return self.decided

    def check_verifier(self, verifier: str) -> bool:
        """Whether this is the verifier issued at approval, in constant time."""
        if not self.oauth_verifier:
            return False
        return hmac.compare_digest(self.oauth_verifier.encode(), verifier.encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenCredential:
    """Token credentials (section 2.3): what the client holds to act for a resource owner.

    Attributes:
        oauth_token: the identifier sent with each request.
        oauth_token_secret: the second half of the signing key.
        client_id: the only client that may use it.
        user_id: the resource owner.
        scope: space-separated; empty covers no named scope.
        created_at: Unix time, in seconds.
        expires_at: Unix time from which the stores know it no more; ``None`` for never.
    """

    oauth_token: str
    oauth_token_secret: str = field(repr=False)
    client_id: str
    user_id: str
    scope: str = ""
    created_at: float = 0.0
    expires_at: float | None = None

    def get_oauth_token(self) -> str:
        """The token."""
        return self.oauth_token

    def get_oauth_token_secret(self) -> str:
        """Its secret."""
        return self.oauth_token_secret

    def get_client_id(self) -> str:
        """The client that it was issued to."""
        return self.client_id

    def get_user_id(self) -> str:
        """The resource owner."""
        return self.user_id

    def get_scope(self) -> str:
        """The scopes it covers, separated by spaces."""
        return self.scope


# The type parameters of resource protectors: a provider's own models, or the records above if nothing else is said.
# Defaults came to Python's own TypeVar in 3.13. Type checkers know those of typing_extensions without installing it.
if TYPE_CHECKING:
    from typing_extensions import TypeVar as _TypeVar

    ClientT_co = _TypeVar("ClientT_co", bound=ClientLike, covariant=True, default=Client)
    TokenT_co = _TypeVar("TokenT_co", bound=TokenCredentialLike, covariant=True, default=TokenCredential)
else:
    ClientT_co = TypeVar("ClientT_co", bound=ClientLike, covariant=True)
    TokenT_co = TypeVar("TokenT_co", bound=TokenCredentialLike, covariant=True)
