"""What the programs of the pages find already there: an application, a store, and what the text before them names.

Each is a program that runs before those of the page.
"""

from __future__ import annotations

#: Before each page: an application on Quart with a store, and the modules that short examples use without an import.
USUAL = """
import asyncio, gc, hmac, logging, sys, time
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from quart import Quart, g, render_template, request
from async_oauth1 import Policy
from async_oauth1.asgi import OAuth1Middleware
from async_oauth1.quart import AuthorizationServer, ResourceProtector
from async_oauth1.stores import MemoryStore, open_store

app, store, policy, log = Quart(__name__), MemoryStore(), Policy(), logging.getLogger("page")
server, require_oauth = AuthorizationServer(app), ResourceProtector(app)
server.register_hooks(store)
require_oauth.register_hooks(store)

def nothing(*arguments): ...
"""
_STARLETTE = """
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route
from async_oauth1 import ResourceProtector

async def photos(request): ...

protector = ResourceProtector()
protector.register_hooks(store)
routes = [Route("/photos", photos)]
"""
_FLASK = """
from flask import Flask
from flask_cors import CORS, cross_origin
from flask_compat import ResourceProtector

app = Flask(__name__)
require_oauth = ResourceProtector(app)
find_client = find_token = exists_nonce = nothing
"""
_DATABASES = """
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import StaticPool, create_engine
from sqlalchemy.orm import scoped_session, sessionmaker
from flask_compat.sqla import OAuth1TimestampNonceMixin

db, url = SQLAlchemy(), "sqlite:///page.db"
"""
_DJANGO = """
from django.conf import settings
if not settings.configured:
    import tests.django_oauth1.conftest
from django.contrib.auth.decorators import login_required
from django.http import JsonResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from rest_framework.permissions import IsAuthenticated
from rest_framework.views import APIView
from async_oauth1.django import CacheAuthorizationServer, ResourceProtector
from examples.django_provider.models import Client, Token
"""
#: A launch as Flask has received it, a claim that does not hold, and the database of the reader.
_LTI = """
from urllib.parse import urlencode
from async_oauth1 import OAuth1Request
from async_oauth1.lti import sign_launch

fields = {
    "lti_message_type": "ContentItemSelectionRequest",
    "lti_version": "LTI-1p0",
    "accept_media_types": "application/vnd.ims.lti.v1.ltilink",
    "accept_presentation_document_targets": "window",
    "content_item_return_url": "https://lms.example/return",
}
signed = sign_launch("https://tool.example/launch", fields, "course-7", "a long random secret")
received = OAuth1Request(
    "POST", scheme="https", host="tool.example", raw_path=b"/launch", body=urlencode(signed).encode(),
    headers=((b"content-type", b"application/x-www-form-urlencoded"),),
)
flask, db, secret = SimpleNamespace(request=received), None, "secret"
claims = {"iss": "https://lms.example", "sub": "1", "aud": "c", "exp": 1, "nonce": "n"}
"""
#: What each page finds besides that.
PAGES = {
    "docs/administration.md": "SECRET_KEY, OPERATORS = 'the key of the sessions', ('alice',)",
    "docs/asgi.md": _STARLETTE,
    "docs/audit.md": "client_id, write_to_my_log = 'printer', nothing",
    "docs/cors.md": "from quart_cors import cors, route_cors\nfrom starlette.middleware.cors import CORSMiddleware\n",
    "docs/deploying.md": """
from hypercorn.config import Config
from async_oauth1.asgi import LingeringMiddleware
config = Config()
""",
    "docs/django.md": _DJANGO,
    "docs/explain.md": """
from tests.protocol.wire import Signer
signer = Signer(client_secret="client secret", token="t", token_secret="token secret", timestamp=int(time.time()))
request, tell_the_developer = signer.wire().read(), nothing
""",
    "docs/from-flask-oauthlib.md": _FLASK,
    "docs/lti.md": _LTI,
    # The page's metrics must not stay in the registry of the process.
    "docs/monitoring.md": """
import prometheus_client
prometheus_client.REGISTRY = prometheus_client.CollectorRegistry()
""",
    "docs/porting-from-authlib-0.15.md": _DATABASES,
    "docs/porting-from-flask.md": _DATABASES,
    "docs/retiring.md": f"{_STARLETTE}\naudit = record_usage = nothing\n",
    "docs/starlette.md": _STARLETTE,
}
#: What changes in the middle of a page: before the program of this page that contains the text.
CHANGES = {
    ("docs/cors.md", "cross_origin"): _FLASK,
    ("docs/cors.md", "app.asgi_app"): USUAL,
    ("docs/monitoring.md", "tracer="): USUAL,
}
#: Settings in the environment.
ENVIRONMENT = {
    "ADMIN_TOKEN": "a random token of the test",
    "ASYNC_OAUTH1_CLIENT_ID": "printer",
    "ASYNC_OAUTH1_STORE": "sqlite:///page.db",
    "DATABASE_URL": "sqlite+aiosqlite://",
    "LTI_SECRET": "a random secret of the test",
}
