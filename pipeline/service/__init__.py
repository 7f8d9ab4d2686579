"""The service: one review, or a whole file, analysed over HTTP and on a page. See docs/service.md.

settings   what can be chosen          batching   concurrent requests to one call of the models
app        the routes of the API       analyze    one review to everything a reader wants
pages      the routes of the page      jobs       a whole file, with progress
limits     what a request may not do   reader     the published warehouse, renewed when a run publishes

In: a review or a file, over HTTP. Out: an analysis, a page.
Imported by cli; imports the rooms before it.
"""
