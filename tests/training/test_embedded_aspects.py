"""How aspects are read from their files, trained on, and judged."""

from __future__ import annotations

from pathlib import Path

from pipeline.training import aspects, evaluate_aspects

MAMS = """<sentences><sentence><text>Kind staff, dull bread. </text><aspectTerms>
<aspectTerm term="staff" polarity="positive" from="5" to="10"/><aspectTerm term="bread" polarity="negative" from="17" to="22"/>
</aspectTerms></sentence><sentence><text>We sat down.</text><aspectCategories>
<aspectCategory category="place" polarity="neutral"/><aspectCategory category="food" polarity="conflict"/></aspectCategories></sentence></sentences>"""


def test_both_kinds_of_file_are_read(tmp_path: Path) -> None:
    (tmp_path / "m.xml").write_text(MAMS)
    (tmp_path / "s.seg").write_text("The $T$ was fine .\nbread\n1\nA slow $T$ .\nwaiter\n-1\n")
    assert aspects.read_mams(tmp_path / "m.xml") == [
        ("Kind staff, dull bread.", "staff", 2),
        ("Kind staff, dull bread.", "bread", 0),
        ("We sat down.", "place", 1),
    ]
    assert aspects.read_semeval(tmp_path / "s.seg") == [
        ("The bread was fine .", "bread", 2),
        ("A slow waiter .", "waiter", 0),
    ]


def test_categories_are_counted_by_sentence() -> None:
    rows = [
        aspects.Example("The waiter dropped the soup.", "staff", 0),
        aspects.Example("The waiter dropped the soup.", "food", 1),
        aspects.Example("We sang along.", "miscellaneous", 1),
        aspects.Example("Slow service.", "food", 0),
    ]
    scores = evaluate_aspects.categories(rows)
    assert scores["staff"] == {"n": 1, "precision": 1.0, "recall": 1.0, "f1": 1.0}
    assert scores["food"] == {"n": 2, "precision": 1.0, "recall": 0.5, "f1": 0.667}
    assert scores["service"]["precision"] == 0.0 and scores["miscellaneous"]["recall"] == 0.0
    assert scores["all"]["n"] == 4 and scores["all but miscellaneous"]["n"] == 3


def test_the_clause_of_a_term() -> None:
    sentence = "The Soup was cold, but the waiter was kind."
    assert evaluate_aspects.clause_of(sentence, "waiter") == "but the waiter was kind."
    assert evaluate_aspects.clause_of(sentence, "place") == sentence


def test_given_aspects_are_judged_as_well_as_the_card_says(shared_data: Path) -> None:
    rows = aspects.tests(shared_data)["mams_terms"][:40]
    reached = evaluate_aspects.sentiment(rows)
    assert reached["both"] > 0.65 and reached["both"] > reached["clause"] + 0.15
