"""A person's word is asked for in both eras; a yes to another question is none."""

from typing import Any, Literal

import anyio
import pytest
from mcp import Client
from mcp.client import ClientRequestContext
from mcp.server import MCPServer
from mcp.types import ElicitRequestFormParams, ElicitRequestParams, ElicitResult, TextContent

from dispatching import bench_of
from kimi_mcp.demo.script import say, write
from kimi_mcp.server.app import build
from kimi_mcp.server.person import Word, word_on
from kimi_mcp.server.replies import Answer, Reply, replying
from kimi_mcp.server.streaming import Call
from patience import PATIENCE_S
from sandbox import Sandbox, StartModel
from serving import text_of

MODES: tuple[Literal["auto", "legacy"], ...] = ("auto", "legacy")
ANSWERS = [
    (ElicitResult(action="accept", content={"agreed": True}), Word.YES),
    (ElicitResult(action="accept", content={"agreed": False}), Word.NO),
    (ElicitResult(action="accept", content={}), Word.NO),
    (ElicitResult(action="decline"), Word.NO),
    (ElicitResult(action="cancel"), Word.NOBODY),
]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("answer", "word"), ANSWERS)
async def test_what_a_person_says_reaches_the_tool_in_both_eras(
    mode: Literal["auto", "legacy"], answer: ElicitResult, word: Word
) -> None:
    asked: list[str] = []

    async def person(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        del context
        assert isinstance(params, ElicitRequestFormParams)
        asked.append(params.message)
        return answer

    with anyio.fail_after(PATIENCE_S):
        async with Client(careful(), mode=mode, elicitation_callback=person) as client:
            result = await client.call_tool("discard", {"what": "the work"})

    assert isinstance(result.content[0], TextContent)
    assert result.content[0].text == word.value
    assert asked == ["Discard the work?"]


@pytest.mark.parametrize("mode", MODES)
async def test_a_client_that_cannot_ask_is_known_as_such(
    mode: Literal["auto", "legacy"],
) -> None:
    with anyio.fail_after(PATIENCE_S):
        async with Client(careful(), mode=mode) as client:
            result = await client.call_tool("discard", {"what": "the work"})

    assert isinstance(result.content[0], TextContent)
    assert result.content[0].text == Word.UNASKED.value


async def test_a_yes_to_another_question_is_no_answer() -> None:
    keys: list[str] = []

    async def person(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        del context, params
        return ElicitResult(action="accept", content={"agreed": True})

    with anyio.fail_after(PATIENCE_S):
        async with Client(careful(), elicitation_callback=person) as client:
            for what in ("this", "that"):
                asked: Any = await client.session.call_tool(
                    "discard",
                    {"what": what},
                    input_responses={
                        key: ElicitResult(action="accept", content={"agreed": True}) for key in keys
                    },
                    allow_input_required=True,
                )
                assert asked.result_type == "input_required"
                keys += asked.input_requests

    assert len(set(keys)) == 2


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("answer", "word"), [ANSWERS[3], ANSWERS[4], ANSWERS[0]])
async def test_work_is_discarded_only_when_the_person_says_yes(
    one_task: Sandbox,
    start_model: StartModel,
    mode: Literal["auto", "legacy"],
    answer: ElicitResult,
    word: Word,
) -> None:
    start_model({"# Your task (1)": (write("one.py", "ONE = 1\n"), say("done"))})

    async def person(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        del context, params
        return answer

    with anyio.fail_after(PATIENCE_S):
        server = build(bench_of(one_task))
        async with Client(server, mode=mode, elicitation_callback=person) as client:
            done = text_of(await client.call_tool("dispatch_spec", {"spec": "1"}))
            dispatch = done.split(":", 1)[0]

            wish = {"dispatch": dispatch, "how": "discard"}
            result = await client.call_tool("land_result", wish)

    left = one_task.git("for-each-ref", "refs/heads/kimi")
    assert result.is_error == (word is not Word.YES)
    assert bool(left) == (word is not Word.YES)
    if word is not Word.YES:
        assert text_of(result).startswith(f"Discard the work of {dispatch}?")
        assert "Nothing was changed" in text_of(result)


def careful() -> MCPServer[None]:
    """A server with one tool, which asks before it acts."""
    server: MCPServer[None] = MCPServer("careful", log_level="WARNING")

    async def discard(ctx: Call, what: str) -> Answer:
        async def act() -> Reply:
            return Reply(text=(await word_on(ctx, f"Discard {what}?")).value)

        return await replying(act())

    server.add_tool(discard, structured_output=False)
    return server
