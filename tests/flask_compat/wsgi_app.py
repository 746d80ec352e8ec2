"""The application that the WSGI servers in the tests run."""

from __future__ import annotations

from typing import Any

import flask

from .ported import Token, Variant, make_provider

ported = make_provider(Variant("flask", False, False))
ported.database.tokens["t"] = Token("client", "t", "s", "7")
app = ported.app


@app.route("/echo/<path:rest>", methods=["GET", "POST"])
@ported.require_oauth()
def echo(rest: str) -> Any:
    return {"rest": rest, "form": flask.request.form.to_dict(flat=False)}
