"""Any checkpoint of Hugging Face transformers: classifiers and language models, from the hub or a local path.

Weights load from safetensors only, at the revision the profile pins, and never with code from the hub.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from safetensors import SafetensorError

from pipeline.backends.adapters import without_bitsandbytes
from pipeline.backends.base import ClassifierBackend, Request, Written
from pipeline.backends.cleaning import written
from pipeline.backends.decoding import decode
from pipeline.backends.prompting import Prompting, no_room
from pipeline.core import faults
from pipeline.core.defuse import defused
from pipeline.core.errors import InputError
from pipeline.core.integrity import require_intact
from pipeline.core.labels import EMOTIONS, SENTIMENTS, emotion_columns, sentiment_projection
from pipeline.core.profile import Emotions, Feedback, Profile, Sentiment
from pipeline.reader.base import Classifier
from pipeline.reader.minilm import by_length


def device() -> str:
    """The fastest device that torch finds: cuda, mps or cpu."""
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def from_pretrained(auto: Any, model: str, revision: str, **options: Any) -> Any:
    """auto.from_pretrained(model), `auto` being an Auto class. Raises InputError if the model cannot be loaded."""
    from transformers.utils import logging

    logging.disable_progress_bar()  # it would tear apart our own bar, one per stage
    try:
        return auto.from_pretrained(model, revision=revision, trust_remote_code=False, **options)
    except (OSError, ValueError, SafetensorError) as error:
        if isinstance(error, OSError) and (told := faults.told(error)):
            raise told from error
        cause = " ".join(str(error).split())[:200]
        raise InputError(
            f"Model {model!r} (revision {revision}) could not be loaded: {cause} "
            "Check the name in the profile, the network, or give a local folder; download or train again what is damaged."
        ) from error


def resolve(model: str) -> str:
    """The folder of a model that is shipped with the package (`minilm`, or its hub id; `reader`), else the name unchanged."""
    from pipeline.reader import checkpoint, minilm

    if model == checkpoint.NAME:
        return str(checkpoint.folder())
    return str(minilm.locate()) if model in ("minilm", minilm.HUB_ID) else model


def load_classifier(model: str, revision: str) -> tuple[Any, Any]:
    """(network, tokenizer) of a sequence classifier, or of an adapter (LoRA, QLoRA) on top of its base.

    An adapter's base is loaded as it was in training: in 4 bits if its config says so. Raises InputError if the model cannot
    be loaded.
    """
    from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer
    from transformers.utils.hub import cached_file

    model = resolve(model)
    tokenizer = from_pretrained(AutoTokenizer, model, revision)
    try:
        adapter = cached_file(
            model, "adapter_config.json", revision=revision, _raise_exceptions_for_missing_entries=False
        )
    except OSError:
        adapter = None  # offline, and not in the cache: then it is no adapter
    if adapter is None:
        return from_pretrained(AutoModelForSequenceClassification, model, revision, use_safetensors=True), tokenizer
    from peft import PeftConfig, PeftModel

    config = from_pretrained(AutoConfig, model, revision)
    lora = PeftConfig.from_pretrained(model, revision=revision)
    options = quantization(finetune_metadata(config).get("quantize", "none"), keep=lora.modules_to_save or ())
    if "quantization_config" in options:
        options |= placement()
    options |= {"config": config, "use_safetensors": True, "ignore_mismatched_sizes": True}
    base_model, base_revision = resolve(lora.base_model_name_or_path), lora.revision or "main"
    base = from_pretrained(AutoModelForSequenceClassification, base_model, base_revision, **options)
    return PeftModel.from_pretrained(base, model, revision=revision), tokenizer


def finetune_metadata(config: Any) -> dict[str, Any]:
    """What `finetune` wrote into a model's config: task, max_tokens, quantize, thresholds, ... Empty for other models."""
    metadata = getattr(config, "review_insights", None)
    return metadata if isinstance(metadata, dict) else {}


def prepare(network: Any, tokenizer: Any) -> None:
    """A pad token for decoders that have none, and padding on the right.

    A causal model classifies at the last token that is not padding. Padding on the left would shift GPT-2's absolute
    positions; on the right it follows everything that is read. Hence not the tokenizer's default.
    """
    if tokenizer.pad_token_id is None:  # GPT-2 and Llama have none
        tokenizer.pad_token = tokenizer.eos_token
    tokenizer.padding_side = "right"
    network.config.pad_token_id = tokenizer.pad_token_id


def window(config: Any) -> int:
    """How many tokens a classifier reads: 512, or fewer if its position embeddings or its training stop short of that."""
    positions = getattr(config, "max_position_embeddings", None) or 512
    if config.model_type in {"roberta", "xlm-roberta", "camembert", "bertweet"}:
        positions -= config.pad_token_id + 1  # RoBERTa counts positions from pad_token_id + 1
    return min(positions, finetune_metadata(config).get("max_tokens", 512), 512)


class Projected:
    """A classifier with its columns mapped onto our labels by a matrix of shape (its labels, our labels)."""

    def __init__(self, inner: Classifier, labels: tuple[str, ...], matrix: np.ndarray) -> None:
        self.inner, self.labels, self.matrix, self.model = inner, labels, matrix, inner.model

    def probabilities(self, texts: Sequence[str]) -> np.ndarray:
        """float32, shape (texts, our labels)."""
        return self.inner.probabilities(texts) @ self.matrix


class TransformersClassifier(ClassifierBackend):
    """AutoModelForSequenceClassification. `activation`: softmax for one label of many, sigmoid for many labels."""

    def __init__(
        self, model: str, revision: str, activation: Literal["softmax", "sigmoid"], batch_size: int = 32
    ) -> None:
        self._set_up(*load_classifier(model, revision), model, activation, batch_size)

    @classmethod
    def from_section(cls, section: Sentiment | Emotions) -> Classifier:
        """Raises InputError if the model cannot be loaded or its labels cannot be mapped onto ours."""
        if isinstance(section, Sentiment):
            classifier = cls(section.model, section.revision, "softmax")
            return Projected(
                classifier, SENTIMENTS, sentiment_projection(classifier.labels, section.labels, section.model)
            )
        classifier = cls(section.model, section.revision, "sigmoid")
        matrix = np.zeros((len(classifier.labels), len(EMOTIONS)), dtype=np.float32)
        matrix[emotion_columns(classifier.labels, section.model), range(len(EMOTIONS))] = 1
        return Projected(classifier, EMOTIONS, matrix)

    @classmethod
    def tuned_thresholds(cls, section: Emotions) -> dict[str, float]:
        """Those that `finetune` wrote into the model's folder."""
        config = Path(section.model) / "config.json"
        if not config.is_file():
            return {}
        metadata = json.loads(config.read_text(encoding="utf-8")).get("review_insights") or {}
        return dict(metadata.get("thresholds", {}))

    @classmethod
    def of(cls, network: Any, tokenizer: Any, model: str, activation: Literal["softmax", "sigmoid"]) -> Self:
        """Wraps a network that is already in memory."""
        classifier = cls.__new__(cls)
        classifier._set_up(network, tokenizer, model, activation, 32)
        return classifier

    def _set_up(self, network: Any, tokenizer: Any, model: str, activation: str, batch_size: int) -> None:
        self.model = model if not Path(model).is_dir() else Path(model).name
        self.activation, self.batch_size = activation, batch_size
        self.network, self.tokenizer = network.eval(), tokenizer
        if not hasattr(network, "hf_device_map"):
            self.network = self.network.to(device())
        prepare(self.network, self.tokenizer)
        names = self.network.config.id2label
        self.labels = tuple(str(names[index]) for index in range(len(names)))
        self.window = window(self.network.config)

    def probabilities(self, texts: Sequence[str]) -> np.ndarray:
        """float32, shape (texts, the checkpoint's labels); texts are cut at the window."""
        import torch

        values = np.zeros((len(texts), len(self.labels)), dtype=np.float32)
        harmless = [defused(text) for text in texts]
        encoded = self.tokenizer(harmless, truncation=True, max_length=self.window)["input_ids"]
        with torch.inference_mode():
            for batch in by_length(encoded, self.batch_size):
                inputs = self.tokenizer.pad({"input_ids": [encoded[index] for index in batch]}, return_tensors="pt")
                inputs = inputs.to(self.network.device)
                logits = self.network(
                    input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"]
                ).logits.float()
                activated = logits.softmax(-1) if self.activation == "softmax" else logits.sigmoid()
                values[batch] = activated.cpu().numpy()
        return values


def quantization(choice: str, keep: Sequence[str] = ()) -> dict[str, Any]:
    """Options for from_pretrained: 4-bit NF4 with double quantisation (QLoRA, Dettmers et al. 2023), or only a dtype.

    `auto` means nf4 on CUDA and bfloat16 elsewhere. Modules named in `keep` (a classifier's head) are not quantised.
    """
    import torch

    if choice == "nf4" or (choice == "auto" and torch.cuda.is_available()):
        from transformers import BitsAndBytesConfig

        compute_dtype = torch.bfloat16 if torch.cuda.is_available() else torch.float32
        return {
            "quantization_config": BitsAndBytesConfig(
                load_in_4bit=True,
                bnb_4bit_quant_type="nf4",
                bnb_4bit_use_double_quant=True,
                bnb_4bit_compute_dtype=compute_dtype,
                # FSDP can only shard weights that are all stored in one type
                bnb_4bit_quant_storage=torch.bfloat16 if _fsdp() else torch.uint8,
                llm_int8_skip_modules=list(keep) or None,  # for 4 bits too, whatever its name
            )
        }
    return {"dtype": torch.bfloat16 if choice == "auto" else torch.float32}


def placement() -> dict[str, Any]:
    """Options for from_pretrained of quantised weights: this process's GPU, or the CPU. None under FSDP, which places them."""
    if _fsdp():
        return {}
    return {"device_map": {"": int(os.environ.get("LOCAL_RANK", "0"))} if device() == "cuda" else {"": "cpu"}}


def _fsdp() -> bool:
    return os.environ.get("ACCELERATE_USE_FSDP", "").lower() in ("1", "true")


def load_causal_lm(model: str, revision: str, quantize: str) -> tuple[Any, Any]:
    """(network, tokenizer), padding on the left, with a pad token that is not eos, so that stopping can be learned.

    Raises InputError if the model cannot be loaded.
    """
    from transformers import AutoModelForCausalLM, AutoTokenizer

    require_intact(Path(model))
    options = quantization(quantize)
    if "quantization_config" in options:
        options["device_map"] = {"": 0} if device() == "cuda" else {"": "cpu"}
    tokenizer = from_pretrained(AutoTokenizer, model, revision, padding_side="left")
    network = from_pretrained(AutoModelForCausalLM, model, revision, use_safetensors=True, **options)
    if tokenizer.pad_token_id in (None, tokenizer.eos_token_id):
        # A pad token that is eos is masked from the loss together with it: the model never learns to stop.
        tokenizer.add_special_tokens({"pad_token": "<|pad|>"})
        if len(tokenizer) > network.get_input_embeddings().num_embeddings:
            network.resize_token_embeddings(len(tokenizer))
    network.config.pad_token_id = network.generation_config.pad_token_id = tokenizer.pad_token_id
    return network, tokenizer


class TransformersGenerator:
    """A causal language model, with or without a LoRA adapter. Temperature 0 decodes greedily; sampling is reseeded for each
    batch of at most `batch_size` prompts.
    """

    def __init__(
        self,
        model: str,
        revision: str,
        *,
        quantize: str = "auto",
        adapter: Path | None = None,
        max_new_tokens: int = 400,
        temperature: float = 0.0,
        top_p: float = 1.0,
        no_repeat_ngram_size: int = 0,
        repetition_penalty: float = 1.0,
        seed: int = 0,
        batch_size: int = 32,
    ) -> None:
        self.model = Path(model).name if Path(model).is_dir() else model
        self.network, self.tokenizer = load_causal_lm(model, revision, quantize)
        if adapter is not None:
            with without_bitsandbytes():
                from peft import PeftModel

                self.network = PeftModel.from_pretrained(self.network, adapter)
        if not hasattr(self.network, "hf_device_map"):
            self.network = self.network.to(device())
        self.network.eval()
        self.seed, self.batch_size = seed, batch_size
        self.prompting = Prompting(self.tokenizer)
        self.opens_thinking = self.prompting.opens_thinking
        self.options = {
            "max_new_tokens": max_new_tokens,
            "do_sample": temperature > 0,
            "no_repeat_ngram_size": no_repeat_ngram_size,
            "repetition_penalty": repetition_penalty,
            "pad_token_id": self.tokenizer.pad_token_id,
            "eos_token_id": self.tokenizer.eos_token_id,
        }
        if temperature > 0:
            self.options |= {"temperature": temperature, "top_p": top_p}

    @classmethod
    def from_section(cls, section: Feedback, profile: Profile) -> Self:
        """Raises InputError if the model cannot be loaded."""
        return cls(
            section.model,
            section.revision,
            quantize=section.quantize,
            max_new_tokens=section.max_new_tokens,
            temperature=section.temperature,
        )

    def write(self, requests: Sequence[Request]) -> list[Written]:
        """One Written per request, in order; with an error where the prompt leaves no room for the answer."""
        import torch

        inputs = [self.prompting.ids(request.prompt) for request in requests]
        window = getattr(self.network.config, "max_position_embeddings", None) or 10**9
        room = window - self.options["max_new_tokens"]
        results: list[Written | None] = [None] * len(inputs)
        fitting = [index for index, ids in enumerate(inputs) if len(ids) <= room]
        for index in set(range(len(inputs))) - set(fitting):
            results[index] = Written("", "", error=no_room(len(inputs[index]), room, self.model))
        callbacks = [requests[index].on_text for index in fitting]

        def report(position: int, tokens: list[int]) -> None:
            if on_text := callbacks[position]:
                on_text(self._written(tokens).text)

        torch.manual_seed(self.seed)
        texts = decode(
            self.network,
            [inputs[index] for index in fitting],
            self.options,
            self.batch_size,
            report if any(callbacks) else None,
        )
        for index, tokens in zip(fitting, texts, strict=True):
            usage = (len(inputs[index]), self._length(tokens))
            results[index] = replace(self._written(tokens), usage=usage)
        return [result for result in results if result is not None]

    def _length(self, tokens: list[int]) -> int:
        """Tokens up to the one that ends the answer; what follows it only fills up the batch."""
        end = self.tokenizer.eos_token_id
        return tokens.index(end) if end in tokens else len(tokens)

    def _written(self, tokens: list[int]) -> Written:
        length = self._length(tokens)
        raw = self.tokenizer.decode(tokens[:length], skip_special_tokens=True)
        return written(raw, truncated=length == len(tokens), opened=self.opens_thinking)
