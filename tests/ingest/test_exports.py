"""Every known export is recognised by its columns, and read right: a row each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.core.errors import InputError
from pipeline.ingest import columns, exports
from pipeline.ingest.formats.json import read_json
from pipeline.ingest.formats.record import ReadOptions
from pipeline.ingest.names import plain

# File of the export: its columns; the column of each field; the columns that reviews can be grouped by.
ROWS = {
    "airbnb_inside": (
        "listing_id; reviewer_id; reviewer_name; comments; date; id",
        "text=comments; reviewed_at=date; business=listing_id; id=id; author=reviewer_name",
        "",
    ),
    "airline_tweets": (
        "tweet_id; airline_sentiment; airline; text; tweet_created; name; negativereason; airline_sentiment_confidence; negativereason_confidence; airline_sentiment_gold; negativereason_gold; retweet_count; tweet_coord",
        "text=text; label=airline_sentiment; reviewed_at=tweet_created; business=airline; id=tweet_id; author=name",
        "negativereason",
    ),
    "amazon_2023": (
        "parent_asin; user_id; timestamp; verified_purchase; text; title; rating; asin; helpful_vote; images",
        "text=text; title=title; stars=rating; reviewed_at=timestamp; product=parent_asin",
        "verified_purchase",
    ),
    "amazon_customer_reviews": (
        "marketplace; product_parent; star_rating; review_headline; review_body; review_date; product_title; review_id; product_category; vine; verified_purchase; customer_id; product_id; helpful_votes; total_votes",
        "text=review_body; title=review_headline; stars=star_rating; reviewed_at=review_date; product=product_title; id=review_id",
        "marketplace; product_category; vine; verified_purchase",
    ),
    "amazon_fine_foods": (
        "ProductId; ProfileName; HelpfulnessNumerator; Score; Text; Summary; Time; Id; UserId; HelpfulnessDenominator",
        "text=Text; title=Summary; stars=Score; reviewed_at=Time; product=ProductId; author=ProfileName",
        "",
    ),
    "amazon_helium10": (
        "Verified; Helpful; Body; Rating; Variation; Style; Title; Date; ASIN; Author; Images; Videos; URL",
        "text=Body; title=Title; stars=Rating; reviewed_at=Date; product=ASIN; author=Author",
        "Verified; Variation; Style",
    ),
    "amazon_seller_feedback": (
        "Rating; Comments; Order ID; Rater Email; Date; Your Response",
        "text=Comments; stars=Rating; reviewed_at=Date; id=Order ID; reply=Your Response",
        "",
    ),
    "amazon_snap": (
        "reviewerID; asin; overall; reviewText; summary; unixReviewTime; reviewerName; verified; style; reviewTime; helpful; vote; image",
        "text=reviewText; title=summary; stars=overall; reviewed_at=unixReviewTime; product=asin; author=reviewerName",
        "verified; style",
    ),
    "apify_amazon": (
        "ratingScore; reviewTitle; reviewDescription; date; product.title; reviewId; userName; isVerified; variant; reviewedIn; reviewReaction; position; totalCategoryRatings; totalCategoryReviews",
        "text=reviewDescription; title=reviewTitle; stars=ratingScore; reviewed_at=date; product=product.title; id=reviewId; author=userName",
        "isVerified; variant",
    ),
    "apify_booking": (
        "hotelId; userName; reviewTitle; reviewDate; rating; likedText; dislikedText; hotelName; reviewLanguage; id; propertyResponse; userLocation; roomInfo; stayLength; travelerType; guestType; hotelRating; hotelRatingLabel; hotelReviews; reviewPage; userAvatar; helpfulVotes",
        "title=reviewTitle; liked=likedText; disliked=dislikedText; stars=rating; reviewed_at=reviewDate; business=hotelName; language=reviewLanguage; id=id; author=userName; reply=propertyResponse",
        "roomInfo; stayLength; travelerType; guestType",
    ),
    "apify_google_maps": (
        "stars; text; publishedAtDate; responseFromOwnerText; title; originalLanguage; reviewId; name; responseFromOwnerDate; categoryName; city; countryCode; isLocalGuide; visitedIn; rating; totalScore; reviewsCount; textTranslated; publishAt; likesCount",
        "text=text; stars=stars; reviewed_at=publishedAtDate; business=title; language=originalLanguage; id=reviewId; author=name; reply=responseFromOwnerText; replied_at=responseFromOwnerDate",
        "categoryName; city; countryCode; isLocalGuide; visitedIn",
    ),
    "apify_tripadvisor": (
        "publishedDate; travelDate; locationId; rating; text; title; placeInfo.name; lang; id; user.name; ownerResponse.text; ownerResponse.publishedDate; tripType; roomTip; helpfulVotes; publishedPlatform; url; placeInfo.rating; placeInfo.numberOfReviews; placeInfo.address",
        "text=text; title=title; stars=rating; reviewed_at=publishedDate; business=placeInfo.name; language=lang; id=id; author=user.name; reply=ownerResponse.text; replied_at=ownerResponse.publishedDate",
        "travelDate; tripType; roomTip",
    ),
    "app_store_connect": (
        "reviewerNickname; territory; rating; body; title; createdDate; id; type; links.self; attributes.reviewerNickname",
        "text=body; title=title; stars=rating; reviewed_at=createdDate; id=id; author=reviewerNickname",
        "territory",
    ),
    "app_store_rss": (
        "im:rating; im:version; content; updated; title; id; author.name; content.attributes.type; im:contentType; im:voteCount; im:voteSum; link",
        "text=content; title=title; stars=im:rating; reviewed_at=updated; id=id; author=author.name",
        "im:version",
    ),
    "app_store_scraper": (
        "userName; isEdited; review; rating; title; date; developerResponse.body; developerResponse.modified; developerResponse.id",
        "text=review; title=title; stars=rating; reviewed_at=date; author=userName; reply=developerResponse.body; replied_at=developerResponse.modified",
        "isEdited",
    ),
    "appbot": (
        "app_store_id; subject; body; published_at; rating; detected_language; id; author; reply_text; reply_date; version; country; device; os_version; app_id; translated_subject; translated_body; sentiment; topics; store_id",
        "text=body; title=subject; stars=rating; reviewed_at=published_at; product=app_store_id; language=detected_language; id=id; author=author; reply=reply_text; replied_at=reply_date",
        "version; country; device; os_version",
    ),
    "appfollow": (
        "review_id; ext_id; content; author; was_changed; title; rating; date; app_name; answer_text; answer_date; store; app_version; locale; id; app_id; user_id; created; updated; rating_prev",
        "text=content; title=title; stars=rating; reviewed_at=date; product=app_name; language=locale; id=review_id; author=author; reply=answer_text; replied_at=answer_date",
        "store; app_version",
    ),
    "bazaarvoice": (
        "ReviewText; SubmissionTime; UserNickname; ProductId; RatingRange; Title; Pros; Cons; Rating; OriginalProductName; ContentLocale; Id; UserLocation; IsRecommended; CID; AuthorId; ModerationStatus; LastModificationTime; LastModeratedTime",
        "text=ReviewText; title=Title; liked=Pros; disliked=Cons; stars=Rating; reviewed_at=SubmissionTime; product=OriginalProductName; language=ContentLocale; id=Id; author=UserNickname",
        "IsRecommended",
    ),
    "birdeye": (
        "reviewId; comments; rating; reviewDate; sourceType; title; businessName; reviewer.nickName; response; responseDate; businessId; uniqueBaseUrl; reviewUrl; reviewer.thumbnailUrl",
        "text=comments; title=title; stars=rating; reviewed_at=reviewDate; business=businessName; id=reviewId; author=reviewer.nickName; reply=response; replied_at=responseDate",
        "sourceType",
    ),
    "booking_515k": (
        "Hotel_Name; Negative_Review; Positive_Review; Reviewer_Score; Review_Date; Hotel_Address; Reviewer_Nationality; Tags; Average_Score; Additional_Number_of_Scoring; Total_Number_of_Reviews; Total_Number_of_Reviews_Reviewer_Has_Given; Review_Total_Negative_Word_Counts; Review_Total_Positive_Word_Counts",
        "liked=Positive_Review; disliked=Negative_Review; stars=Reviewer_Score; reviewed_at=Review_Date; business=Hotel_Name",
        "Reviewer_Nationality; Tags",
    ),
    "booking_extranet": (
        "Guest name; Review title; Positive review; Negative review; Review score; Review date; Reservation number; Property reply; Staff; Cleanliness; Location; Facilities; Comfort; Value for money",
        "title=Review title; liked=Positive review; disliked=Negative review; stars=Review score; reviewed_at=Review date; id=Reservation number; author=Guest name; reply=Property reply",
        "Staff; Cleanliness; Location; Facilities; Comfort; Value for money",
    ),
    "drugs_com": (
        "drugName; condition; review; usefulCount; rating; date",
        "text=review; stars=rating; reviewed_at=date; product=drugName",
        "condition",
    ),
    "etsy": (
        "reviewer; date_reviewed; star_rating; message; order_id",
        "text=message; stars=star_rating; reviewed_at=date_reviewed; author=reviewer",
        "",
    ),
    "etsy_api": (
        "shop_id; listing_id; transaction_id; buyer_user_id; rating; review; language; image_url_fullxfull; create_timestamp; created_timestamp; update_timestamp; updated_timestamp",
        "text=review; stars=rating; reviewed_at=created_timestamp; business=shop_id; product=listing_id; language=language; id=transaction_id",
        "",
    ),
    "facebook": (
        "recommendation_type; review_text; created_time; rating; reviewer.name; has_rating; has_review; open_graph_story.id; reviewer.id",
        "text=review_text; stars=rating; label=recommendation_type; reviewed_at=created_time; author=reviewer.name",
        "",
    ),
    "feefo": (
        "service.review; service.rating.rating; merchant.identifier; service.title; service.created_at; merchant.name; service.id; customer.display_name; url; last_updated_date; customer.display_location; service.moderation_status",
        "text=service.review; title=service.title; stars=service.rating.rating; reviewed_at=service.created_at; business=merchant.name; id=service.id; author=customer.display_name",
        "",
    ),
    "g2_api": (
        "id; type; attributes.product_name; attributes.star_rating; attributes.title; attributes.comment_answers.love; attributes.comment_answers.love.text; attributes.comment_answers.love.value; attributes.comment_answers.hate.value; attributes.submitted_at",
        "title=attributes.title; liked=attributes.comment_answers.love.value; disliked=attributes.comment_answers.hate.value; stars=attributes.star_rating; reviewed_at=attributes.submitted_at; product=attributes.product_name; id=id",
        "type",
    ),
    "glassdoor": (
        "firm; date_review; overall_rating; headline; pros; cons; job_title; current; location; recommend; outlook; work_life_balance",
        "title=headline; liked=pros; disliked=cons; stars=overall_rating; reviewed_at=date_review; business=firm",
        "job_title; current; location; recommend; outlook; work_life_balance",
    ),
    "glassdoor_employees": (
        "company; dates; summary; pros; cons; advice-to-mgmt; overall-ratings; location; job-title; helpful-count; link",
        "title=summary; liked=pros; disliked=cons; stars=overall-ratings; reviewed_at=dates; business=company",
        "advice-to-mgmt; location; job-title",
    ),
    "goodreads": (
        "Book Id; Title; Author; My Rating; Average Rating; Date Read; Date Added; Exclusive Shelf; My Review",
        "text=My Review; stars=My Rating; reviewed_at=Date Read; product=Title",
        "Exclusive Shelf",
    ),
    "google_business_profile": (
        "starRating; createTime; updateTime; comment; business; reviewId; reviewer.displayName; reviewReply.comment; reviewReply.updateTime; name; reviewer.profilePhotoUrl; reviewer.isAnonymous",
        "text=comment; stars=starRating; reviewed_at=createTime; business=business; id=reviewId; author=reviewer.displayName; reply=reviewReply.comment; replied_at=reviewReply.updateTime",
        "",
    ),
    "google_places": (
        "author_name; relative_time_description; rating; text; time; business; language; author_url; profile_photo_url; original_language; translated",
        "text=text; stars=rating; reviewed_at=time; business=business; language=language; author=author_name",
        "",
    ),
    "google_places_new": (
        "publishTime; relativePublishTimeDescription; rating; text; business; text.languageCode; name; authorAttribution.displayName; originalText; originalText.text; originalText.languageCode; authorAttribution.uri",
        "text=text; stars=rating; reviewed_at=publishTime; business=business; language=text.languageCode; id=name; author=authorAttribution.displayName",
        "",
    ),
    "google_play_console": (
        "Package Name; Star Rating; Review Text; Review Submit Millis Since Epoch; Review Title; Review Submit Date and Time; Reviewer Language; Review Link; Developer Reply Text; Developer Reply Date and Time; App Version Name; Device; Review Last Update Date and Time; Review Last Update Millis Since Epoch; Developer Reply Millis Since Epoch; App Version Code",
        "text=Review Text; title=Review Title; stars=Star Rating; reviewed_at=Review Submit Date and Time; product=Package Name; language=Reviewer Language; id=Review Link; reply=Developer Reply Text; replied_at=Developer Reply Date and Time",
        "App Version Name; Device",
    ),
    "google_play_scraper": (
        "reviewId; userName; content; score; at; appTitle; lang; replyContent; repliedAt; reviewCreatedVersion; userImage; thumbsUpCount; appVersion",
        "text=content; stars=score; reviewed_at=at; product=appTitle; language=lang; id=reviewId; author=userName; reply=replyContent; replied_at=repliedAt",
        "reviewCreatedVersion",
    ),
    "google_play_scraper_anonymous": (
        "reviewId; content; score; thumbsUpCount; at; appTitle; lang; replyContent; repliedAt; reviewCreatedVersion; userImage; appVersion",
        "text=content; stars=score; reviewed_at=at; product=appTitle; language=lang; id=reviewId; reply=replyContent; replied_at=repliedAt",
        "reviewCreatedVersion",
    ),
    "google_play_scraper_js": (
        "userName; scoreText; text; replyText; title; score; date; id; replyDate; version; userImage; url; thumbsUp; criterias",
        "text=text; title=title; stars=score; reviewed_at=date; id=id; author=userName; reply=replyText; replied_at=replyDate",
        "version",
    ),
    "google_takeout_maps": (
        "five_star_rating_published; google_maps_url; review_text_published; date; location.name; type; geometry.type; properties.google_maps_url; location.address",
        "text=review_text_published; stars=five_star_rating_published; reviewed_at=date; business=location.name",
        "",
    ),
    "judge_me": (
        "body; rating; review_date; curated; reviewer_name; product_handle; title; reply; reply_date; source; reviewer_email; product_id; picture_urls; ip_address; location",
        "text=body; title=title; stars=rating; reviewed_at=review_date; product=product_handle; author=reviewer_name; reply=reply; replied_at=reply_date",
        "source",
    ),
    "loox": (
        "product_handle; rating; author; body; created_at; photo_url; verified_purchase; email",
        "text=body; stars=rating; reviewed_at=created_at; product=product_handle; author=author",
        "verified_purchase",
    ),
    "okendo": (
        "reviewId; productId; rating; body; dateCreated; title; productName; languageCode; reviewer.displayName; isRecommended; subscriberId; dateUpdated; helpfulCount; unhelpfulCount; status; productHandle",
        "text=body; title=title; stars=rating; reviewed_at=dateCreated; product=productName; language=languageCode; id=reviewId; author=reviewer.displayName",
        "isRecommended",
    ),
    "olist": (
        "review_id; order_id; review_score; review_comment_message; review_comment_title; review_creation_date; review_answer_timestamp",
        "text=review_comment_message; title=review_comment_title; stars=review_score; reviewed_at=review_creation_date; id=review_id",
        "",
    ),
    "outscraper_google_maps": (
        "review_rating; review_datetime_utc; author_title; review_text; name; review_id; owner_answer; owner_answer_timestamp_datetime_utc; review_link; owner_answer_timestamp; location_link; query; google_id; place_id; reviews; rating; reviews_per_score",
        "text=review_text; stars=review_rating; reviewed_at=review_datetime_utc; business=name; id=review_id; author=author_title; reply=owner_answer; replied_at=owner_answer_timestamp_datetime_utc",
        "",
    ),
    "podium": (
        "body; rating; siteName; uid; author.id; author.name; review.body; review.url; review.rating; review.siteName; review.siteReviewId; createdAt; updatedAt",
        "text=review.body; stars=review.rating; reviewed_at=createdAt; id=uid; author=author.name",
        "siteName",
    ),
    "powerreviews": (
        "details.headline; details.comments; details.nickname; metrics.rating; details.created_date; details.product_name; details.locale; ugc_id; internal_review_id; legacy_id; details.updated_date; details.location; metrics.helpful_votes; metrics.not_helpful_votes",
        "text=details.comments; title=details.headline; stars=metrics.rating; reviewed_at=details.created_date; product=details.product_name; language=details.locale; id=ugc_id; author=details.nickname",
        "",
    ),
    "qualtrics": (
        "StartDate; RecordedDate; ResponseId; Finished; UserLanguage; Comments; EndDate; Status; IPAddress; Progress; Duration (in seconds)",
        "text=Comments; reviewed_at=RecordedDate; language=UserLanguage; id=ResponseId",
        "",
    ),
    "reddit": (
        "id; subreddit; author; body; score; created_utc; controversiality; permalink",
        "text=body; reviewed_at=created_utc; id=id; author=author",
        "subreddit",
    ),
    "review_trackers": (
        "rating; content; author; source_name; location_name; published_at; title; language_code; id; source_code",
        "text=content; title=title; stars=rating; reviewed_at=published_at; business=location_name; language=language_code; id=id; author=author",
        "source_name; source_code",
    ),
    "reviews_io": (
        "store_review_id; rating; comments; date_created; title; reviewer.first_name; branch; user_id; timeago; human_date; reviewer.email; reviewer.address; reviewer.last_name",
        "text=comments; title=title; stars=rating; reviewed_at=date_created; business=branch; id=store_review_id; author=reviewer.first_name",
        "",
    ),
    "serpapi_google_maps": (
        "iso_date; snippet; rating; extracted_snippet.original; business; review_id; user.name; response.extracted_snippet.original; response.iso_date; position; date; iso_date_of_last_edit; likes; source; user.reviews",
        "text=extracted_snippet.original; stars=rating; reviewed_at=iso_date; business=business; id=review_id; author=user.name; reply=response.extracted_snippet.original; replied_at=response.iso_date",
        "",
    ),
    "shopify_product_reviews": (
        "product_handle; state; rating; author; body; created_at; replied_at; title; reply; email; location",
        "text=body; title=title; stars=rating; reviewed_at=created_at; product=product_handle; author=author; reply=reply; replied_at=replied_at",
        "",
    ),
    "skytrax": (
        "airline_name; author_country; content; overall_rating; cabin_flown; recommended; title; date; author; aircraft; type_traveller; route; seat_comfort_rating; link",
        "text=content; title=title; stars=overall_rating; reviewed_at=date; business=airline_name; author=author",
        "author_country; cabin_flown; recommended; aircraft; type_traveller; route; seat_comfort_rating",
    ),
    "skytrax_customer_review": (
        "airline; overall; customer_review; traveller_type; cabin; recommended; review_date; author; aircraft; route; date_flown",
        "text=customer_review; stars=overall; reviewed_at=review_date; business=airline; author=author",
        "traveller_type; cabin; recommended; aircraft; route; date_flown",
    ),
    "skytrax_type_of_traveller": (
        "Airline Name; Overall_Rating; Review; Type Of Traveller; Seat Type; Review_Title; Review Date; Verified; Aircraft; Route; Recommended",
        "text=Review; title=Review_Title; stars=Overall_Rating; reviewed_at=Review Date; business=Airline Name",
        "Type Of Traveller; Seat Type; Verified; Aircraft; Route; Recommended",
    ),
    "steam": (
        "recommendationid; review; voted_up; timestamp_created; name; language; developer_response; timestamp_dev_responded; steam_purchase; received_for_free; written_during_early_access; author.playtime_at_review; timestamp_updated; votes_up; votes_funny; weighted_vote_score; comment_count; author.num_games_owned",
        "text=review; label=voted_up; reviewed_at=timestamp_created; product=name; language=language; id=recommendationid; reply=developer_response; replied_at=timestamp_dev_responded",
        "steam_purchase; received_for_free; written_during_early_access",
    ),
    "steam_dataset": (
        "app_id; app_name; review_text; review_score; review_votes",
        "text=review_text; label=review_score; product=app_name",
        "",
    ),
    "steam_dataset_2021": (
        "app_name; review_id; review; recommended; timestamp_created; votes_helpful; language; steam_purchase; received_for_free; app_id; timestamp_updated; votes_funny; weighted_vote_score; comment_count",
        "text=review; label=recommended; reviewed_at=timestamp_created; product=app_name; language=language; id=review_id",
        "steam_purchase; received_for_free",
    ),
    "surveymonkey": (
        "Respondent ID; Collector ID; Start Date; End Date; Comments; Rating; IP Address; Email Address; First Name; Last Name",
        "text=Comments; stars=Rating; reviewed_at=End Date; id=Respondent ID",
        "",
    ),
    "trustpilot_api": (
        "stars; text; createdAt; consumer.displayName; title; businessUnit.displayName; language; id; companyReply.text; companyReply.createdAt; isVerified; source; consumer.id; consumer.displayLocation; consumer.numberOfReviews; businessUnit.id; businessUnit.identifyingName; numberOfLikes",
        "text=text; title=title; stars=stars; reviewed_at=createdAt; business=businessUnit.displayName; language=language; id=id; author=consumer.displayName; reply=companyReply.text; replied_at=companyReply.createdAt",
        "isVerified; source",
    ),
    "trustpilot_business": (
        "Review Created (UTC); Review Content; Review Stars; Review Title; Webshop Name; Review Language; Review Id; Review Username; Company Response; Company Reply Date (UTC); Source Of Review; Location Name; Tags; Review Consumer User Id; Review User Email; Business Unit Id; Domain Url; Reference Id",
        "text=Review Content; title=Review Title; stars=Review Stars; reviewed_at=Review Created (UTC); business=Webshop Name; language=Review Language; id=Review Id; author=Review Username; reply=Company Response; replied_at=Company Reply Date (UTC)",
        "Source Of Review; Location Name; Tags",
    ),
    "trustpilot_products_api": (
        "stars; content; createdAt; consumer.displayName; product.name; language; id; consumer.id; product.id; product.productUrl; updatedAt",
        "text=content; stars=stars; reviewed_at=createdAt; product=product.name; language=language; id=id; author=consumer.displayName",
        "",
    ),
    "typeform": (
        "#; Start Date (UTC); Submit Date (UTC); Network ID; Comments; Rating; Stage Date (UTC); Response Type; Ending",
        "text=Comments; stars=Rating; reviewed_at=Submit Date (UTC); id=#",
        "",
    ),
    "womens_clothing": (
        "Clothing ID; Review Text; Recommended IND; Positive Feedback Count; Class Name; Title; Rating; Age; Division Name; Department Name",
        "text=Review Text; title=Title; stars=Rating; product=Clothing ID",
        "Recommended IND; Class Name; Age; Division Name; Department Name",
    ),
    "woocommerce": (
        "comment_content; comment_author; comment_post_ID; rating; title; comment_date; product_title; comment_author_url; comment_author_email; comment_date_gmt; comment_approved; comment_parent; comment_alter_id",
        "text=comment_content; title=title; stars=rating; reviewed_at=comment_date; product=product_title; author=comment_author",
        "",
    ),
    "yelp_dataset": (
        "business_id; review_id; user_id; stars; useful; funny; cool; text; date; type",
        "text=text; stars=stars; reviewed_at=date; business=business_id; id=review_id",
        "",
    ),
    "yotpo": (
        "Review Title; Review Content; Review Score; Display Name; Date; Product Name; Review ID; Comment Content; Verified Buyer; Email; Product ID; Product URL; Published",
        "text=Review Content; title=Review Title; stars=Review Score; reviewed_at=Date; product=Product Name; id=Review ID; author=Display Name; reply=Comment Content",
        "Verified Buyer",
    ),
    "yotpo_api": (
        "score; content; user.display_name; created_at; title; product.name; id; comment.content; comment.created_at; votes_up; votes_down; sentiment; deleted; archived; escalated",
        "text=content; title=title; stars=score; reviewed_at=created_at; product=product.name; id=id; author=user.display_name; reply=comment.content; replied_at=comment.created_at",
        "",
    ),
    "zendesk_csat": (
        "assignee_id; requester_id; ticket_id; score; comment; created_at; id; reason; url; group_id; updated_at",
        "text=comment; label=score; reviewed_at=created_at; id=id",
        "reason",
    ),
}

PROSE = "The soup was cold and nobody said sorry."
VALUES = {"text": PROSE, "liked": PROSE, "disliked": PROSE, "reply": "We are sorry.", "stars": "4", "label": "good"}


def two_records(stem: str) -> list[dict[str, str]]:
    """Two invented records of an export, which differ in all but what both customers wrote."""
    listed, expected, _ = ROWS[stem]
    field_of = dict(reversed(pair.split("=")) for pair in expected.split("; "))
    return [{name: VALUES.get(field_of.get(name, ""), value) for name in listed.split("; ")} for value in "ab"]


@pytest.mark.parametrize("stem", ROWS)
def test_a_known_export(stem: str) -> None:
    records = two_records(stem)
    names = list(records[0])
    export = exports.recognise(names)
    assert export is exports.exports()[stem]
    chosen = columns.choose(names, {}, records, "f", export)
    assert "; ".join(f"{field}={column}" for field, column in chosen.items()) == ROWS[stem][1]
    values = {name: [record[name] for record in records] for name in names}
    assert "; ".join(columns.attributes(names, chosen, export, values)) == ROWS[stem][2]


def test_every_export_has_a_row_and_a_signature_of_its_own() -> None:
    known = exports.exports()
    assert set(ROWS) == set(known)
    for export in known.values():
        assert exports.recognise(export.signature) is export
    assert len({export.name for export in known.values()}) == len(known)


@pytest.mark.parametrize(
    "names",
    [
        "text; stars; date",
        "id; text; rating; title; date; author; product; country",
        "review_id; review_text; review_rating; review_date; reviewer_name; verified",
        "name; rating; review_text; review_rating; review_time; place_id; address; lat; lng",
        "title; body; rating; created_at; author; email; reply; replied_at",
        "user_id; business_id; review; score; timestamp",
        "pros; cons; rating; date; job title; location",
        "hotel_name; review_text_positive; review_text_negative; review_score; review_date",
        "Datum; Sterne; Titel; Bewertung; Kunde; Antwort",
        "content; score; at",
        "reviewId; content; score",
        "label; review",
    ],
)
def test_a_generic_file_is_no_known_export(names: str) -> None:
    assert exports.recognise(names.split("; ")) is None


def test_names_are_compared_without_case_and_separators() -> None:
    given = ["GUEST_NAME", "review-title", "Positive Review", "NegativeReview", "review score"]
    export = exports.recognise(given)
    assert export and export.name == "Booking.com extranet"
    assert plain("Où étiez-vous ?") == plain("ou etiez vous") and plain("user/name") == plain("User.name")


def test_the_mapping_comes_before_the_export() -> None:
    records = two_records("judge_me")
    names = list(records[0])
    chosen = columns.choose(names, {"product": "product_id", "title": ""}, records, "f", exports.recognise(names))
    assert chosen["product"] == "product_id" and "title" not in chosen and chosen["text"] == "body"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('name = "a"\nplatform = "b"\nsignature = ["c"]\n[fields]\n', "one column alone"),
        ('name = "a"\nplatform = "b"\nsignature = ["c", "d"]\n[fields]\ncolour = ["e"]\n', "there is no colour"),
        ('name = "a"\nplatform = "b"\nsignature = ["c", "d"]\ndates = "us"\n[fields]\n', "dates"),
        ('name = "a"\nplatform = "b"\nsignature = ["c", "d"]\nscales = "1-5"\n[fields]\n', "scales"),
    ],
)
def test_a_wrong_file_is_refused(text: str, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own.toml").write_text(text, encoding="utf-8")
    monkeypatch.setattr(exports, "FOLDER", tmp_path)
    with pytest.raises(InputError, match=problem):
        exports.exports.__wrapped__()


# --- Nested JSON, as the platforms answer ---

PLACE = {"id": "P1", "displayName": {"text": "Corner Mill", "languageCode": "en"}, "rating": 4.3}
NESTED: dict[str, tuple[Any, dict[str, str]]] = {
    "google_business_profile": (
        {
            "reviews": [
                {
                    "name": "accounts/1/locations/2/reviews/a7",
                    "reviewer": {"displayName": "Ann"},
                    "starRating": "TWO",
                    "comment": PROSE,
                    "createTime": "2024-03-05T10:11:12Z",
                    "updateTime": "2024-03-05T10:11:12Z",
                    "reviewReply": {"comment": "We are sorry.", "updateTime": "2024-03-06T10:00:00Z"},
                }
            ],
            "averageRating": 4.1,
        },
        {"id": "accounts/1/locations/2/reviews/a7", "business": "accounts/1/locations/2", "reply": "We are sorry."},
    ),
    "google_places_new": (
        {
            "places": [
                PLACE
                | {
                    "reviews": [
                        {
                            "name": "places/P1/reviews/r1",
                            "relativePublishTimeDescription": "a week ago",
                            "rating": 2,
                            "text": {"text": PROSE, "languageCode": "en"},
                            "originalText": {"text": "Die Suppe war kalt.", "languageCode": "de"},
                            "authorAttribution": {"displayName": "Ann", "uri": "u"},
                            "publishTime": "2025-12-06T23:48:41Z",
                        }
                    ]
                }
            ]
        },
        {"text": PROSE, "stars": "2", "business": "Corner Mill", "id": "places/P1/reviews/r1", "author": "Ann"},
    ),
    "serpapi_google_maps": (
        {
            "place_info": {"title": "Corner Mill", "rating": 4.3, "reviews": 12},
            "topics": [{"keyword": "soup", "mentions": 3}, {"keyword": "bread", "mentions": 2}],
            "reviews": [
                {
                    "review_id": "r1",
                    "rating": 2.0,
                    "date": "a month ago",
                    "iso_date": "2025-11-17T13:48:47Z",
                    "user": {"name": "Ann", "reviews": 6},
                    "snippet": PROSE,
                    "response": {"iso_date": "2025-11-18T13:48:47Z", "snippet": "We are sorry."},
                }
            ],
        },
        {"text": PROSE, "stars": "2.0", "business": "Corner Mill", "reply": "We are sorry.", "author": "Ann"},
    ),
    "app_store_connect": (
        {
            "data": [
                {
                    "type": "customerReviews",
                    "id": "0001",
                    "attributes": {
                        "rating": 1,
                        "title": "Cold",
                        "body": PROSE,
                        "reviewerNickname": "ann1",
                        "createdDate": "2024-03-05T10:11:12-07:00",
                        "territory": "GBR",
                    },
                }
            ]
        },
        {"text": PROSE, "stars": "1", "title": "Cold", "id": "0001", "reviewed_at": "2024-03-05T10:11:12-07:00"},
    ),
    "apify_booking": (
        [
            {
                "id": "b7",
                "hotelId": "gb/mill",
                "userName": "Ann",
                "reviewTitle": "Cold",
                "reviewDate": "2024-03-05",
                "rating": 4,
                "reviewTextParts": {"Liked": "The bread.", "Disliked": PROSE},
            }
        ],
        {"liked": "The bread.", "disliked": PROSE, "stars": "4", "business": "gb/mill"},
    ),
    "feefo": (
        {
            "reviews": [
                {
                    "merchant": {"identifier": "mill"},
                    "service": {"id": "s1", "title": "Cold", "review": PROSE, "rating": {"rating": 2}},
                    "customer": {"display_name": "Ann"},
                }
            ]
        },
        {"text": PROSE, "stars": "2", "business": "mill", "id": "s1"},
    ),
}


@pytest.mark.parametrize("stem", NESTED)
def test_nested_json_of_a_known_export(stem: str, tmp_path: Path) -> None:
    document, expected = NESTED[stem]
    file = tmp_path / "r.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    (record,) = [item for item in read_json(file, ReadOptions()) if isinstance(item, dict)]
    export = exports.recognise(list(record))
    assert export is exports.exports()[stem]
    chosen = columns.choose(list(record), {}, [record], "f", export)
    assert {field: record[chosen[field]] for field in expected} == expected
