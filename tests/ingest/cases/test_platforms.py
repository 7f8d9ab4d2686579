"""Exports and answers of platforms, as their customers download them."""

from __future__ import annotations

import json
from pathlib import Path

from pipeline.core.warehouse import Warehouse
from tests.ingest.cases.reading import column, counts, days, read, write


def test_an_app_stores_console(warehouse: Warehouse, tmp_path: Path) -> None:
    header = (
        "Package Name,App Version Name,Reviewer Language,Device,Review Submit Date and Time,Review Submit Millis Since Epoch,Star Rating,Review Title,"
        "Review Text,Developer Reply Date and Time,Developer Reply Text,Review Link\n"
    )
    rows = (
        "org.lamp,2.1,da,tablet,2025-04-02T08:00:00Z,1743580800000,2,,Lampen blinker hele natten.,2025-04-03T08:00:00Z,Vi ser på det,https://a/1\n"
        "org.lamp,2.1,en,phone,2025-04-05T08:00:00Z,1743840000000,5,,,,,https://a/2\n"
    )
    source = write(tmp_path / "console.csv", (header + rows).encode("utf-16"))
    result = read(warehouse, source)
    assert result.export == "Google Play Console" and counts(result) == (1, 0, 0, 1)
    assert column(warehouse, "text") == ["Lampen blinker hele natten.", ""]
    assert column(warehouse, "language") == ["da", "en"] and column(warehouse, "stars") == [2, 5]
    assert days(warehouse) == ["2025-04-02", "2025-04-05"] and days(warehouse, "replied_at") == ["2025-04-03", None]
    assert column(warehouse, "reply") == ["Vi ser på det", None]
    assert result.attributes == ["App Version Name", "Device"] and not result.notes


def test_a_business_profiles_answer_has_the_guests_own_words_only(warehouse: Warehouse, tmp_path: Path) -> None:
    def review(number: int, stars: str, comment: str | None) -> dict[str, object]:
        given = {"comment": comment} if comment else {}
        return given | {
            "reviewId": f"g{number}",
            "reviewer": {"displayName": f"Guest {number}"},
            "starRating": stars,
            "createTime": f"2025-05-0{number}T09:00:00.5Z",
            "updateTime": "2025-06-01T09:00:00Z",
            "name": f"accounts/7/locations/8/reviews/g{number}",
        }

    translated_first = "(Translated by Google) The lake view is superb.\n\n(Original)\nLa vista al lago es magnífica."
    translated_last = "Die Betten sind viel zu weich.\n\n(Translated by Google)\nThe beds are far too soft."
    reviews = [review(1, "FIVE", translated_first), review(2, "TWO", translated_last), review(3, "THREE", None)]
    reviews[0]["reviewReply"] = {"comment": "Gracias", "updateTime": "2025-05-09T09:00:00Z"}
    source = write(tmp_path / "answer.json", {"reviews": reviews, "averageRating": 3.3, "totalReviewCount": 3})
    assert counts(read(warehouse, source)) == (2, 0, 0, 1)
    assert column(warehouse, "text")[:2] == ["La vista al lago es magnífica.", "Die Betten sind viel zu weich."]
    assert column(warehouse, "language")[:2] == ["es", "de"] and column(warehouse, "stars") == [5, 2, 3]
    assert days(warehouse) == ["2025-05-01", "2025-05-02", "2025-05-03"]
    assert set(column(warehouse, "business")) == {"accounts/7/locations/8"}, "the location, not one business per review"
    assert column(warehouse, "reply") == ["Gracias", None, None]


def test_answers_about_places(warehouse: Warehouse, tmp_path: Path) -> None:
    def place(name: str) -> dict[str, object]:
        review = {
            "name": f"places/{name}/reviews/1",
            "rating": 2,
            "text": {"text": f"The tea at {name} was lukewarm.", "languageCode": "en"},
            "authorAttribution": {"displayName": "Guest"},
            "publishTime": "2025-05-06T23:48:41.254545406Z",
        }
        return {"id": name, "displayName": {"text": name}, "rating": 4.3, "userRatingCount": 1, "reviews": [review]}

    source = write(tmp_path / "search.json", {"places": [place("Harbour Tea"), place("Hill Tea")]})
    result = read(warehouse, source)
    assert counts(result) == (2, 0, 0, 0)
    assert column(warehouse, "text")[0] == "The tea at Harbour Tea was lukewarm."
    assert column(warehouse, "business") == ["Harbour Tea", "Hill Tea"] and column(warehouse, "stars") == [2, 2]
    assert days(warehouse) == ["2025-05-06"] * 2
    assert not {"text.text", "displayName.text"} & set(result.unused), "a copy of what is used is not unused"


def test_the_former_answer_about_a_place(warehouse: Warehouse, tmp_path: Path) -> None:
    review = {
        "author_name": "Guest",
        "language": "en",
        "rating": 1,
        "text": "Cold scones, again.",
        "time": 1_714_000_000,
    }
    source = write(tmp_path / "details.json", {"result": {"name": "Harbour Tea", "reviews": [review]}, "status": "OK"})
    assert counts(read(warehouse, source)) == (1, 0, 0, 0)
    assert column(warehouse, "business") == ["Harbour Tea"] and days(warehouse) == ["2024-04-24"]


def test_service_reviews_of_a_shop(warehouse: Warehouse, tmp_path: Path) -> None:
    header = (
        "Review Id,Review Created (UTC),Review Username,Review User Email,Review Title,Review Content,Review Stars,"
        "Source Of Review,Company Reply Date (UTC),Business Unit Id,Domain Url,Webshop Name,Location Name,Tags\n"
    )
    rows = (
        "q1,2025-02-03 10:00:00,Guest,guest@mail.test,Slow,The desk came with one leg missing.,2,Organic,2025-02-04 10:00:00,u,desk.test,Desk Barn,Kiel,\n"
        "q2,2025-02-05 10:00:00,Other,other@mail.test,Solid,A heavy desk that does not wobble.,5,Invitation,,u,desk.test,Desk Barn,Kiel,\n"
    )
    result = read(warehouse, write(tmp_path / "service.csv", header + rows))
    assert counts(result) == (2, 0, 0, 0) and column(warehouse, "stars") == [2, 5]
    assert column(warehouse, "business") == ["Desk Barn"] * 2 and days(warehouse) == ["2025-02-03", "2025-02-05"]
    assert days(warehouse, "replied_at") == ["2025-02-04", None]
    assert "mail.test" not in json.dumps(warehouse.query("SELECT text, author, attributes FROM reviews"))


def test_tags_of_a_shop_system_are_no_words(warehouse: Warehouse, tmp_path: Path) -> None:
    rows = (
        "title,body,rating,review_date,reviewer_name,reviewer_email,product_id,product_handle,reply,reply_date\n"
        "Cosy,<p>The rug is <b>thick</b> &amp; quiet.</p><ul><li>no smell</li></ul>,5,2025-03-01 09:00:00 UTC,Guest,g@mail.test,1,grey-rug,,\n"
        ',"<div>It <a href=""https://mail.test/x"">frays</a>.<br>Badly.</div>",1,2025-03-02 09:00:00 UTC,Other,o@mail.test,1,grey-rug,Sorry,2025-03-03 09:00:00 UTC\n'
    )
    assert counts(read(warehouse, write(tmp_path / "shop.csv", rows))) == (2, 0, 0, 0)
    assert column(warehouse, "text") == ["Cosy\n\nThe rug is thick & quiet.\nno smell", "It frays.\nBadly."]
    assert column(warehouse, "product") == ["grey-rug"] * 2 and column(warehouse, "reply") == [None, "Sorry"]


def test_a_feed_that_wraps_each_value(warehouse: Warehouse, tmp_path: Path) -> None:
    def entry(number: int, stars: str, text: str) -> dict[str, object]:
        wrapped = {"im:rating": stars, "im:version": "3.0", "id": f"{number}", "title": "Title", "content": text}
        author = {"author": {"name": {"label": "Guest"}, "uri": {"label": "u"}}}
        return (
            author
            | {name: {"label": value} for name, value in wrapped.items()}
            | {"updated": {"label": "2025-03-05T10:00:00-07:00"}}
        )

    feed = {
        "author": {"name": {"label": "Store"}},
        "entry": [entry(1, "1", "It freezes on start."), entry(2, "5", "Runs well.")],
    }
    result = read(warehouse, write(tmp_path / "feed.json", {"feed": feed}))
    assert counts(result) == (2, 0, 0, 0) and column(warehouse, "stars") == [1, 5]
    assert column(warehouse, "text")[0] == "Title\n\nIt freezes on start." and days(warehouse) == ["2025-03-05"] * 2
    assert not {"content.label", "im:rating.label"} & set(result.unused)


def test_customers_with_ids_of_their_own_may_write_the_same(warehouse: Warehouse, tmp_path: Path) -> None:
    rows = [
        f"r{number},Guest {number},{'Great' if number < 8 else 'Freezes at once'},{5 if number < 8 else 1}"
        for number in range(10)
    ]
    source = write(tmp_path / "play.csv", "\n".join(["reviewId,userName,content,score", *rows]))
    assert counts(read(warehouse, source)) == (10, 0, 0, 0)


def test_a_reply_that_a_tool_wrote_as_an_object(warehouse: Warehouse, tmp_path: Path) -> None:
    rows = (
        ",date,isEdited,userName,title,review,rating,developerResponse\n"
        "0,2025-03-05 10:00:00,False,Guest,Stuck,It never finishes loading.,1,"
        "\"{'id': 4, 'body': 'Please update to 2.0.', 'modified': '2025-03-06T10:00:00Z'}\"\n"
        "1,2025-03-06 10:00:00,False,Other,Fine,Does what it says.,5,\n"
    )
    result = read(warehouse, write(tmp_path / "scraped.csv", rows))
    assert counts(result) == (2, 0, 0, 0) and column(warehouse, "reply") == ["Please update to 2.0.", None]
    assert days(warehouse, "replied_at") == ["2025-03-06", None] and "developerResponse" not in result.unused


def test_what_was_liked_and_what_was_not(warehouse: Warehouse, tmp_path: Path) -> None:
    rows = (
        "Review date,Guest name,Reservation number,Review title,Positive review,Negative review,Review score,Staff,Property reply\n"
        "2025-03-05 10:00:00,Guest,81,Mixed,Quiet rooms,The lift was broken,5,7.5,Sorry\n"
        "2025-03-07 10:00:00,Other,83,,,,8.5,10,\n"
    )
    result = read(warehouse, write(tmp_path / "hotel.csv", rows))
    assert counts(result) == (1, 0, 0, 1) and column(warehouse, "stars") == [2.5, 4.25]
    assert column(warehouse, "liked")[0] == "Quiet rooms" and column(warehouse, "disliked")[0] == "The lift was broken"
    assert column(warehouse, "reply") == ["Sorry", None] and result.attributes == ["Staff"]


def test_feedback_to_a_seller(warehouse: Warehouse, tmp_path: Path) -> None:
    rows = (
        "Date\tRating\tComments\tResponse\tOrder ID\tRater Email\n"
        "4/2/25\t1\tThe parcel was empty, they don’t answer.\t\t9-1\tg@mail.test\n"
        "4/28/25\t5\tArrived within a day.\tThank you\t9-2\to@mail.test\n"
    )
    result = read(warehouse, write(tmp_path / "feedback.tsv", rows.encode("cp1252")))
    assert counts(result) == (2, 0, 0, 0) and days(warehouse) == ["2025-04-02", "2025-04-28"]
    assert "don't answer" in column(warehouse, "text")[0] and column(warehouse, "reply") == [None, "Thank you"]
