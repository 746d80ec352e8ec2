"""What every store must do, as a test class: derive from it, and say how the store is made.

    class TestMyStore(StoreConformance):
        def make_store(self, clock):
            return MyStore("sqlite:///:memory:", clock=clock)

The tests are plain functions and run their own event loop, so no plugin for async tests is needed.
"""

from .faults import Faults
from .nonces import Nonces
from .pending import TemporaryCredentials
from .processes import Processes
from .tokens import TokenCredentials

__all__ = ["StoreConformance"]


class StoreConformance(Nonces, TemporaryCredentials, TokenCredentials, Processes, Faults):
    """Runs what the stores of this package pass.

    Override `make_store`; also `reopen` if several processes may share the store, and `cut` with `mend` if it can lose
    its server. A store that keeps only nonces and temporary credentials skips the tests of clients and tokens. A call
    that does not return within ``call_timeout`` seconds fails its test with the name of the call, and the others go on.
    """
