"""A vision-language model behind an address of this computer: it looks at the pixels and answers as it is told to.

It sees the marks that the doubles leave (`copycat_doubles.mark_of`), so a picture without one shows nobody. As a
context manager in tests, or by hand, to try the command line on:

    python tests/doubles/chat_server.py --port 8098
    export OPENAI_BASE_URL=http://127.0.0.1:8098/v1
"""

from __future__ import annotations

import argparse
import base64
import io
import json
import math
import sys
import time
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any, Literal

from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from copycat_doubles import CONSISTENCY_MARK, MARK, mark_of
from image_server import ERRORS, ImageServer, Say, Script, _Handler, always, storm

from copycat.schema import CharacterSet

MODEL = "eyes-1"
FINGERPRINT = "fp_0123456789"
PROMPT_TOKENS, COMPLETION_TOKENS = 100, 10

Kind = Literal["open", "closed", "yes or no"]

REJECTIONS = {
    "json_schema": "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model.",
    "json_object": "'response_format.type' must be 'text'",
    "logprobs": "Please remove 'logprobs'/'top_logprobs' from your request to receive a response.",
    "many top_logprobs": "top_logprobs must be at most 5",
    "max_tokens": "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.",
    "temperature": "Unsupported value: 'temperature' does not support 0 with this model.",
    "pictures": "Invalid content type. image_url is only supported by certain models.",
}
"""Arguments that a server may reject, and what it says then."""

Rejected = Literal[
    "json_schema", "json_object", "logprobs", "many top_logprobs", "max_tokens", "temperature", "pictures"
]


# ------------------------------------------------------------------------------------ what is asked


def question_of(body: dict[str, Any]) -> str:
    """Give the text of a request."""
    return "\n".join(part["text"] for part in body["messages"][0]["content"] if part["type"] == "text")


def kind_of(body: dict[str, Any]) -> Kind:
    """Tell the questions apart as a model would: by the answer that is wanted."""
    text = question_of(body)
    if '{"characters": ' in text:
        return "open"
    return "closed" if '{"shown": ' in text else "yes or no"


def picture_of(body: dict[str, Any]) -> Image.Image:
    """Decode the one picture of a request."""
    (part,) = (part for part in body["messages"][0]["content"] if part["type"] == "image_url")
    head, _, data = part["image_url"]["url"].partition(",")
    assert head == "data:image/png;base64"
    return Image.open(io.BytesIO(base64.b64decode(data, validate=True)))


def to(kind: Kind, says: Say | str | Iterable[Say | str]) -> Script:
    """Answer questions of one kind so (a list: in order, then 'ok'), and all others with 'ok'."""
    waiting = None if isinstance(says, str | Say) else list(says)

    def script(_: int, body: dict[str, Any]) -> Say | str:
        if kind_of(body) != kind:
            return Say()
        if waiting is None:
            return says  # type: ignore[return-value]
        return waiting.pop(0) if waiting else Say()

    return script


# -------------------------------------------------------------------------------------- the answers


def content_for(behaviour: str, true: str) -> Any:
    """Give the message's content: what the model would say in this mood, where `true` is the plain JSON answer."""
    draft = '{"characters": ["Somebody Else"]}'
    contents: dict[str, Any] = {
        "ok": true,
        "several": true,
        "prose": f"Sure! Here is my answer:\n\n{true}\n\nLet me know if you need anything else.",
        "fence": f"```json\n{true}\n```",
        "wrong_case": true.replace("characters", "Characters").replace("shown", "Shown"),
        "parts": [{"type": "text", "text": true}],
        "thinking": f"<think>It could be {draft}, but the hat is another one.</think>\n{true}",
        "only_thinking": f"<think>It could be {draft}, but then",
        "two_answers": f"{draft}\nNo, rather:\n{true}",
        "refusal_text": "I'm sorry, but I can't help with identifying characters in images.",
        "refusal_in_spanish": "Lo siento, no puedo identificar a los personajes de esta imagen.",
        "refusal_in_japanese": "申し訳ありませんが、画像内のキャラクターを特定することはできません。",
        "prose_alone": "The picture shows Goofy, I think, although it might be Max.",
        "empty": "",
        "null": None,
        "no_name": '{"characters": ["unknown"]}',
        "half_letter": '{"characters": ["\\ud83d"]}',
        "half_letter_in_prose": "\ud83d oh",
        "truncated": true[: len(true) // 2],
        "truncated_draft": f"I see a dog. It could be {draft}. On the other hand, the",
        "content_filter": None,
        "refusal_field": None,
    }
    return contents[behaviour]


FINISH = {
    "truncated": "length",
    "truncated_draft": "length",
    "only_thinking": "length",
    "content_filter": "content_filter",
}
BROKEN: dict[str, Any] = {
    "no_choices": {"choices": []},
    "null_choices": {"choices": None},
    "no_message": {"choices": [{"index": 0, "finish_reason": "stop"}]},
    "a_list": [],
    "error_inside": {"error": {"message": "the worker died", "code": None}},
    "refusal_inside": {"error": {"message": "Your request was declined.", "code": "content_filter"}},
}
CHAT_ERRORS = ERRORS | {
    "refusal": (400, {"message": "The response was filtered by content policy.", "code": "content_filter"}),
    "too_large": (400, {"message": "This model's maximum context length is 2048 tokens.", "param": "messages"}),
}


class ChatServer(ImageServer):
    """Speaks the Chat Completions API on 127.0.0.1.

    Args:
        names: of the characters that it can see, by id; `see` adds those of a set.
        room: a request beyond so many at once is answered with 429; None for any number.
        rejects: arguments that it answers 400 to. ignores: arguments that it does nothing with.
        latency_s: seconds before every answer, but for those 429.
    """

    def __init__(
        self,
        script: Script | Iterable[Say | str] = (),
        *,
        port: int = 0,
        latency_s: float = 0.0,
        hang_s: float = 2.0,
        room: int | None = None,
        rejects: Collection[Rejected] = (),
        ignores: Collection[str] = (),
    ) -> None:
        self._start(_ChatHandler, script, port, 0.0, hang_s)
        self.answer_s, self.room, self.rejects, self.ignores = latency_s, room, frozenset(rejects), frozenset(ignores)
        self.names: dict[tuple[int, int, int], str] = {}

    def see(self, characters: CharacterSet) -> ChatServer:
        """Let it know the characters of a set."""
        self.names |= {mark_of(character.id): character.name for character in characters.characters}
        return self

    def say(self, number: int, body: dict[str, Any]) -> Say:
        if self.room is not None and self._at_once > self.room:
            return Say("rate_limit")
        if rejected := next((name for name in REJECTIONS if name in self.rejects and _has(body, name)), None):
            return Say(f"rejects {rejected}")
        time.sleep(self.answer_s)
        return super().say(number, body)

    def kinds(self) -> list[Kind]:
        """The kinds of all questions, in order."""
        return [kind_of(entry.body) for entry in self.entries]


def _has(body: dict[str, Any], name: str) -> bool:
    """Whether a request has what a server may reject."""
    form = body.get("response_format", {}).get("type")
    return {
        "json_schema": form == "json_schema",
        "json_object": form == "json_object",
        "many top_logprobs": body.get("top_logprobs", 0) > 5,
        "pictures": True,
    }.get(name, name in body)


class _ChatHandler(_Handler):
    errors = CHAT_ERRORS | {f"rejects {name}": (400, {"message": said}) for name, said in REJECTIONS.items()}

    @property
    def chat(self) -> ChatServer:
        owner = self.server.owner
        assert isinstance(owner, ChatServer)
        return owner

    def _prompt_of(self, body: dict[str, Any]) -> str:
        return question_of(body)

    def _success(self, behaviour: str, body: dict[str, Any]) -> Any:
        if behaviour in BROKEN:
            return BROKEN[behaviour]
        picture = picture_of(body)
        assert picture.mode == "RGB"
        name = self.chat.names.get(picture.getpixel(MARK))  # type: ignore[arg-type]
        kind, told = kind_of(body), behaviour
        logprobs = None
        if kind == "yes or no":
            p_yes = picture.getpixel(CONSISTENCY_MARK)[0] / 255  # type: ignore[index]
            content: Any = "Yes" if p_yes >= 0.5 else "No"
            if body.get("logprobs") and "logprobs" not in self.chat.ignores and behaviour == "ok":
                logprobs = _logprobs(p_yes, body["top_logprobs"])
        else:
            content = content_for(told, self._true(kind, name, body, several=behaviour == "several"))
        message = {"role": "assistant", "content": content}
        if behaviour == "refusal_field":
            message["refusal"] = "I can't help with that."
        return {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": int(time.time()),
            "model": f"{MODEL}-2026-04-21",
            "system_fingerprint": FINGERPRINT,
            "choices": [
                {
                    "index": 0,
                    "message": message,
                    "logprobs": logprobs,
                    "finish_reason": FINISH.get(behaviour, "stop"),
                }
            ],
            "usage": {
                "prompt_tokens": PROMPT_TOKENS,
                "completion_tokens": COMPLETION_TOKENS,
                "total_tokens": PROMPT_TOKENS + COMPLETION_TOKENS,
            },
        }

    def _true(self, kind: Kind, name: str | None, body: dict[str, Any], *, several: bool) -> str:
        if kind == "closed":
            by_name = question_of(body).partition("\n")[0]  # below stand, in a repair, the words that came before
            return json.dumps({"shown": name is not None and name in by_name})
        names = [name] if name is not None else []
        return json.dumps({"characters": ["Felix the Cat", *names] if several else names})


def _logprobs(p_yes: float, count: int) -> dict[str, Any]:
    """The first token's alternatives, in the spellings that models have; 1 % goes to other words."""
    shares = {"Yes": 0.9 * p_yes, " yes": 0.09 * p_yes, "No": 0.9 * (1 - p_yes), "NO": 0.09 * (1 - p_yes), "It": 0.01}
    tokens = [
        {"token": token, "logprob": math.log(share), "bytes": None}
        for token, share in sorted(shares.items(), key=lambda pair: -pair[1])[:count]
        if share > 0
    ]
    return {"content": [{**tokens[0], "top_logprobs": tokens}], "refusal": None}


def main() -> None:
    parser = argparse.ArgumentParser(description="a judge behind an address of this computer, to try the commands on")
    parser.add_argument("--port", type=int, default=8098)
    parser.add_argument("--characters", default="sandbox", help="the set whose marks it can see")
    parser.add_argument("--storm", type=int, metavar="SEED", help="answer 30 %% of the requests with 429 or 500")
    parser.add_argument("--say", default="ok", help="answer every request so: ok, prose, refusal_text, truncated, ...")
    parser.add_argument("--latency", type=float, default=0.2, metavar="SECONDS")
    parser.add_argument("--room", type=int, metavar="N", help="answer 429 beyond so many requests at once")
    asked = parser.parse_args()
    from copycat.catalog.character_sets import read_character_set

    script = always(asked.say) if asked.storm is None else storm(asked.storm)
    with ChatServer(script, port=asked.port, latency_s=asked.latency, room=asked.room) as server:
        server.see(read_character_set(asked.characters))
        print(f"export OPENAI_BASE_URL={server.url}\nCtrl-C stops it", flush=True)
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            print(f"\n{len(server.entries)} requests, {len(server.charged)} charged")


if __name__ == "__main__":
    main()
