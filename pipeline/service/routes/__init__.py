"""The routes, one router per tag of the OpenAPI document; `page` holds the pages for people, which are not in it."""
