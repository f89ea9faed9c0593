"""Talking to somebody else's machine: retries, concurrency that adapts, and when to stop.

TransientError    one attempt failed and another may not        (services.retry)
RefusedError      the service declined to answer this request   a status, never a failure
StoppedError      a request was not sent because the run stops  not a result: it is made next time
ServiceDownError  the service answers nobody                    the run stops, exit 2
"""

from __future__ import annotations

from copycat.errors import BackendError, CopycatError, UserError


class RefusedError(BackendError):
    """The service declined to answer this request; it is not tried again."""


class StoppedError(CopycatError):
    """A request was not sent, or not sent again, because the run is stopping."""


class ServiceDownError(UserError):
    """Too many requests in a row ended failed."""

    def __init__(self, service: str, failures: int, last: str) -> None:
        self.service, self.failures = service, failures
        super().__init__(
            f"{failures} requests to {service} in a row failed, and so the run stops\n"
            f"  the last: {last}\n"
            "  nothing that was finished is lost; once the cause is mended, the same command goes on from there"
        )
