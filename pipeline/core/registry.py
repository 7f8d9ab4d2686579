"""Parts that a profile can name, and where each is implemented: adding one is its module and a line here.

Values are "module:Class" and are imported when they are first used, so that a profile loads nothing it does not name.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

WRITERS: Mapping[str, str] = {
    "playbook": "pipeline.advice.writer:Playbook",
    "transformers": "pipeline.backends.transformers:TransformersGenerator",
    "openai": "pipeline.backends.openai:OpenAIGenerator",
    "fake": "pipeline.backends.fake:FakeGenerator",
}


def implementation(table: Mapping[str, str], name: str) -> Any:
    """The class behind a name of a table."""
    module, _, attribute = table[name].partition(":")
    return getattr(importlib.import_module(module), attribute)
