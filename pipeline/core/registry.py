"""The backends that a profile can name, and the class behind each: a new one is its module and a line here.

Values are "module:Class". The class is imported when it is first used, so that a profile loads nothing it does not name,
and is made by its `from_section`: see `Writer` and `ClassifierBackend` in `pipeline.backends.base`.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

WRITERS: Mapping[str, str] = {  # of text: [feedback]
    "playbook": "pipeline.advice.writer:Playbook",
    "transformers": "pipeline.backends.transformers:TransformersGenerator",
    "openai": "pipeline.backends.openai:OpenAIGenerator",
    "fake": "pipeline.backends.fake:FakeGenerator",
}

CLASSIFIERS: Mapping[str, str] = {  # of reviews: [sentiment] and [emotions]
    "embedded": "pipeline.backends.embedded:EmbeddedClassifier",
    "transformers": "pipeline.backends.transformers:TransformersClassifier",
    "fake": "pipeline.backends.fake:FakeClassifier",
}


def implementation(table: Mapping[str, str], name: str) -> Any:
    """The class behind a name of a table. Raises KeyError for a name that is not in it."""
    module, _, attribute = table[name].partition(":")
    return getattr(importlib.import_module(module), attribute)
