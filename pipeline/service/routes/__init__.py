"""The routes, one router per tag of the OpenAPI document; `page` has the HTML pages, which are not in it.

Docstrings of the other routes are part of that document.
"""
