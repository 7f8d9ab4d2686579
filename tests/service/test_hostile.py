from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.service import hostile


def test_requests_made_up_from_the_document(tmp_path: Path) -> None:
    pytest.importorskip("schemathesis")
    with hostile.service(tmp_path) as url:
        counts = hostile.generated(url, 50)  # 10,000 by hand: docs/service.md
    assert counts.total() > 30 and counts[200] and counts[422] and not any(status >= 500 for status in counts)


def test_texts_that_are_known_to_break_things(tmp_path: Path, shared_data: Path) -> None:
    texts = json.loads((shared_data / "strings" / "naughty_strings.json").read_text(encoding="utf-8"))[::25]
    with hostile.service(tmp_path) as url:
        counts = hostile.known(url, texts)
    assert counts.total() > 8 * len(texts) and counts[200] and not any(status >= 500 for status in counts)
