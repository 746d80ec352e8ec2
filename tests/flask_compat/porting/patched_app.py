"""A Quart application that keeps Flask-SQLAlchemy by quart-flask-patch; prints what forty requests at once get."""

import quart_flask_patch  # isort: skip  # noqa: F401 - must be imported first

import asyncio
import sys
from typing import Any

from authlib.oauth1 import ClientMixin, TokenCredentialMixin
from flask_sqlalchemy import SQLAlchemy
from quart import Quart

from flask_compat import ResourceProtector, current_credential
from tests.flask_compat.client import Client, authorization

db = SQLAlchemy()


class Application(ClientMixin, db.Model):  # type: ignore[name-defined,misc]
    """A client."""

    client_id = db.Column(db.String(40), primary_key=True)

    def get_client_secret(self) -> str:
        """The secret."""
        return "secret"


class Grant(TokenCredentialMixin, db.Model):  # type: ignore[name-defined,misc]
    """A token credential."""

    oauth_token = db.Column(db.String(40), primary_key=True)

    def get_oauth_token(self) -> Any:
        """The token."""
        return self.oauth_token

    def get_oauth_token_secret(self) -> str:
        """The secret."""
        return "s"


app = Quart(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{sys.argv[1]}/provider.db"
db.init_app(app)
require_oauth = ResourceProtector(
    app,
    lambda client_id: db.session.get(Application, client_id),
    lambda _, token: db.session.get(Grant, token),
    lambda *_: False,
)


@app.get("/photos")
@require_oauth()
def photos() -> dict[str, Any]:
    """Use the session once more."""
    return {"token": current_credential.oauth_token, "client": db.session.get(Application, "client").client_id}


async def main() -> None:
    """Send the requests."""
    async with app.app_context():
        db.create_all()
        db.session.add_all([Application(client_id="client"), Grant(oauth_token="t")])
        db.session.commit()
    client = Client(app, token="t", token_secret="s")

    async def send() -> int:
        headers = {"Authorization": authorization(client.sign("GET", "/photos", client.parameters()))}
        return (await app.test_client().get("/photos", headers=headers)).status_code

    print(*sorted(set(await asyncio.gather(*(send() for _ in range(40))))))


if __name__ == "__main__":
    asyncio.run(main())
