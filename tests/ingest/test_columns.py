from __future__ import annotations

import pytest

from pipeline.core.errors import InputError
from pipeline.ingest import columns
from pipeline.ingest.formats.header import count_usual

PROSE = "The waiter was rude and the soup was cold that evening."


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (
            ["rating", "date", "variation", "verified_reviews"],
            {"text": "verified_reviews", "stars": "rating", "product": "variation"},
        ),
        (["Review Text", "Rating", "Title"], {"text": "Review Text", "stars": "Rating", "title": "Title"}),
        (
            ["name", "rating", "review_text", "review_rating"],
            {"text": "review_text", "stars": "review_rating"},
        ),
        (["reviewId", "content", "score", "at"], {"text": "content", "stars": "score", "reviewed_at": "at"}),
        (["text", "business_id"], {"text": "text", "business": "business_id"}),
    ],
)
def test_columns_are_found_by_common_names(names: list[str], expected: dict[str, str]) -> None:
    values = {"rating": "4", "Rating": "4", "score": "4", "review_rating": "2", "stars": "3"}
    sample = [{name: values.get(name, PROSE) for name in names}]
    found = columns.choose(names, {}, sample, "f.csv")
    assert expected.items() <= found.items()


def test_a_name_is_the_business_only_where_it_recurs() -> None:
    """Otherwise it is the customer's: no business is better than one per customer."""

    def chosen(*names: str) -> str | None:
        sample = [{"name": name, "review": PROSE} for name in names]
        return columns.choose(["name", "review"], {}, sample, "f.csv").get("business")

    assert chosen("Corner Bakery", "Corner Bakery", "Old Mill", "Old Mill") == "name"
    assert chosen("Ann", "Bob", "Cleo", "Dora", "Bob") is None
    assert chosen("Anonymous", "Anonymous", "Anonymous", "Anonymous") is None
    assert chosen("Guest", "Guest", "Guest", "Guest", "Guest", "Guest", "Ann", "Bob", "Cleo") is None


def test_a_company_that_stands_once_is_the_customers() -> None:
    assert "business" not in read("company; review", *(f"{name}; ..." for name in ("Ash", "Birch", "Cedar", "Elm")))
    assert read("company; review", *(f"{name}; ..." for name in ("Ash", "Ash", "Elm", "Elm")))["business"] == "company"
    assert read("company; review", "Ash; ...")["business"] == "company"


def test_a_text_column_holds_prose() -> None:
    sample = [{"text": "7", "review": PROSE}]
    assert columns.choose(["text", "review"], {}, sample, "f.csv")["text"] == "review"


def test_mapping_wins_and_is_checked() -> None:
    sample = [{"text": PROSE, "good": PROSE, "bad": PROSE}]
    assert columns.choose(["text", "good", "bad"], {"text": "good+bad"}, sample, "f.csv")["text"] == "good+bad"
    with pytest.raises(InputError, match=r"no column 'ugly'\. Its columns: text, good, bad"):
        columns.choose(["text", "good", "bad"], {"text": "ugly"}, sample, "f.csv")
    with pytest.raises(InputError, match="no field 'colour'"):
        columns.choose(["text"], {"colour": "text"}, sample, "f.csv")
    with pytest.raises(InputError, match="Did you mean 'Review Text'"):
        columns.choose(["Review Text", "Date"], {"text": "ReviewTxt"}, sample, "f.csv")
    with pytest.raises(InputError, match="Did you mean 'reviewed_at'"):
        columns.choose(["text"], {"review_at": "text"}, sample, "f.csv")
    with pytest.raises(InputError, match="and 40 more"):
        columns.choose([f"c{number}" for number in range(100)], {}, [{}], "f.csv")
    with pytest.raises(InputError, match="The longest texts stand in 'What else'"):
        columns.choose(["Till", "What else"], {}, [{"Till": "4", "What else": PROSE}], "f.csv")
    with pytest.raises(InputError, match="--map text=COLUMN"):
        columns.choose(["a", "b"], {}, [{"a": "1", "b": "2"}], "f.csv")


def read(header: str, *rows: str, mapping: dict[str, str] | None = None) -> dict[str, str]:
    """What is chosen for a table whose cells are separated by semicolons; "..." stands for a sentence of its own."""
    names = header.split("; ")
    records = [
        dict(zip(names, row.replace("...", f"{PROSE} {number}").split("; "), strict=True))
        for number, row in enumerate(rows)
    ]
    return columns.choose(names, mapping or {}, records, "f.csv")


def test_an_empty_mapping_means_no_such_column() -> None:
    row = "Ann; ...; 4"
    assert read("author; review; rating", row) == {"text": "review", "stars": "rating", "author": "author"}
    assert read("author; review; rating", row, mapping={"stars": "", "author": ""}) == {"text": "review"}


@pytest.mark.parametrize(
    ("header", "row", "expected"),
    [
        (
            "Kunde; Datum; Sterne; Titel; Bewertung; Antwort; Antwortdatum; Filiale",
            "Ann; 03.04.2024; 4; Kalt; ...; Danke sehr; 04.04.2024; Ulm",
            "text=Bewertung title=Titel stars=Sterne reviewed_at=Datum business=Filiale author=Kunde reply=Antwort replied_at=Antwortdatum",
        ),
        (
            "Auteur; Note; Avis; Établissement",
            "Ann; 4; ...; Moulin",
            "text=Avis stars=Note business=Établissement author=Auteur",
        ),
        (
            "Fecha; Calificación; Reseña; Ventajas",
            "1/2/2024; 4; ...; Todo bien",
            "text=Reseña liked=Ventajas stars=Calificación reviewed_at=Fecha",
        ),
        (
            "Data; Voto; Recensione; Risposta",
            "1/2/2024; 4; ...; Grazie",
            "text=Recensione stars=Voto reviewed_at=Data reply=Risposta",
        ),
        (
            "Nome do cliente; Avaliação; Comentário",
            "Ana; 4; ...",
            "text=Comentário stars=Avaliação author=Nome do cliente",
        ),
        ("Naam; Cijfer; Toelichting", "Ann; 4; ...", "text=Toelichting stars=Cijfer author=Naam"),
        (
            "Ocena; Treść opinii; Zalety; Wady",
            "4; ...; jakość; cena",
            "text=Treść opinii liked=Zalety disliked=Wady stars=Ocena",
        ),
        ("Betyg; Omdöme; Produktnamn", "4; ...; Lampa", "text=Omdöme stars=Betyg product=Produktnamn"),
        (
            "Puan; Yorum; Ürün Adı; Yanıt",
            "4; ...; Lamba; Teşekkürler",
            "text=Yorum stars=Puan product=Ürün Adı reply=Yanıt",
        ),
        (
            "Оценка; Достоинства; Недостатки; Комментарий",
            "4; Качество; Доставка; ...",
            "text=Комментарий liked=Достоинства disliked=Недостатки stars=Оценка",
        ),
        ("评分; 评论内容; 商家回复", "4; ...; 谢谢", "text=评论内容 stars=评分 reply=商家回复"),
        (
            "投稿日; 評価; 口コミ; 店舗名",
            "2024/03/04; 4; ...; 本店",
            "text=口コミ stars=評価 reviewed_at=投稿日 business=店舗名",
        ),
        ("작성자; 별점; 리뷰; 답변", "Ann; 4; ...; 감사합니다", "text=리뷰 stars=별점 author=작성자 reply=답변"),
        ("評価; 口コミ本文; 投稿時間", "4; ...; 2024/03/04", "text=口コミ本文 stars=評価 reviewed_at=投稿時間"),
        ("酒店名称; 评分; 点评内容", "本店; 4; ...", "text=点评内容 stars=评分 business=酒店名称"),
        ("Hodnocení; Komentář; Klady", "4; ...; cena", "text=Komentář liked=Klady stars=Hodnocení"),
        ("คะแนน; รีวิว; ชื่อร้าน", "4; ...; ครัว", "text=รีวิว stars=คะแนน business=ชื่อร้าน"),
        ("التقييم; التعليق; التاريخ", "4; ...; 2024-03-04", "text=التعليق stars=التقييم reviewed_at=التاريخ"),
        ("Peringkat; Ulasan; Balasan", "4; ...; Terima kasih", "text=Ulasan stars=Peringkat reply=Balasan"),
    ],
)
def test_usual_names_in_many_languages(header: str, row: str, expected: str) -> None:
    found = read(header, row)
    columns_in_order = {f: found[f] for f in columns.FIELDS if f in found}
    assert " ".join(f"{field}={column}" for field, column in columns_in_order.items()) == expected


def test_both_sides_of_a_review_need_no_text() -> None:
    assert read("Pros; Cons; Rating", "Kind people; ...; 2") == {"liked": "Pros", "disliked": "Cons", "stars": "Rating"}
    asked = read("What did you like best?; What did you like least?", "The bread; ...")
    assert asked == {"liked": "What did you like best?", "disliked": "What did you like least?"}
    assert "liked" not in read("liked; review", "true; ...", "false; ...")


@pytest.mark.parametrize(
    ("header", "rows", "stars"),
    [
        (
            "business; rating; review; review_rating",
            ["Inn; 4.3; ...; 1", "Inn; 4.3; ...; 5", "Bar; 3.9; ...; 2", "Bar; 3.9; ...; 5"],
            "review_rating",
        ),
        (
            "business; rating; review; score",
            ["Inn; 4.0; ...; 1", "Inn; 4.0; ...; 5", "Bar; 3.0; ...; 2", "Bar; 3.0; ...; 5"],
            "score",
        ),
        ("rating; review; score", ["4.3; ...; 1", "4.3; ...; 5", "4.3; ...; 2"], "score"),
        ("business; rating; review", ["Inn; 4.3; ...", "Inn; 4.3; ...", "Bar; 3.9; ...", "Bar; 3.9; ..."], None),
        ("business; rating; review", ["Inn; 4.5; ...", "Inn; 3; ...", "Bar; 4; ...", "Bar; 5; ..."], "rating"),
        ("business; rating; review", ["Inn; 5; ...", "Inn; 5; ...", "Inn; 5; ..."], "rating"),
    ],
)
def test_the_places_average_is_not_the_customers_rating(header: str, rows: list[str], stars: str | None) -> None:
    assert read(header, *rows).get("stars") == stars


def test_a_title_that_recurs_is_the_places_or_the_products() -> None:
    places = read("title; placeId; text; name", *(f"{title}; p; ...; Ann" for title in ("Inn", "Inn", "Bar", "Bar")))
    assert places == {"text": "text", "business": "title", "author": "name"}
    products = read("title; asin; text", *(f"{title}; b; ..." for title in ("Lamp", "Lamp", "Kettle", "Kettle")))
    assert products == {"text": "text", "product": "title"}
    goods = read("name; brand; text", *(f"{name}; b; ..." for name in ("Lamp", "Lamp", "Kettle", "Kettle")))
    assert goods == {"text": "text", "product": "name"}
    assert "title" not in read("title; text", *["Inn; ..."] * 4)
    assert read("title; text", "Cold; ...", "Warm; ...", "Fine; ...", "Good; ...")["title"] == "title"


def test_replies_are_not_the_review_and_translations_only_a_stopgap() -> None:
    found = read(
        "response; review_translated; review; date; response date",
        "We are so very sorry about the soup.; Cold; ...; 2024-03-05; 2024-03-06",
    )
    assert found == {
        "text": "review",
        "reviewed_at": "date",
        "reply": "response",
        "replied_at": "response date",
    }
    assert read("review; review_translated", "; ...")["text"] == "review_translated"
    assert read("comment; response date", "...; 2024-03-06") == {"text": "comment", "reviewed_at": "response date"}


@pytest.mark.parametrize(
    ("header", "ids", "found"),
    [
        ("review_id", ["a7", "b2", "c9"], True),
        ("uuid", ["a7", "b2", ""], True),
        ("id", ["11", "14", "19"], True),
        ("id", ["1", "2", "3"], False),  # counts the rows
        ("id", ["9", "8", "7"], False),
        ("id", ["7", "7", "9"], False),  # of something else
        ("id", ["9" * 5000, "8" * 5000, "7" * 5000], True),
        ("index", ["a7", "b2", "c9"], False),
        ("user_id", ["a7", "b2", "c9"], False),
        ("place_id", ["a7", "b2", "c9"], False),
    ],
)
def test_an_id_tells_reviews_apart(header: str, ids: list[str], found: bool) -> None:
    assert ("id" in read(f"{header}; review", *(f"{id}; ..." for id in ids))) == found


def test_a_record_exported_twice_keeps_its_id() -> None:
    assert read("review_id; review", "a7; Cold soup", "a7; Cold soup", "b2; Warm soup")["id"] == "review_id"


def grouped(header: str, *rows: str) -> list[str]:
    """The attributes of a table that has a column "review" too."""
    names = header.split("; ")
    values = {
        name: list(column)
        for name, column in zip(names, zip(*(row.split("; ") for row in rows), strict=True), strict=True)
    }
    return columns.attributes([*names, "review"], {"text": "review"}, None, values)


def test_attributes_are_what_reviews_can_be_grouped_by() -> None:
    kept = "country; app version; Device; traveller_type; Verified; route"
    assert grouped(
        kept, "DE; 1.2; phone; Solo; true; Ulm to Bonn", "FR; 1.3; tablet; Family; false; Bonn to Ulm"
    ) == kept.split("; ")
    assert grouped("empty; essay; list", f"; {PROSE * 3}; ['a']", f"; {PROSE}; ['b']") == []
    assert grouped("rating; date; reply", "4.3; 2024-03-05; Thanks", "4.4; 2024-03-06; Sorry") == []
    assert grouped("seen; stamp; helpful_votes", "2024-03-05; 1700000000; 3", "2024-03-06; 1700000001; 4") == []
    many = [f"order {number // 2}" for number in range(2000)]
    assert columns.attributes(["a", "b"], {}, None, {"a": many, "b": [*many, "one more", "and more"]}) == ["a"]
    assert columns.attributes(["a"], {}, None, {"a": [str(number) for number in range(21)] * 2}) == ["a"]
    assert columns.attributes(["a"], {}, None, {"a": [f"x{number}" for number in range(21)]}) == []


@pytest.mark.parametrize(
    "header",
    [
        "Reviewer Name; first_name; Vorname; nombre de usuario; 用户名",
        "E-Mail; Phone Number; ip_address; Adresse; profile_photo_url",
        "user_id; Unnamed: 0; Order ID; Bestellnummer; lat; user.city",
    ],
)
def test_personal_columns_are_no_attributes(header: str) -> None:
    row = "; ".join("x" for _ in header.split("; "))
    assert grouped(header, row, row) == []


@pytest.mark.parametrize(
    "value",
    [
        "ann@example.org",
        "https://example.org/ann",
        "10.1.2.3",
        "+49 731 1234567",
        "6f1e2c44-9a1b-4c55-8e1f-0123456789ab",
    ],
)
def test_personal_values_are_no_attributes(value: str) -> None:
    assert grouped("what", value, "x") == [] and grouped("what", "y", "x") == ["what"]


def test_nested_json_gives_each_attribute_once() -> None:
    values = {"territory": ["GBR"], "attributes.territory": ["GBR"], "place.name": ["Inn"], "other": ["GBR"]}
    assert columns.attributes(list(values), {}, None, values) == ["territory", "other"]


def test_usual_names_may_say_whose_words_they_are() -> None:
    """Tools put "survey", "guest" or "my" before a usual name, and JSON the name of the object that it stands in."""
    assert read("Survey rating; Survey comment; Response received at", "4; ...; 2024-03-04") == {
        "text": "Survey comment",
        "stars": "Survey rating",
        "reviewed_at": "Response received at",
    }
    found = read(
        "my rating; full_review_text; hotel.name; dates.publishedDate; average rating", "4; ...; Inn; 2024-03-04; 4"
    )
    assert found == {
        "text": "full_review_text",
        "stars": "my rating",
        "reviewed_at": "dates.publishedDate",
        "business": "hotel.name",
    }


def test_names_that_may_mean_other_things_come_last() -> None:
    """A description may be the product's or the ticket's, and an id stands beside a name."""
    found = read("ASIN; Artikelname; Description; Satisfaction Comment", "B01; Lamp; ...; ...", "B01; Lamp; ...; ...")
    assert (found["text"], found["product"]) == ("Satisfaction Comment", "Artikelname")
    assert read("ASIN; Description", "B01; ...") == {"text": "Description", "product": "ASIN"}


def test_the_number_of_a_question_is_no_part_of_its_name() -> None:
    found = read("Q1_Rating; Q2: Comments; 3. Date", "4; ...; 2024-03-04")
    assert found == {"text": "Q2: Comments", "stars": "Q1_Rating", "reviewed_at": "3. Date"}
    assert columns.plain("5 stars") == "5stars", "a value is not taken for a name"


def test_a_rating_in_words_or_faces_is_a_label_where_there_are_no_stars() -> None:
    assert read("Rating; Comment", "Extremely Happy; ...", "Poor; ...")["label"] == "Rating"
    assert read("Rating; Thumb; Comment", "🤩; 👍; ...", "😠; 👎; ...")["label"] == "Rating"
    assert "label" not in read("Rating; Recommended; Comment", "4; yes; ...", "1; no; ...")
    assert "label" not in read("Grade; Comment", "A; ...", "F; ...")


def test_values_are_no_header() -> None:
    """A name that is a common value as well would make the first review of a file without header its header."""
    assert not count_usual(["Sup dingin sekali.", "id", "negative"])
    assert not count_usual(["Good", "bad", "positive", "5", "Ann"])
    assert count_usual(["id", "Datum", "Sterne"])


def test_the_subject_of_a_ticket_is_no_title_of_its_rating() -> None:
    rows = [{"Subject": f"Order {number} missing", "Comment": "Quick help, thanks a lot"} for number in range(5)]
    assert columns.choose(["Subject", "Comment"], {}, rows, "f")["title"] == "Subject"
    tickets = [row | {"Ticket ID": str(number)} for number, row in enumerate(rows)]
    assert "title" not in columns.choose(["Ticket ID", "Subject", "Comment"], {}, tickets, "f")
