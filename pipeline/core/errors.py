"""Every error a user can meet, and the exit code it ends with.

ReviewInsightsError
├── InputError        bad usage or bad input: exit 2, one line that says what to do next
├── BackendDown       a model server cannot be reached: its batch stays pending, exit 2
└── AuditFailed       the warehouse broke one of its own rules: nothing is published, exit 1
"""

from __future__ import annotations


class ReviewInsightsError(Exception):
    """What the command line shows as one line, without a traceback."""

    exit_code = 1


class InputError(ReviewInsightsError):
    """What the user gave cannot be used; the message names the next step."""

    exit_code = 2


class BackendDown(ReviewInsightsError):
    """A model server did not answer. Rows that waited for it stay pending for the next run."""

    exit_code = 2


class AuditFailed(ReviewInsightsError):
    """An audit query returned rows; the published warehouse was left as it was."""

    exit_code = 1
