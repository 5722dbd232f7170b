"""Asking the person before something that cannot be taken back, in both eras of the protocol.

In the handshake era the server asks on the connection. Since 2026-07-28 it must not: the tool
answers with the question, and the client calls again with what the person said. An answer counts
for exactly the question that it was given to. `cancel` is none: Claude Code 2.1.330 says so in
print mode, where there is no person. A client that cannot ask at all is taken at its word: the
tool's description wants the user's consent, and whether it may be called is the host's to ask.
"""

import hashlib
from enum import Enum

from mcp.types import (
    ElicitRequest,
    ElicitRequestedSchema,
    ElicitRequestFormParams,
    ElicitResult,
    InputRequiredResult,
)

from kimi_mcp.errors import Refused
from kimi_mcp.server.replies import Question
from kimi_mcp.server.streaming import Call
from kimi_mcp.server.tasks import VERSIONS

OVER_QUOTA = "Let Kimi work on spec {spec} although its quota may not suffice?"
FORM: ElicitRequestedSchema = {
    "type": "object",
    "properties": {"agreed": {"type": "boolean", "title": "Yes, do it", "default": False}},
    "required": ["agreed"],
}


class Word(Enum):
    """What a person said to a question, or why there is no answer."""

    YES = "yes"
    NO = "no"
    NOBODY = "nobody"  # no person was there
    UNASKED = "unasked"  # the client cannot ask


async def word_on(ctx: Call, question: str) -> Word:
    """Ask the person at the client whether to go on.

    To be asked before anything is done: the call is made again from its beginning.

    Raises:
        Question: this is to be the call's answer.
    """
    declared = ctx.client_capabilities
    if declared is None or declared.elicitation is None:
        return Word.UNASKED
    if ctx.protocol_version not in VERSIONS:
        session = ctx.request_context.session
        return _said(await session.elicit_form(question, FORM, ctx.request_context.request_id))
    key = f"agreed-{hashlib.sha256(question.encode()).hexdigest()[:16]}"
    answer = (ctx.input_responses or {}).get(key)
    if answer is None:
        form = ElicitRequestFormParams(message=question, requested_schema=FORM)
        raise Question(InputRequiredResult(input_requests={key: ElicitRequest(params=form)}))
    return _said(answer) if isinstance(answer, ElicitResult) else Word.NOBODY


async def agreed(ctx: Call, question: str) -> None:
    """Go on only when nobody who could be asked has refused.

    Raises:
        Question: this is to be the call's answer.
        Refused: the person said no, or there was none.
    """
    match await word_on(ctx, question):
        case Word.NO:
            raise Refused(f"{question} The user said no. Nothing was changed; ask what they want.")
        case Word.NOBODY:
            raise Refused(
                f"{question} That needs a person's word, and nobody answered. Nothing was changed. "
                "Call again when the user is there, or let them use the kimi-mcp command."
            )
        case Word.YES | Word.UNASKED:
            return


def _said(answer: ElicitResult) -> Word:
    if answer.action == "cancel":
        return Word.NOBODY
    is_agreed = answer.action == "accept" and (answer.content or {}).get("agreed") is True
    return Word.YES if is_agreed else Word.NO
