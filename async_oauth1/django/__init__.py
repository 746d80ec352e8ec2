"""Django: authorization servers and a resource protector, with the names of ``authlib.integrations.django_oauth1``.

::

    server = CacheAuthorizationServer(Client, Token)
    require_oauth = ResourceProtector(Client, Token)

    @csrf_exempt
    def initiate(request):
        return server.create_temporary_credentials_response(request)

    @require_oauth()
    async def photos(request):
        return JsonResponse({"owner": request.oauth1_credential.user_id})

Views may be synchronous or async, under WSGI and ASGI. As an installed application it has optional models, system
checks, the admin and a command; see ``docs/django.md``.
"""

from .protector import OAuth1HttpRequest, ResourceProtector
from .servers import BaseServer, CacheAuthorizationServer, ModelAuthorizationServer

__all__ = [
    "BaseServer",
    "CacheAuthorizationServer",
    "ModelAuthorizationServer",
    "OAuth1HttpRequest",
    "ResourceProtector",
]
