"""What reviews bring along never reaches a tokenizer or a server as a mark of a chat, and stays where reviews stand."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest

from pipeline.advice.request import request
from pipeline.backends.openai import OpenAIGenerator
from pipeline.backends.transformers import TransformersGenerator
from pipeline.core.prompts import as_data
from pipeline.metrics import judge
from pipeline.reader import minilm
from tests.answering import answering
from tests.checkpoints import Checkpoints
from tests.injections import COMPLAINT, INJECTIONS

# Special tokens as the vocabularies of models have them: independent of the patterns that look for them.
TOKENS = [
    "<s>",
    "</s>",
    "<bos>",
    "<eos>",
    "<pad>",
    "<unk>",
    "<mask>",
    "[INST]",
    "[/INST]",
    "<<SYS>>",
    "<</SYS>>",
    "[TOOL_CALLS]",
    "[SYSTEM_PROMPT]",
    "[/SYSTEM_PROMPT]",
    "[CLS]",
    "[SEP]",
    "<|im_start|>",
    "<|im_end|>",
    "<|endoftext|>",
    "<|eot_id|>",
    "<|start_header_id|>",
    "<|end_header_id|>",
    "<|begin_of_text|>",
    "<|system|>",
    "<|user|>",
    "<|assistant|>",
    "<|end|>",
    "<|start|>",
    "<|channel|>",
    "<|message|>",
    "<|return|>",
    "<start_of_turn>",
    "<end_of_turn>",
    "<turn|>",
    "<|turn>",
    "<think>",
    "</think>",
    "<｜User｜>",
    "<｜Assistant｜>",
    "<｜end▁of▁sentence｜>",
    "<｜begin▁of▁sentence｜>",
    "<|START_OF_TURN_TOKEN|>",
    "<|END_OF_TURN_TOKEN|>",
    "<|SYSTEM_TOKEN|>",
    "<unused95>",
    "<extra_id_0>",
    "<fim_prefix>",
    "<fim_suffix>",
    "<tool_call>",
    "</tool_call>",
    "<image>",
    "<|vision_start|>",
    "[gMASK]",
    "<sop>",
    "<EOT>",
    "[IMG]",
    "◁think▷",
    "◁/think▷",
    "<end_of_utterance>",
    "<reserved_special_token_1>",
    "[control_8]",
    "<|reserved_special_token_5|>",
]
EVERY = [*(one.review for one in INJECTIONS), COMPLAINT + " ".join(TOKENS)]
PROMPTS = ("feedback.v1", "feedback.v2", "feedback.v3", "student.v1", "student.v3")


def row(text: str) -> Any:
    theme = {"theme": "waiting_time", "evidence": text, "sentiment": "negative", "score": -0.9, "problem": None}
    return {"text": text, "stars": 1.0, "emotions": ["anger"], "themes": [theme], "business": text[-50:]}


def plain(text: str) -> str:
    """As a server may normalise it: compatible forms, nothing invisible."""
    return "".join(one for one in unicodedata.normalize("NFKC", text) if unicodedata.category(one) not in ("Cf", "Mn"))


def marks(text: str) -> list[str]:
    """Special tokens in a text, which the prompt's own words are not."""
    bare = plain(text).lower()
    return [token for token in TOKENS if plain(token).lower() in bare]


@pytest.mark.parametrize("name", PROMPTS)
def test_no_prompt_holds_a_mark_and_the_review_stays_in_its_place(name: str) -> None:
    usual = request(row(COMPLAINT), name).prompt
    for review in EVERY:
        prompt = request(row(review), name).prompt
        assert marks(prompt) == [] and marks(plain(prompt)) == []
        assert plain(prompt).count("<review>") == usual.count("<review>")
        assert plain(prompt).count("</review>") == usual.count("</review>")


def test_neither_does_the_judges(monkeypatch: pytest.MonkeyPatch) -> None:
    for review in EVERY:
        asked = judge._request(review, review, review).prompt
        assert marks(asked) == [] and asked.count("</text_a>") == 2


def test_what_a_server_is_sent_holds_no_mark() -> None:
    sent: list[str] = []

    def respond(asked: Any) -> tuple[int, Any]:
        sent.append(asked["messages"][0]["content"])
        return 200, {"choices": [{"finish_reason": "stop", "message": {"content": "1. Warm the soup."}}]}

    with answering(respond) as url:
        backend = OpenAIGenerator("m", f"{url}/v1", "NO_SUCH_KEY", max_new_tokens=8, temperature=0.0)
        backend.write([request(row(review), "feedback.v1") for review in EVERY])
    assert len(sent) == len(EVERY) and not any(map(marks, sent))


def specials(tokenizer: Any, ids: list[int]) -> list[int]:
    known = {id_ for id_, token in tokenizer.added_tokens_decoder.items() if token.special} | {
        *tokenizer.all_special_ids
    }
    return [one for one in ids if one in known]


def test_a_tokenizer_sees_no_special_token_but_the_templates(tiny: Checkpoints) -> None:
    for folder in (tiny.mistral, tiny.phi):
        backend = TransformersGenerator(folder, "main", quantize="none", max_new_tokens=4)
        own = [str(token) for token in backend.tokenizer.all_special_tokens]
        usual = specials(backend.tokenizer, backend.prompting.ids(request(row(COMPLAINT), "feedback.v1").prompt))
        for review in [*EVERY, COMPLAINT + " ".join(own)]:
            prompt = request(row(review), "feedback.v1").prompt
            assert specials(backend.tokenizer, backend.prompting.ids(prompt)) == usual, (folder, review)


def test_a_mark_that_only_this_tokenizer_knows(tiny: Checkpoints) -> None:
    backend = TransformersGenerator(tiny.phi, "main", quantize="none", max_new_tokens=4)
    backend.tokenizer.add_special_tokens({"additional_special_tokens": ["{{turn}}"]})
    backend.prompting.marks = ["{{turn}}"]
    known = backend.tokenizer.convert_tokens_to_ids("{{turn}}")
    assert known not in backend.prompting.ids("The soup {{turn}} was cold.")
    assert known in backend.tokenizer("The soup {{turn}} was cold.")["input_ids"]


def test_what_reads_reviews_sees_none_either() -> None:
    _, tokenizer = minilm.load()
    ids = minilm.tokenize(tokenizer, ["Cold soup. [SEP] [CLS] [MASK] [PAD] Fine bread."])[0]
    assert specials(tokenizer, ids) == specials(tokenizer, minilm.tokenize(tokenizer, ["Cold soup."])[0])


@pytest.mark.parametrize(
    "text", ["I <3 it", "[sic]", "<br>", "a < b", "5 [stars]", "« Bon »", "《吃饭》", "【推荐】", "x|y", "<b>no</b>"]
)
def test_ordinary_text_stays(text: str) -> None:
    assert as_data(text) == text
