"""The methods of a store, as Protocols: `Store` keeps everything, `TransientStore` only what expires in minutes."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Protocol, Self, Unpack, runtime_checkable

from async_oauth1.credentials import Client, ClientChanges, TemporaryCredential, TokenCredential
from async_oauth1.policy import Policy

__all__ = ["Store", "TransientStore"]


@runtime_checkable
class TransientStore(Protocol):
    """A store of nonces and temporary credentials, which expire in minutes.

    Its methods raise `StoreUnavailableError` if an open store does not answer.

    Attributes:
        url: printable, without password.
        shared: whether several processes may use the store at once.
    """

    url: str
    shared: bool

    def prepare(self, policy: Policy) -> None:
        """Use the lifetimes and limits of a server's policy.

        Raises:
            ValueError: the store was configured to keep nonces for less time than the policy needs.
        """
        ...

    async def migrate(self) -> None:
        """Create the tables, or bring them up to date. Safe to repeat, and for several processes at once.

        Raises:
            StoreError: the store cannot be reached, or its tables were made by a newer release.
        """
        ...

    async def open(self) -> None:
        """Connect; creates nothing.

        Raises:
            StoreError: the store is missing, damaged, locked, or its tables are not those of this release.
        """
        ...

    async def close(self) -> None:
        """Finish what is under way and disconnect. Safe to repeat."""
        ...

    async def ping(self) -> None:
        """Raise `StoreUnavailableError` unless the store answers."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None: ...

    async def exists_nonce(self, nonce: str, timestamp: str, client_id: str, oauth_token: str | None) -> bool:
        """Record a nonce, and return whether it was known before; one atomic step (RFC 5849 section 3.3)."""
        ...

    async def create_temporary_credential(
        self, token: dict[str, str], client_id: str, redirect_uri: str, *, scope: str = ""
    ) -> TemporaryCredential:
        """Keep new temporary credentials (RFC 5849 section 2.1).

        Args:
            token: ``oauth_token`` and ``oauth_token_secret``.
            client_id: the client.
            redirect_uri: its callback.
            scope: what the client asks for, separated by spaces.

        Raises:
            TooManyPendingError: the client has as many as it may have.
            ValueError: the token is taken, or text that cannot be stored.
        """
        ...

    async def get_temporary_credential(self, oauth_token: str) -> TemporaryCredential | None:
        """Look up temporary credentials; ``None`` if they have expired or were denied or taken."""
        ...

    async def delete_temporary_credential(self, oauth_token: str) -> bool:
        """Take temporary credentials: only one caller gets ``True``; ``False`` once they have expired."""
        ...

    async def create_authorization_verifier(
        self, credential: Any, grant_user: Any, verifier: str, *, scope: str = ""
    ) -> bool:
        """Bind a user, a verifier and the granted scope to temporary credentials.

        Returns:
            ``False`` if they were decided before or are gone.
        """
        ...

    async def deny_temporary_credential(self, oauth_token: str) -> bool:
        """Deny temporary credentials; ``False`` if they were decided before or are gone."""
        ...

    async def count_wrong_verifier(self, oauth_token: str) -> int:
        """Count a wrong verifier, and return how many there were; `GONE` if the credentials are gone."""
        ...


@runtime_checkable
class Store(TransientStore, Protocol):
    """A store of everything that a provider keeps: also clients and token credentials."""

    async def query_client(self, client_id: str) -> Client | None:
        """Look up a client."""
        ...

    async def query_token(self, client_id: str, oauth_token: str) -> TokenCredential | None:
        """Look up token credentials; ``None`` if they belong to another client."""
        ...

    async def query_credentials(self, client_id: str, oauth_token: str) -> tuple[Client | None, TokenCredential | None]:
        """Look up a client and token credentials in one round trip."""
        ...

    async def create_token_credential(self, token: dict[str, str], temporary_credential: Any) -> TokenCredential:
        """Keep new token credentials for the client, user and scope of the temporary ones (RFC 5849 section 2.3).

        Raises:
            ValueError: the token is taken, or text that cannot be stored.
        """
        ...

    async def exchange(self, temporary_credential: Any, token: dict[str, str]) -> TokenCredential | None:
        """Exchange approved temporary credentials for new token credentials, in one atomic step.

        Returns:
            The new ones; ``None`` if the temporary ones are not approved or are gone.

        Raises:
            ValueError: the token is taken, or text that cannot be stored.
        """
        ...

    async def issue_token_credential(
        self, client_id: str, user_id: Any, *, scope: str = "", lifetime: float | None = None
    ) -> TokenCredential:
        """Issue token credentials without asking the resource owner, such as a user's own token for a script.

        Args:
            client_id: a registered client.
            user_id: the resource owner, as ``grant_user`` in other methods.
            scope: separated by spaces.
            lifetime: seconds; ``None`` for credentials that never expire.

        Raises:
            ValueError: there is no such client; text that cannot be stored; a lifetime that is not above 0.
        """
        ...

    async def add_client(self, client: Client) -> None:
        """Register a client.

        Raises:
            ValueError: the identifier is taken.
        """
        ...

    async def list_clients(self) -> list[Client]:
        """Every client, sorted by name."""
        ...

    async def rotate_client_secret(self, client_id: str, *, overlap: float) -> Client | None:
        """Give a client a new secret.

        Args:
            client_id: of a client with a secret.
            overlap: seconds for which the current secret still verifies; with 0, only the new secret verifies.

        Returns:
            The client with its new secret; ``None`` if there is no such client.

        Raises:
            ValueError: a negative overlap; the client has no secret; too many former secrets still verify.
        """
        ...

    async def update_client(self, client_id: str, **changes: Unpack[ClientChanges]) -> Client | None:
        """Change attributes of a client, in one atomic step. Its secrets and tokens stay valid.

        Args:
            client_id: of a registered client.
            changes: new values; attributes that are left out keep theirs, also if another process changes them.

        Returns:
            The client as it is now; ``None`` if there is no such client.

        Raises:
            TypeError: an attribute that cannot be changed, or a value of the wrong type.
            ValueError: an unknown nonce policy, an RSA key that cannot be used, or text that cannot be stored.
            InvalidRequestError: a callback that the first step would refuse.
        """
        ...

    async def remove_client(self, client_id: str) -> bool:
        """Remove a client and its credentials; ``False`` if there is no such client."""
        ...

    async def list_token_credentials(
        self, *, user_id: str | None = None, client_id: str | None = None
    ) -> list[TokenCredential]:
        """Token credentials, oldest first: those of a resource owner, of a client, of both together, or all."""
        ...

    async def revoke_token_credential(self, oauth_token: str, *, user_id: str | None = None) -> bool:
        """Revoke token credentials; ``False`` if there are none, or none of the resource owner that is given."""
        ...

    async def revoke_token_credentials(self, *, user_id: str | None = None, client_id: str | None = None) -> int:
        """Revoke all token credentials of a resource owner, of a client, or of both together.

        Returns:
            How many were revoked.

        Raises:
            ValueError: neither is given.
        """
        ...

    async def reencrypt(self) -> int:
        """Encrypt under the newest key every secret that is not encrypted under it yet.

        Safe to repeat, and while the store is in use.

        Returns:
            How many records were written.

        Raises:
            StoreError: there is no key; or some records could not be read, and all others are encrypted now.
        """
        ...
