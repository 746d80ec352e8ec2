"""The applications under test, one module for each framework, each with the ASGI application `app`.

To add a framework, write a module here with the routes below, and add it to `FRAMEWORKS` in
`tests.frameworks.registry`.
`tests.frameworks.applications.shared` has the protectors, and what the handlers answer.

    GET HEAD OPTIONS /photos    needs a token; answers `shared.whom()` as JSON
    GET /thread                 the same from a plain function, which the framework runs in a thread
    GET /albums                 needs the scope ``albums.read``; the same
    GET /signed                 two-legged; the same
    GET /mounted/photos         in a mounted application or a router with a prefix; the same
    POST /form                  answers the form as the framework reads it: `shared.pairs(...)` as JSON
    PUT /json                   answers the JSON body as the framework reads it
    PUT /stream                 answers `shared.Digest` of the body as JSON; the body is hashed before the call
    PUT /early                  the same with ``early=True``
    GET /down                   protected by `shared.down`, whose store is down
    GET /broken                 protected by `shared.broken`, whose hook raises
    WEBSOCKET /socket           sends `shared.whom()` as JSON text, and closes
    GET /calls                  open: the number of calls of protected handlers so far, as JSON

Every protected handler calls `shared.whom()` or `shared.called()` first.
"""
