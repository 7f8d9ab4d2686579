"""Every error a user can meet, and its exit code.

ReviewInsightsError
├── InputError        bad usage or bad input: one line that says what to do next; exit 2
├── BackendDown       a model server cannot be reached: its batch stays pending; exit 2
└── AuditFailed       the warehouse breaks one of its own rules: nothing is published; exit 1
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class ReviewInsightsError(Exception):
    """Shown by the command line as one line, without a traceback."""

    exit_code = 1
    answers: Sequence[Any] = ()  # of a model, one per request, that came before this; None for a request without


class InputError(ReviewInsightsError):
    """Unusable input or usage; the message names the next step."""

    exit_code = 2


class BackendDown(ReviewInsightsError):
    """A model server did not answer. Rows that needed it stay pending for the next run."""

    exit_code = 2


class AuditFailed(ReviewInsightsError):
    """An audit query returned rows; the published warehouse is left as it was."""

    exit_code = 1
