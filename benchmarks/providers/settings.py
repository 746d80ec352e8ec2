"""What the harness tells a provider, by way of its environment; and the statements that all of them ask with."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["ANSWER", "NONCE_LIFETIME", "SELECT_CLIENT", "SELECT_TOKEN", "Settings"]

#: What every route answers, protected or not.
ANSWER = {"owner": "jane", "photos": ["vacation.jpg"]}

#: Seconds, as this project keeps them: two windows of 300 s and the clocks' minute.
NONCE_LIFETIME = 660

SELECT_CLIENT = "SELECT client_id, client_secret FROM oauth1_client WHERE client_id = {}"
SELECT_TOKEN = (
    "SELECT oauth_token, oauth_token_secret, client_id, user_id FROM oauth1_token_credential"
    " WHERE oauth_token = {} AND client_id = {}"
)

_PREFIX = "BENCHMARK_"


@dataclass(frozen=True, slots=True)
class Settings:
    """Where a provider finds what it needs.

    Attributes:
        postgres: libpq's URL.
        valkey: ``redis://``.
        sqlite: path of the file.
        tokens: how many token credentials the memory store is filled with.
    """

    postgres: str = ""
    valkey: str = ""
    sqlite: str = ""
    tokens: int = 0

    def environment(self) -> dict[str, str]:
        """For a process that is started."""
        return {f"{_PREFIX}{name.upper()}": str(getattr(self, name)) for name in self.__slots__}

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """In the process that was started."""
        values = {name: environment.get(f"{_PREFIX}{name.upper()}", "") for name in ("postgres", "valkey", "sqlite")}
        return cls(**values, tokens=int(environment.get(f"{_PREFIX}TOKENS") or 0))
