"""The backends that a profile can name and the class behind each. To add one, write its module and a line here.

Values are "module:Class". A class is imported on first use, so that a profile loads nothing it does not name, and is
instantiated by its `from_section`: see `Writer`, `ReaderBackend` and `ClassifierBackend` in `pipeline.backends.base`.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from typing import Any

WRITERS: Mapping[str, str] = {  # for [feedback]
    "playbook": "pipeline.advice.writer:Playbook",
    "transformers": "pipeline.backends.transformers:TransformersGenerator",
    "openai": "pipeline.backends.openai:OpenAIGenerator",
    "gguf": "pipeline.backends.gguf:GGUFGenerator",
    "vllm": "pipeline.backends.vllm:VLLMGenerator",
    "fake": "pipeline.backends.fake:FakeGenerator",
}

READERS: Mapping[str, str] = {  # for [reader]
    "embedded": "pipeline.backends.embedded:EmbeddedReader",
    "fake": "pipeline.backends.fake:FakeReader",
}

CLASSIFIERS: Mapping[str, str] = {  # for [sentiment] and [emotions]
    "embedded": "pipeline.backends.embedded:EmbeddedClassifier",
    "transformers": "pipeline.backends.transformers:TransformersClassifier",
    "fake": "pipeline.backends.fake:FakeClassifier",
}


def implementation(table: Mapping[str, str], name: str) -> Any:
    """The object that a table of "module:name" values names. Raises KeyError for a name that is not in it."""
    return pkgutil.resolve_name(table[name])
