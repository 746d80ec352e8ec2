"""A provider that retires OAuth 1.0: clients exchange their tokens for those of Authlib's OAuth 2 server.

::

    uvicorn --factory examples.retirement.provider:make_app
"""
