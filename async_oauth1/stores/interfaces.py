"""What stores offer, as Protocols: everything, or what comes and goes alone."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Protocol, Self, runtime_checkable

from async_oauth1.credentials import Client, TemporaryCredential, TokenCredential
from async_oauth1.policy import Policy

__all__ = ["Store", "TransientStore"]


@runtime_checkable
class TransientStore(Protocol):
    """Nonces and temporary credentials in one place: what is gone within minutes.

    Where a store cannot be asked while it is in use, its methods raise `StoreUnavailableError`.

    Attributes:
        url: printable, without password.
        shared: whether several processes may use it at once.
    """

    url: str
    shared: bool

    def prepare(self, policy: Policy) -> None:
        """Take over a server's lifetimes.

        Raises:
            ValueError: the store was configured to forget nonces too early for this server.
        """
        ...

    async def migrate(self) -> None:
        """Create the tables, or bring them up to date. Safe to repeat, and to do in several processes at once.

        Raises:
            StoreError: the store cannot be reached, or was made by a newer release.
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
        """Remember a nonce and say whether it was known, in one atomic step (RFC 5849 section 3.3)."""
        ...

    async def create_temporary_credential(
        self, token: dict[str, str], client_id: str, redirect_uri: str
    ) -> TemporaryCredential:
        """Keep new temporary credentials (section 2.1)."""
        ...

    async def get_temporary_credential(self, oauth_token: str) -> TemporaryCredential | None:
        """Look temporary credentials up; ``None`` once expired, denied or taken."""
        ...

    async def delete_temporary_credential(self, oauth_token: str) -> bool:
        """Take temporary credentials; of any number of callers one gets ``True``, and none once they expired."""
        ...

    async def create_authorization_verifier(self, credential: Any, grant_user: Any, verifier: str) -> bool:
        """Bind user and verifier to temporary credentials; ``False`` where they were decided before, or are gone."""
        ...

    async def deny_temporary_credential(self, oauth_token: str) -> bool:
        """Record a refusal; ``False`` where the credentials were decided before, or are gone."""
        ...

    async def count_wrong_verifier(self, oauth_token: str) -> int:
        """Count a wrong verifier and return how many there were; more than any limit where they are gone."""
        ...


@runtime_checkable
class Store(TransientStore, Protocol):
    """Clients and token credentials, too: all that a provider keeps."""

    async def query_client(self, client_id: str) -> Client | None:
        """Look a client up."""
        ...

    async def query_token(self, client_id: str, oauth_token: str) -> TokenCredential | None:
        """Look token credentials up; ``None`` where they belong to another client."""
        ...

    async def query_credentials(self, client_id: str, oauth_token: str) -> tuple[Client | None, TokenCredential | None]:
        """Look client and token credentials up in one round trip."""
        ...

    async def create_token_credential(self, token: dict[str, str], temporary_credential: Any) -> TokenCredential:
        """Keep new token credentials, for the client and user of the temporary ones (section 2.3)."""
        ...

    async def exchange(self, temporary_credential: Any, token: dict[str, str]) -> TokenCredential | None:
        """Take approved temporary credentials and keep new token credentials, both or neither."""
        ...

    async def issue_token_credential(
        self, client_id: str, user_id: Any, *, scope: str = "", lifetime: float | None = None
    ) -> TokenCredential:
        """Issue token credentials without asking the resource owner: for a client and a user that are one person's.

        Args:
            client_id: a registered client.
            user_id: the resource owner, as ``grant_user`` elsewhere.
            scope: separated by spaces.
            lifetime: seconds; ``None`` for credentials that never expire.

        Raises:
            ValueError: there is no such client; text that cannot be stored; no lifetime.
        """
        ...

    async def add_client(self, client: Client) -> None:
        """Register a client.

        Raises:
            ValueError: the identifier is taken.
        """
        ...

    async def list_clients(self) -> list[Client]:
        """Every client, by name."""
        ...

    async def rotate_client_secret(self, client_id: str, *, overlap: float) -> Client | None:
        """Give a client a new secret.

        Args:
            client_id: of a client with a secret.
            overlap: seconds for which the current secret verifies, too; 0 ends every former one at once.

        Returns:
            The client with its new secret; ``None`` where there is none of that name.

        Raises:
            ValueError: a negative overlap; no secret to rotate; too many former ones that still verify.
        """
        ...

    async def remove_client(self, client_id: str) -> bool:
        """Remove a client with its token and temporary credentials; ``False`` where there is none."""
        ...

    async def list_token_credentials(
        self, *, user_id: str | None = None, client_id: str | None = None
    ) -> list[TokenCredential]:
        """Token credentials, oldest first; of one resource owner or one client, where given."""
        ...

    async def revoke_token_credential(self, oauth_token: str, *, user_id: str | None = None) -> bool:
        """Revoke token credentials, of that resource owner alone where given; ``False`` where there are none."""
        ...

    async def revoke_token_credentials(self, *, user_id: str | None = None, client_id: str | None = None) -> int:
        """Revoke all token credentials of a resource owner, of a client, or of both together.

        Returns:
            How many there were.

        Raises:
            ValueError: neither is given.
        """
        ...

    async def reencrypt(self) -> int:
        """Encrypt every secret under the newest key that is not yet; safe to repeat, and while the store is in use.

        Returns:
            How many records were written.

        Raises:
            StoreError: there is no key, or none that opens a secret.
        """
        ...
