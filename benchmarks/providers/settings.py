"""The settings of a provider, passed in its environment, and the SQL that all providers use."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["ANSWER", "NONCE_LIFETIME", "SELECT_CLIENT", "SELECT_TOKEN", "Settings"]

#: The answer of every route, protected or not.
ANSWER = {"owner": "jane", "photos": ["vacation.jpg"]}

#: Seconds, as in this project: twice the window of 300 s, and a minute for differing clocks.
NONCE_LIFETIME = 660

SELECT_CLIENT = "SELECT client_id, client_secret FROM oauth1_client WHERE client_id = {}"
SELECT_TOKEN = (
    "SELECT oauth_token, oauth_token_secret, client_id, user_id FROM oauth1_token_credential"
    " WHERE oauth_token = {} AND client_id = {}"
)

_PREFIX = "BENCHMARK_"


@dataclass(frozen=True, slots=True)
class Settings:
    """Addresses of the servers of a provider.

    Attributes:
        postgres: URL, as for libpq.
        valkey: URL, ``redis://``.
        sqlite: path of the file.
        tokens: number of token credentials to fill the memory store with.
    """

    postgres: str = ""
    valkey: str = ""
    sqlite: str = ""
    tokens: int = 0

    def environment(self) -> dict[str, str]:
        """The environment variables for a provider's process."""
        return {f"{_PREFIX}{name.upper()}": str(getattr(self, name)) for name in self.__slots__}

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """Read the settings in a provider's process."""
        values = {name: environment.get(f"{_PREFIX}{name.upper()}", "") for name in ("postgres", "valkey", "sqlite")}
        return cls(**values, tokens=int(environment.get(f"{_PREFIX}TOKENS") or 0))
