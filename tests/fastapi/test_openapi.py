"""The document of OpenAPI, which ``/docs`` shows: the security scheme, and the scopes of each operation."""

# FastAPI cannot evaluate annotations that are strings and name local variables.

from typing import Annotated, Any

from fastapi import Depends, Security

from async_oauth1 import Client, TokenCredential
from tests.fastapi.installed import Installed, install


def add_routes(made: Installed) -> dict[str, Any]:
    """Add an operation for each dependency, and return the operations of the document by path."""
    app, oauth1, _ = made

    @app.get("/photos", dependencies=[Security(oauth1, scopes=["albums"])])
    async def photos(credential: Annotated[TokenCredential, Security(oauth1, scopes=["photos.read"])]) -> None:
        """The photos."""

    @app.get("/signed")
    async def signed(client: Annotated[Client, Depends(oauth1.client)]) -> None: ...

    @app.get("/maybe")
    async def maybe(credential: Annotated[TokenCredential | None, Security(oauth1.optional)]) -> None: ...

    @app.get("/open")
    async def unprotected() -> None: ...

    return {path: item["get"] for path, item in app.openapi()["paths"].items()}


async def test_the_scheme_and_the_scopes() -> None:
    """The scheme is registered with HTTP as ``oauth``; each operation names it, and the scopes that it needs."""
    made = await install()
    operations = add_routes(made)
    (scheme,) = made.app.openapi()["components"]["securitySchemes"].values()
    assert (scheme["type"], scheme["scheme"]) == ("http", "oauth")
    assert [(name, sorted(scopes)) for (name, scopes) in operations["/photos"]["security"][0].items()] == [
        ("OAuth1", ["albums", "photos.read"])
    ]
    assert operations["/signed"]["security"] == [{"OAuth1": []}]
    assert operations["/maybe"]["security"] == [{"OAuth1": []}]
    assert "security" not in operations["/open"]


async def test_the_description_names_the_scopes() -> None:
    """Swagger UI shows no scopes of such a scheme, but the description; asking twice does not repeat them."""
    made = await install()
    operations = add_routes(made)
    description = made.app.openapi()["paths"]["/photos"]["get"]["description"]
    first, _, line = description.partition("\n\n")
    assert first == "The photos."
    assert {word.strip("`,") for word in line.split() if word.startswith("`")} == {"albums", "photos.read"}
    assert "description" not in operations["/signed"]


async def test_no_parameters_of_ours() -> None:
    """The dependencies add nothing to the parameters and bodies of operations."""
    for operation in add_routes(await install()).values():
        assert "parameters" not in operation
        assert "requestBody" not in operation
