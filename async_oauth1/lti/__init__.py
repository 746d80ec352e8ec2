"""LTI 1.0 and 1.1: verify the launches of tool consumers, exchange grades, be a consumer, and migrate to LTI 1.3.

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

from . import outcomes
from .consumers import LTIConsumer, Pin, ToolState
from .consuming.cartridges import cartridge, cartridge_response
from .consuming.forms import launch_page
from .consuming.outcome_service import OutcomeService
from .content_items import SignedForm
from .errors import LTILaunchError, OutcomeError, OutcomeUnclearError, RelaunchRequiredError
from .launches import Launch
from .migration import Migration, migration_signature, verify_migration
from .outcomes import Outcome
from .pages import launch_error_response
from .roles import Role, RoleKind, parse_roles
from .servers import DEFAULT_POLICY
from .signing import sign_form as sign_launch
from .tool import LTITool

__all__ = [
    "DEFAULT_POLICY",
    "LTIConsumer",
    "LTILaunchError",
    "LTITool",
    "Launch",
    "Migration",
    "Outcome",
    "OutcomeError",
    "OutcomeService",
    "OutcomeUnclearError",
    "Pin",
    "RelaunchRequiredError",
    "Role",
    "RoleKind",
    "SignedForm",
    "ToolState",
    "cartridge",
    "cartridge_response",
    "launch_error_response",
    "launch_page",
    "migration_signature",
    "outcomes",
    "parse_roles",
    "sign_launch",
    "verify_migration",
]
