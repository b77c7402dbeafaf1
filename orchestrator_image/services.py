"""The services as the workflow sees them: what they answer, in the orchestrator's own terms."""

from typing import Any

import structlog

from orchestrator_image import rules
from service_kit.problems import UpstreamTimeout, UpstreamUnavailable
from service_kit.upstream import Reply, Upstream

log = structlog.get_logger()

KEY_HEADER = "X-Idempotency-Key"


class Service:
    """One service, by the name that callers know."""

    def __init__(self, name: str, upstream: Upstream) -> None:
        self.name = name
        self._upstream = upstream

    async def ask(
        self,
        method: str,
        path: str,
        *,
        deadline: float,
        body: Any = None,
        key: str | None = None,
    ) -> Reply:
        """Return its answer, a refusal too.

        Raises:
            Busy: it did not answer in time, or not sensibly, or that it cannot now.
        """
        headers = {} if key is None else {KEY_HEADER: key}
        try:
            return await self._upstream.call(
                method, path, deadline=deadline, body=body, headers=headers
            )
        except (UpstreamTimeout, UpstreamUnavailable) as problem:
            raise rules.outage(self.name, problem) from problem

    def accepted(self, reply: Reply) -> Reply:
        """Return an answer that is no refusal.

        Raises:
            Problem: the refusal, as the caller is told of it.
        """
        if reply.status < 400:  # noqa: PLR2004  # HTTP's class of refusals
            return reply
        problem = rules.refusal(self.name, reply)
        if isinstance(problem, UpstreamUnavailable):
            log.error(
                "upstream refuses our calls",
                upstream=self.name,
                upstream_status=reply.status,
                upstream_code=reply.code,
            )
        raise problem
