"""One review in, its analysis out: queues in front of the models, and time limits."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Sequence
from typing import Any, TypeVar

from starlette.exceptions import HTTPException

from pipeline.core.profile import Profile
from pipeline.core.stage import Row
from pipeline.service.analyze import AnalysisRow, Analyzer, ReviewRow
from pipeline.service.batching import Batcher, Busy
from pipeline.service.meters import Meters
from pipeline.service.settings import Settings

In = TypeVar("In")

_LATER = {"Retry-After": "5"}


class Engine:
    """`classify` and `write` have threads of their own: a language model that writes for seconds holds up no classifier."""

    def __init__(self, settings: Settings, meters: Meters) -> None:
        self.settings, self.meters = settings, meters
        self.analyzer = Analyzer(settings.profile)
        self.workers = 1 if _has_large_model(settings.profile) else settings.workers
        queue: dict[str, Any] = {"max_batch": settings.max_batch, "max_waiting": settings.max_waiting}
        self.classify: Batcher[ReviewRow, AnalysisRow] = Batcher(
            self.analyzer.classify,
            workers=self.workers,
            linger=settings.linger,
            observe=meters.batches.observe,
            **queue,
        )
        self.write: Batcher[AnalysisRow, AnalysisRow] = Batcher(self.analyzer.write, linger=0.0, **queue)
        self.ready = False

    async def start(self) -> None:
        await asyncio.to_thread(self._load)
        self.classify.start()
        self.write.start()
        self.ready = True

    def _load(self) -> None:
        import torch

        # Two workers with a thread each do more than one with two: small models leave threads waiting for each other. And
        # what comes back from torch must not wait 5 ms for the interpreter while another worker reads words.
        sys.setswitchinterval(0.0005)
        torch.set_num_threads(max(1, torch.get_num_threads() // self.workers))
        self.analyzer.warm()

    async def close(self) -> None:
        self.ready = False
        await self.classify.close()
        await self.write.close()

    async def analyze(self, row: ReviewRow, generate: bool = True) -> AnalysisRow:
        """The analysis of a row from `analyze.prepare`. Raises HTTPException: 503 where it would take too long."""
        found = await self._within(self.classify, row)
        self.meters.reviews.labels("request").inc()
        return await self._within(self.write, found) if generate else found

    async def stream(self, row: ReviewRow, generate: bool = True) -> AsyncIterator[Row]:
        """Events: classified, text (pieces of the advice), reply, done."""
        found = await self.analyze(row, generate=False)
        yield {"event": "classified", "analysis": found}
        if generate and found["unhappy"]:
            loop, said, told = asyncio.get_running_loop(), asyncio.Queue[str | None](), ""

            def on_text(text: str) -> None:  # called in the thread that writes
                loop.call_soon_threadsafe(said.put_nowait, text)

            writing = asyncio.ensure_future(self._within(self.write, found | {"on_text": on_text}))
            writing.add_done_callback(lambda done: said.put_nowait(None))
            try:
                while (text := await said.get()) is not None:
                    # What may still change is held back: the word at hand, half a character, blanks at the end.
                    whole = re.sub(r"\S+$", "", text).strip()
                    if whole.startswith(told) and whole != told:
                        yield {"event": "text", "text": whole[len(told) :]}
                        told = whole
            finally:
                if not writing.done():  # the client has gone
                    writing.cancel()
            found = await writing
            advice = (found["feedback"] or {}).get("text") or ""
            if advice != told:
                yield {"event": "text", "text": advice.removeprefix(told)}
            if found["reply"]:
                yield {"event": "reply", "text": found["reply"]}
        yield {"event": "done", "analysis": found}

    async def _within(self, queue: Batcher[In, AnalysisRow], row: In) -> AnalysisRow:
        try:
            async with asyncio.timeout(self.settings.timeout):
                return await queue.submit(row)
        except (Busy, TimeoutError) as error:
            raise HTTPException(503, "Too many reviews are waiting. Try again in a few seconds.", _LATER) from error

    async def analyze_file(self, rows: Sequence[ReviewRow]) -> list[AnalysisRow]:
        """The analyses of rows of a file, behind whoever asks for a single one. No time limit: a job may take its time."""

        async def one(row: ReviewRow) -> AnalysisRow:
            return await self.write.submit(await self.classify.submit(row, urgent=False), urgent=False)

        results = await asyncio.gather(*(one(row) for row in rows))
        self.meters.reviews.labels("file").inc(len(rows))
        return results


def _has_large_model(profile: Profile) -> bool:
    """One that needs all cores, or the GPU, for itself."""
    return "transformers" in (profile.sentiment.backend, profile.emotions.backend, profile.feedback.backend)
