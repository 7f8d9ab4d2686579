"""What the shipped packs read in reviews of their trade: what a salon owner or a dentist would, and nothing absurd."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.core import profile
from pipeline.service.analyze import Analyzer, prepare

READ: dict[str, dict[str, str | None]] = {
    "salon": {
        "Had my gel done on Friday and by Monday two nails had popped right off.": "nails_lift_or_chip",
        "She cut my cuticles so deep that two fingers got infected.": "salon_nail_care_hurts",
        "I asked for a soft arch and she gave me two thin lines. My brows will need months to grow back.": (
            "salon_brows_shaped_against_wish"
        ),
        "They kept my 50 deposit even though I rescheduled three days ahead because of a funeral.": (
            "salon_deposit_kept_after_notice"
        ),
        # Once told as brows shaped against the wish.
        "Wanted a cool blonde, walked out with brassy orange hair and a bill for 280.": None,
        "They could not do my curls at all and told me to straighten my hair next time.": None,
    },
    "dental": {
        "My retainer does not fit, it has been remade twice and my teeth have moved back already.": "dentist_work_fails",
        "The estimate said 400 and the bill was 900, because insurance did not cover what they said.": "dental_plan_grew",
        "My son is afraid, and the assistant told him that only babies cry.": "dental_fear_brushed_aside",
        "Eighteen months of braces became three years, and nobody explains why.": "dental_braces_drag_on",
        # Once told as a rough cleaning, and as a plan that grew.
        "My dentures rub so much that I have sores and cannot eat.": None,
        "Never the same dentist twice, and each one wants new X-rays.": None,
    },
}


@pytest.mark.parametrize("name", READ)
def test_reviews_are_cases_of_what_they_complain_of(name: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(f'extends = "embedded"\npack = "{name}"\n')
    analyzer = Analyzer(profile.load(str(file)))
    found = analyzer.classify([prepare(text, stars=1.0) for text in READ[name]])
    for row, wanted in zip(found, READ[name].values(), strict=True):
        problems = {theme["problem"] for theme in row["themes"]} - {None}
        assert problems == ({wanted} if wanted else set()), row["text"]
