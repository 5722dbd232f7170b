"""The last door: no answer and no line of a log leaves with a secret in it, whoever made it.

Stored texts have lost their secrets already; a diff, a spec and the words of a refusal come from
elsewhere. Middleware, so that what is added later passes it too.
"""

import logging
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import anyio
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.shared.exceptions import MCPError
from pydantic import BaseModel

from kimi_mcp import log

METHODS = frozenset({"tools/call", "resources/read", "resources/list", "tasks/get"})


class Formatter(logging.Formatter):
    """Words what libraries log, without the secrets in it."""

    def format(self, record: logging.LogRecord) -> str:
        """Word one record, with the secrets taken out of it."""
        return log.discreet(super().format(record))


class Withholding:
    """Takes secrets out of the answers that hold texts of others."""

    def __init__(self, redact: Callable[[str], str]) -> None:
        self._redact = redact

    async def watch(
        self, ctx: ServerRequestContext[None, object], call_next: CallNext
    ) -> HandlerResult:
        """Middleware.

        Raises:
            MCPError: as the handler has raised it, with its message redacted.
        """
        if ctx.method not in METHODS:
            return await call_next(ctx)
        try:
            answer = await call_next(ctx)
        except MCPError as error:
            message = await anyio.to_thread.run_sync(self._redact, error.error.message)
            raise MCPError(error.error.code, message, error.error.data) from error
        return await anyio.to_thread.run_sync(partial(self._without, answer))

    def _without(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._redact(value)
        if isinstance(value, BaseModel):
            set_ = {name: getattr(value, name) for name in value.model_fields_set}
            return value.model_copy(update={name: self._without(one) for name, one in set_.items()})
        if isinstance(value, dict):
            pairs = cast("dict[str, Any]", value).items()
            return {name: self._without(one) for name, one in pairs}
        if isinstance(value, list):
            return [self._without(one) for one in cast("list[Any]", value)]
        return value
