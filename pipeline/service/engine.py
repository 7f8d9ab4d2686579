"""Queues in front of the models, with time limits: one review in, its analysis out."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Sequence
from typing import Any, TypeVar

from starlette.exceptions import HTTPException

from pipeline.advice.answer import presentable
from pipeline.core.profile import Profile
from pipeline.core.stage import Row
from pipeline.service.analyze import AnalysisRow, Analyzer, ReviewRow
from pipeline.service.batching import Batcher, Busy
from pipeline.service.cost import cost_of
from pipeline.service.meters import Meters
from pipeline.service.settings import Settings

In = TypeVar("In")

_RETRY = {"Retry-After": "5"}


class Engine:
    """`classify`, `classify_long` and `write` have separate threads, so that neither a language model writing for seconds nor a
    text that takes seconds to read holds up the others.
    """

    def __init__(self, settings: Settings, meters: Meters) -> None:
        self.settings, self.meters = settings, meters
        self.analyzer = Analyzer(settings.profile, settings.warehouse, settings.max_cost)
        large = has_large_model(settings.profile)
        self.workers = 1 if large else settings.workers
        queue: dict[str, Any] = {"max_batch": settings.max_batch, "max_waiting": settings.max_waiting}
        self.classify: Batcher[ReviewRow, AnalysisRow] = Batcher(
            self.analyzer.classify,
            workers=self.workers,
            linger=settings.linger,
            max_cost=settings.max_batch_cost,
            cost=lambda row: cost_of(row["text"]),
            observe=meters.batches.observe,
            **queue,
        )
        # A model that needs everything for itself has one queue, in which clients still take turns.
        self.classify_long = self.classify if large else self._for_long_ones()
        self.write: Batcher[AnalysisRow, AnalysisRow] = Batcher(self.analyzer.write, linger=0.0, **queue)
        self.ready = False

    def _for_long_ones(self) -> Batcher[ReviewRow, AnalysisRow]:
        return Batcher(
            self.analyzer.classify,
            max_batch=1,
            linger=0.0,
            max_waiting=self.settings.max_long,
            cost=lambda row: cost_of(row["text"]),
            observe=self.meters.batches.observe,
        )

    @property
    def queues(self) -> list[Batcher[Any, Any]]:
        """All of them, in the order in which they empty."""
        return list(dict.fromkeys((self.classify, self.classify_long, self.write)))

    async def start(self) -> None:
        """Loads the models, then starts the queues."""
        await asyncio.to_thread(self._load)
        for queue in self.queues:
            queue.start()
        self.ready = True

    def _load(self) -> None:
        import torch

        # Two workers with one thread each do more than one with two: small models leave threads waiting for each other. A
        # worker returning from torch must not wait 5 ms for the interpreter while another one runs Python code.
        sys.setswitchinterval(0.0005)
        torch.set_num_threads(max(1, torch.get_num_threads() // self.workers))
        self.analyzer.warm()

    async def close(self) -> None:
        """Returns once everything in the queues has its result."""
        self.ready = False
        for queue in self.queues:
            await queue.close()

    async def analyze(self, row: ReviewRow, generate: bool, client: str) -> AnalysisRow:
        """The analysis of a row from `analyze.prepare`. Raises HTTPException 503 if it takes too long or too many wait."""
        analysis = await self._within(self._classifying(row), row, client)
        self.meters.reviews.labels("request").inc()
        return await self._within(self.write, analysis, client) if generate else analysis

    def _classifying(self, row: ReviewRow) -> Batcher[ReviewRow, AnalysisRow]:
        return self.classify_long if cost_of(row["text"]) > self.settings.long else self.classify

    async def stream(self, row: ReviewRow, generate: bool, client: str) -> AsyncIterator[Row]:
        """Events: classified, text (pieces of the advice), reply, done. Raises like `analyze`."""
        analysis = await self.analyze(row, False, client)
        yield {"event": "classified", "analysis": analysis}
        if generate and analysis["unhappy"]:
            loop, drafts, sent = asyncio.get_running_loop(), asyncio.Queue[str | None](), ""

            def on_text(text: str) -> None:  # called in the thread that writes
                loop.call_soon_threadsafe(drafts.put_nowait, presentable(text))

            writing = asyncio.ensure_future(self._within(self.write, analysis | {"on_text": on_text}, client))
            writing.add_done_callback(lambda done: drafts.put_nowait(None))
            try:
                while (text := await drafts.get()) is not None:
                    # What may still change is held back: the last word, half a character, trailing blanks.
                    stable = re.sub(r"\S+$", "", text).strip()
                    if stable.startswith(sent) and stable != sent:
                        yield {"event": "text", "text": stable[len(sent) :]}
                        sent = stable
            finally:
                if not writing.done():  # the client has gone
                    writing.cancel()
            analysis = await writing
            advice = (analysis["feedback"] or {}).get("text") or ""
            if advice != sent:
                yield {"event": "text", "text": advice.removeprefix(sent)}
            if analysis["reply"]:
                yield {"event": "reply", "text": analysis["reply"]}
        yield {"event": "done", "analysis": analysis}

    async def _within(self, queue: Batcher[In, AnalysisRow], row: In, client: str) -> AnalysisRow:
        try:
            async with asyncio.timeout(self.settings.timeout):
                return await queue.submit(row, client=client)
        except (Busy, TimeoutError) as error:
            raise HTTPException(503, "Too many reviews are waiting. Try again in a few seconds.", _RETRY) from error

    async def analyze_file(self, rows: Sequence[ReviewRow]) -> list[AnalysisRow]:
        """The analyses of rows of a file; single requests go first. There is no time limit."""

        async def one(row: ReviewRow) -> AnalysisRow:
            return await self.write.submit(await self._classifying(row).submit(row, urgent=False), urgent=False)

        results = await asyncio.gather(*(one(row) for row in rows))
        self.meters.reviews.labels("file").inc(len(rows))
        return results


def has_large_model(profile: Profile) -> bool:
    """Whether a model needs all cores, or the GPU, for itself."""
    return "transformers" in (profile.sentiment.backend, profile.emotions.backend, profile.feedback.backend)
