"""LTI 1.0 and 1.1: verify the launches of tool consumers, and migrate to LTI 1.3.

::

    tool = LTITool(query_consumer=db.query_consumer, exists_nonce=redis_store.exists_nonce)

    @app.post("/launch")
    async def launch():
        try:
            launch = await tool.verify_launch(request)
        except OAuth1Error as error:
            return make_response(launch_error_response(error))
        return f"Welcome to {launch.fields.get('context_title')}"
"""

from .consumers import LTIConsumer, Pin, ToolState
from .content_items import SignedForm
from .errors import LTILaunchError, RelaunchRequiredError
from .launches import Launch
from .migration import Migration, migration_signature, verify_migration
from .outcomes import Outcome
from .pages import launch_error_response
from .roles import Role, RoleKind, parse_roles
from .tool import DEFAULT_POLICY, LTITool

__all__ = [
    "DEFAULT_POLICY",
    "LTIConsumer",
    "LTILaunchError",
    "LTITool",
    "Launch",
    "Migration",
    "Outcome",
    "Pin",
    "RelaunchRequiredError",
    "Role",
    "RoleKind",
    "SignedForm",
    "ToolState",
    "launch_error_response",
    "migration_signature",
    "parse_roles",
    "verify_migration",
]
