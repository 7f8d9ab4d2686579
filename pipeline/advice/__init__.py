"""What to do about a review: its complaints, the request to a writer, the playbook, the suggestions, a reply.

In: a review with its emotions and themes. Out: suggestions and reply drafts.
Imported by student, stages and what stands above; imports the rooms before it.
"""
