"""What services that call themselves compatible say of what they do not take."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from copycat.errors import UserError
from copycat.services.chat_forms import NO_EYES, Form, Wanted, cannot_see, learnt_from
from copycat.services.openai_client import Service

JSON = Wanted("data:image/png;base64,", "Who is it?", 200, "open-1", {"type": "object"})
TOKEN = Wanted("data:image/png;base64,", "Is it a cat?", 1, is_first_token=True)


def error(body: Any, status: int = 400) -> Any:
    return SimpleNamespace(status_code=status, body=body, message=f"Error code: {status} - {body}")


@pytest.mark.parametrize(
    ("body", "wanted", "form"),
    [
        ({"message": "response_format is not supported", "param": None}, JSON, Form(output="json_object")),
        ({"message": "json_schema: unknown type"}, JSON, Form(output="json_object")),
        ({"param": "response_format", "message": "Extra inputs are not permitted"}, JSON, Form(output="json_object")),
        ({"detail": [{"loc": ["body", "response_format"], "msg": "extra"}]}, JSON, Form(output="json_object")),
        ("'response_format.type' must be 'json_schema' or 'text'", JSON, Form(output="json_object")),
        ({"message": "Gaudi doesn't support logprobs."}, TOKEN, Form(top_logprobs=5)),
        ({"message": "'temperature' does not support 0 with this model."}, JSON, Form(has_temperature=False)),
        (
            {"message": "Unsupported parameter: use 'max_completion_tokens' instead.", "param": "max_tokens"},
            JSON,
            Form(length_field="max_completion_tokens", spare_tokens=4096),
        ),
    ],
)
def test_what_is_complained_of_is_left_out(body: object, wanted: Wanted, form: Form) -> None:
    assert learnt_from(error(body), Form(), wanted) == form


@pytest.mark.parametrize(
    ("body", "status", "form", "wanted"),
    [
        ({"message": "The image cannot be decoded."}, 400, Form(), JSON),
        ({"message": "max_tokens is larger than what is left of the context."}, 400, Form(), JSON),
        ({"message": "logprobs are not supported"}, 400, Form(), JSON),
        ({"message": "response_format is not supported"}, 400, Form(), TOKEN),
        ({"message": "response_format is not supported"}, 400, Form(output="none"), JSON),
        ({"message": "logprobs are not supported"}, 400, Form(top_logprobs=0), TOKEN),
        ({"message": "response_format: try again"}, 500, Form(), JSON),
    ],
)
def test_nothing_is_left_out_that_nobody_complained_of_or_that_was_not_sent(
    body: object, status: int, form: Form, wanted: Wanted
) -> None:
    assert learnt_from(error(body, status), form, wanted) is None


def test_room_for_reasoning_is_for_answers_and_not_for_the_first_token() -> None:
    form = Form().with_room_for_reasoning()
    assert form.arguments("eyes", JSON)["max_tokens"] == 200 + 4096
    assert form.arguments("eyes", TOKEN)["max_tokens"] == 1


@pytest.mark.parametrize(
    "said",
    [
        "Invalid content type. image_url is only supported by certain models.",
        "this model does not support image input",
        "Model do not support image input. Request id: 02178888",
        "No endpoints found that support image input",
        "image input is not supported - hint: if this is unexpected, you may need to provide the mmproj",
        "At most 0 image(s) may be provided in one prompt.",
        "some-text-model is not a multimodal model",
        "Failed to deserialize the JSON body: unknown variant `image_url`, expected `text`",
        "messages.0.content must be a string",
        "The model does not support vision.",
    ],
)
def test_what_services_say_of_models_without_eyes_is_understood(said: str) -> None:
    assert NO_EYES.search(said)


@pytest.mark.parametrize(
    "said",
    [
        "You uploaded an unsupported image. Please make sure your image is valid.",
        "The image data you provided does not represent a valid image.",
        "We do not support image format webp",
        "Image size is not supported: 99999",
        "This model's maximum context length is 4096 tokens, and the image takes 5000.",
    ],
)
def test_a_complaint_about_one_picture_says_nothing_of_the_model(said: str) -> None:
    assert not NO_EYES.search(said)


@pytest.mark.parametrize("body", ["this model does not support image input", {"message": "Vision is not supported"}])
def test_a_model_without_eyes_is_told_with_what_is_needed(body: object) -> None:
    service = Service("http://127.0.0.1:8000/v1")
    with pytest.raises(UserError, match=r"127\.0\.0\.1:8000: model 'words-1' takes no pictures \(400\)"):
        cannot_see(error(body), service, "words-1")
    cannot_see(error(body, 429), service, "words-1")


TEXT = Wanted(None, "A cat.", 60, instruction="Rewrite it.", temperature=0.7, seed=3)


def test_a_question_about_no_picture_has_its_instruction_first_and_its_own_sampling() -> None:
    assert Form().arguments("m", TEXT) == {
        "model": "m",
        "messages": [{"role": "system", "content": "Rewrite it."}, {"role": "user", "content": "A cat."}],
        "max_tokens": 60,
        "temperature": 0.7,
        "seed": 3,
    }


def test_a_seed_that_is_complained_of_is_left_out() -> None:
    learnt = learnt_from(error({"message": "Unknown name 'seed'"}), Form(), TEXT)
    assert learnt == Form(has_seed=False)
    assert learnt is not None and "seed" not in learnt.arguments("m", TEXT)
    assert learnt_from(error({"message": "Unknown name 'seed'"}), Form(), JSON) is None
