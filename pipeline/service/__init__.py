"""The service: one review, or a whole file, analysed over HTTP and on a page. See docs/service.md.

A request, in the order of its way:

recorder   headers, log line, metrics            routes     one router per tag of the API, and the page
access     host, origin, key                     engine     queues in front of the models, time limits
limits     rate, length, time                    batching   concurrent requests to one call of the models
guard      what a request must pass              analyze    one review to everything a reader wants

app puts them together from `parts`; serve runs it. jobs analyses whole files (`records`), published is the warehouse,
renewed when a run publishes; schema, problems, settings and meters describe what goes in, comes out and can be chosen.

In: a review or a file, over HTTP. Out: an analysis, a page.
Imported by cli; imports the rooms before it.
"""
