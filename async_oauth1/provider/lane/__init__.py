"""The lane: a usual request is verified in one step, in front of the general path.

**What it is.** `BaseServer.verify` is the general path: ten coroutines, each of which an application may replace, with
every rule, tolerance and error. The lane is four plain functions. `Lane.admits` is true if every check that needs no
look-up would pass; `Lane.look_up` takes client and credential from a store that need not wait; `Lane.holds` is true if
the signature verifies; and `Lane.is_nonce_new` remembers the nonce in a store that need not wait, and reads the clock
once more, as the general path does. `ResourceProtector.validate_request` calls them, and awaits what is left: look-up
and nonce of other stores.

**Which protectors may enter.** `find_lane` returns a lane if nothing is replaced that the lane leaves out: no method of
the protector, in a subclass or on the instance; no signature method of the application's own; no caller of hooks, as in
flask_compat. Each request checks the class again. What replaces a method on an instance is noted by
`ResourceProtector.__setattr__`, so it must be set as an attribute, and not in the instance's ``__dict__``. Hooks,
policy and clock may be anything: they are read for each request.

**Which requests may enter.** Those that deviate in nothing, with HMAC-SHA1 or HMAC-SHA256, and are no subclass of
`OAuth1Request`. Their clients are records of this package, and nothing is tolerated of them. What can be said of the
parameters alone is said by the native reader while it has them at hand, and otherwise by `usual_timestamp`: both by the
same rules. What depends on the policy is checked for each verification.

**Edited requests.** If an application may have edited the parameters since they were read, `usual_timestamp` judges
them. After a look-up that was awaited, `Lane.admits` judges the request again.

**Why it is safe.** It accepts, or says nothing: it raises no error, and stores only the nonce of a request that is
genuine in everything else. Whatever it does not accept is verified from the beginning by the general path, which alone
refuses. So there is one property to review: what the lane accepts, the general path accepts with the same result. The
tests compare both.

**Uniform cost.** An unknown client, an unknown token and a wrong signature cost the same: without both secrets the lane
computes with dummy keys. The general path repeats neither this computation nor the look-up. For a client without a
secret, or with tolerances, the general path alone computes.
"""

from .steps import REPLACEABLE, Lane, find_lane, methods_of

__all__ = ["REPLACEABLE", "Lane", "find_lane", "methods_of"]
