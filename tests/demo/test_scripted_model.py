import http.client
import json
import socket
import threading
import urllib.request
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

import pytest

from kimi_mcp.demo.script import Reply, bash, say
from kimi_mcp.demo.scripted_model import ScriptedModel, kimi_config
from patience import PATIENCE_S


def ask(
    model: ScriptedModel, *said: str, headers: Mapping[str, str] | None = None
) -> http.client.HTTPResponse:
    roles = ["user", "assistant"]
    messages = [{"role": roles[n % 2], "content": text} for n, text in enumerate(said)]
    request = urllib.request.Request(
        f"{model.base_url}/chat/completions",
        data=json.dumps({"messages": messages, "stream": True}).encode(),
        headers=dict(headers or {}),
    )
    return urllib.request.urlopen(request, timeout=PATIENCE_S)


def events(response: http.client.HTTPResponse) -> list[Any]:
    with response:
        lines = response.read().decode().split("\n\n")
    return [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: {")]


def said(response: http.client.HTTPResponse) -> str:
    deltas = [choice["delta"] for event in events(response) for choice in event["choices"]]
    return "".join(delta.get("content", "") for delta in deltas)


def test_replies_come_in_order_and_the_last_one_repeats():
    with ScriptedModel({"MARK": [say("one"), say("two")]}) as model:
        conversations = [("MARK",), ("MARK", "one"), ("MARK", "one", "", "two")]

        assert [said(ask(model, *words)) for words in conversations] == ["one", "two", "two"]


def test_requests_are_recorded_without_credentials():
    with ScriptedModel({"MARK": [say("ok")]}) as model:
        ask(model, "MARK", headers={"Authorization": "Bearer sk-1", "X-Trace": "t"}).close()

        (request,) = model.requests
        assert request.place is not None
        assert (request.place.marker, request.place.index) == ("MARK", 0)
        assert request.body["stream"] is True
        assert request.headers["X-Trace"] == "t"
        assert "sk-1" not in repr(request)


def test_a_conversation_without_a_marker_is_told_so_and_recorded():
    with ScriptedModel({"MARK": [say("ok")]}) as model:
        with pytest.raises(urllib.request.HTTPError, match="400") as failure:
            ask(model, "hello")

        assert "no marker" in failure.value.read().decode()
        assert model.requests[0].place is None


def test_an_error_has_its_status_body_and_headers():
    limited = Reply(status=429, body={"error": {"message": "slow"}}, headers={"Retry-After": "2"})
    with ScriptedModel({"": [limited]}) as model:
        with pytest.raises(urllib.request.HTTPError, match="429") as failure:
            ask(model, "hello")

        assert json.loads(failure.value.read()) == {"error": {"message": "slow"}}
        assert failure.value.headers["Retry-After"] == "2"


def test_raw_text_replaces_the_stream():
    with ScriptedModel({"": [Reply(raw="<html>")]}) as model, ask(model, "hello") as response:
        assert response.read() == b"<html>"


def test_a_dropped_stream_is_not_a_finished_one():
    with ScriptedModel({"": [Reply(text="half", drop=True)]}) as model:
        with ask(model, "hello") as response, pytest.raises(http.client.IncompleteRead) as cut:
            response.read()

        assert b"half" in cut.value.partial
        assert b"DONE" not in cut.value.partial


def test_a_gated_reply_waits_for_its_event():
    gate = threading.Event()
    with ScriptedModel({"": [Reply(text="go", wait_for=gate)]}) as model, ThreadPoolExecutor() as p:
        answer = p.submit(lambda: said(ask(model, "hello")))
        assert model.reached("").wait(PATIENCE_S)
        assert not answer.done()

        gate.set()
        assert answer.result(10) == "go"


def test_only_the_reply_asked_for_is_reached():
    with ScriptedModel({"MARK": [bash("ls"), say("ok")]}) as model:
        ask(model, "MARK").close()

        assert model.reached("MARK", 0).is_set()
        assert not model.reached("MARK", 1).is_set()


@pytest.mark.parametrize("hang", ["headers", "stream"])
def test_closing_the_model_ends_held_answers_and_every_thread(hang: Literal["headers", "stream"]):
    before = threading.active_count()
    with ThreadPoolExecutor() as pool:
        with ScriptedModel({"": [Reply(text="half", hang=hang)]}) as model:
            answer = pool.submit(lambda: said(ask(model, "hello")))
            assert model.reached("").wait(PATIENCE_S)
        with pytest.raises((ConnectionError, http.client.HTTPException)):
            answer.result(10)

    assert threading.active_count() == before


def test_a_connection_without_a_request_does_not_hold_up_the_end():
    with ScriptedModel({"": [say("ok")]}) as model:
        port = int(model.base_url.split(":")[2].removesuffix("/v1"))
        idle = socket.create_connection(("127.0.0.1", port))
        ask(model, "hello").close()  # accepted after the idle one
    with idle:
        assert idle.recv(1) == b""


def test_a_client_that_goes_away_leaves_no_word_and_no_thread(capfd: pytest.CaptureFixture[str]):
    before = threading.active_count()
    with ScriptedModel({"": [Reply(text="half", hang="stream")]}) as model:
        ask(model, "hello").close()
        for thread in threading.enumerate():
            if "process_request_thread" in thread.name:
                thread.join(PATIENCE_S)
        assert threading.active_count() == before + 1

    assert capfd.readouterr() == ("", "")


def test_the_configuration_names_the_model_as_the_only_provider():
    with ScriptedModel({"": [say("ok")]}) as model:
        config = kimi_config(model)

        assert f'base_url = "{model.base_url}"' in config
        assert model.base_url.startswith("http://127.0.0.1:")
