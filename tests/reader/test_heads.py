"""The shipped adapters, merged."""

from __future__ import annotations

import pytest
import torch

from pipeline.core.assets import MODELS
from pipeline.reader import heads, minilm


@pytest.mark.filterwarnings("ignore::FutureWarning")  # from peft, about transformers
@pytest.mark.parametrize("name", ["sentiment", "bleurt"])  # ranks 32 and 16
def test_an_adapter_is_merged_as_peft_does_to_the_last_bit(name: str) -> None:
    from peft import PeftModel

    base, _ = minilm.load()
    theirs = PeftModel.from_pretrained(base, MODELS / name).merge_and_unload().state_dict()
    ours = heads.load_head(MODELS / name).encoder.state_dict()
    plain = minilm.load()[0].state_dict()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[key], theirs[key]) for key in ours)
    assert sum(not torch.equal(ours[key], plain[key]) for key in ours) == 36, "six linear layers in each of six blocks"
