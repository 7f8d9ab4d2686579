"""From what a user hands over to rows of `reviews` and `rejects`, every record accounted for.

In: files, folders, addresses, hub names. Out: rows in the warehouse.
Imported by stages and what stands above; imports core and text.
"""
