"""The sentiment bench: fine-tune, compare, calibrate and publish classifiers, each from one command.

tune: read, train, judge before and after, page, warehouse rows · compare: several models side by side · figures: what
is measured · page: HTML and Markdown · record: rows of `runs` and `metrics` · push: to a hub repository.
"""
