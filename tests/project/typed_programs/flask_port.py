"""A Flask provider that was ported from Authlib by its imports alone."""

# pyright: strict

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, reveal_type

from flask import Flask

from flask_compat import AuthorizationServer, ResourceProtector, current_credential


@dataclass
class Credential:
    token: str
    user_id: int

    def get_oauth_token(self) -> str:
        return self.token

    def get_oauth_token_secret(self) -> str:
        return "secret"


def query_client(client_id: str) -> Any:
    return None


def query_token(client_id: str, oauth_token: str) -> Credential | None:
    return Credential(oauth_token, 1)


def exists_nonce(nonce: str, timestamp: str, client_id: str, oauth_token: str | None) -> bool:
    return False


app = Flask(__name__)
server = AuthorizationServer(app, query_client=query_client)
server.register_hook("exists_nonce", exists_nonce)
require_oauth = ResourceProtector(app, query_client, query_token, exists_nonce)


@app.route("/notes/<int:number>")
@require_oauth()
def note(number: int) -> dict[str, int]:
    return {"number": number, "owner": current_credential.user_id}


reveal_type(note)  # (number: int) -> Any
reveal_type(require_oauth.current_credential)  # Credential
reveal_type(require_oauth.current_credential.user_id)  # int
reveal_type(current_credential.get_oauth_token_secret())  # Awaitable[str | bytes] | str | bytes
reveal_type(bool(current_credential))  # bool
print(current_credential.user_idd)  # refused
print(require_oauth.current_credential.user_idd)  # refused
note("three")  # refused


@require_oauth
def notes() -> list[int]:
    return []


reveal_type(notes)  # () -> Any


@app.route("/initiate", methods=["POST"])
def initiate() -> Any:
    return server.create_temporary_credentials_response()


ResourceProtector(app, query_client="query_client")  # refused
ResourceProtector(app, query_client, query_client)  # refused
reveal_type(ResourceProtector().current_credential)  # CurrentCredential
