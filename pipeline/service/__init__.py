"""The service: analyses one review, or a whole file, over HTTP and on a page. See docs/service.md.

What a request passes, in order:

connections  how many, how long                  routes     one router per tag of the API, and the page
recorder     headers, log line, metrics          engine     queues in front of the models, time limits
access       host, origin, key                   batching   concurrent requests to one call of the models
limits       rate, length, time                  analyze    a batch of reviews to their analyses
guard        all checks before a route

app assembles them from `parts`; serve runs it, in one process or in several (`processes`); logs bounds what it says. jobs analyses whole files (`records`, read `apart`); published is the warehouse, reopened
when a run publishes a new one; schema, problems, settings and meters describe input, output, errors, options and metrics.

In: a review or a file, over HTTP. Out: an analysis, a page.
Imported by cli; imports the rooms before it.
"""
