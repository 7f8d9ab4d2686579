"""run, nightly: run every stage on reviews and write the report."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli import intake, options, show
from pipeline.cli.command import Command
from pipeline.cli.report import write_report
from pipeline.core.errors import InputError

if TYPE_CHECKING:
    from pipeline.core.profile import Profile
    from pipeline.core.stage import Engine
    from pipeline.run import RunResult
    from pipeline.tuning.retrain import Outcome


def _advice_language(sub: argparse.ArgumentParser) -> None:
    what = "of the playbook's advice and of feedback.v2's, such as de; default: that of most reviews, or English"
    sub.add_argument("--advice-language", metavar="CODE", help=what)


def _keep_days(sub: argparse.ArgumentParser) -> None:
    what = "remove the texts of reviews that are older, once they are read; figures stay (default: the profile's, else never)"
    sub.add_argument("--keep-days", type=int, metavar="N", help=what)


def _run_options(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--until", metavar="STAGE", help="stop after that stage")
    sub.add_argument("--no-report", action="store_true")
    what = "read the reviews in a copy, say what the teacher would be asked and what that may cost, and stop"
    sub.add_argument("--estimate", action="store_true", help=what)


def run(args: argparse.Namespace) -> int:
    """Runs the stages, writes the report unless told not to, and shows a summary: 1 if every request to a model failed."""
    from pipeline.core.profile import load
    from pipeline.core.warehouse import open_read_only
    from pipeline.report import build, digest
    from pipeline.report.content import gather

    if args.dry_run:
        return intake.dry_run(args)
    if args.estimate:
        return _estimate(args)
    result = _run_stages(args, args.until)
    with contextlib.closing(open_read_only(args.warehouse)) as warehouse:
        if args.no_report:
            facts = digest.facts(result, gather(warehouse), None)
        else:
            mask = args.mask or load(args.profile).privacy.mask_exports
            report = build.write(warehouse, args.out, mask=mask)
            facts = digest.facts(result, report.content, report.folder)
    if args.json:
        show.as_json(facts)
    else:
        show.summary(facts)
    return 1 if result.is_failure else 0


def nightly(args: argparse.Namespace) -> int:
    """Runs all stages, writes the report and checks the run: 1 on a regression, or if every request to a model failed. With
    `--retrain` then learns from what is new. Raises InputError for an unusable baseline.
    """
    from pipeline.report import digest

    if args.dry_run:
        return intake.dry_run(args)
    _require_retrainable(args)
    result = _run_stages(args, None)
    report = write_report(args, night=True)
    verdict = report.verdict
    first = None if args.baselines or verdict else _first_baseline(args)
    if isinstance(verdict, InputError):  # an unusable baseline; the report has been written all the same
        raise verdict
    outcome = _retrain(args) if args.retrain else None
    facts = digest.facts(result, report.content, report.folder)
    if args.json:
        learned = {"retrain": outcome.as_dict()} if outcome else {}
        show.as_json({**facts, "check": verdict.as_dict() if verdict else None, **learned})
    else:
        show.summary(facts)
        show.verdict(verdict.as_text() if verdict else None, first)
        show.lines([outcome.as_text()] if outcome else [])
    return 1 if result.is_failure or (verdict and not verdict.passed) else 0


def _retrain_options(sub: argparse.ArgumentParser) -> None:
    what = "learn from new stars once there are enough, or something has drifted; used from the next night on if it is better"
    sub.add_argument("--retrain", action="store_true", help=what)
    options.corrections(sub)


def _require_retrainable(args: argparse.Namespace) -> None:
    """Raises InputError, before the night's work, if its end could not be done."""
    from pipeline.core.profile import load
    from pipeline.tuning.retrain import require_open

    if args.corrections and not args.retrain:
        raise InputError("--corrections are for --retrain: give both.")
    if args.retrain:
        require_open(load(args.profile))


def _retrain(args: argparse.Namespace) -> Outcome:
    from pipeline.core.profile import load
    from pipeline.tuning.retrain import retrain

    return retrain(args.warehouse, load(args.profile), args.corrections)


def _first_baseline(args: argparse.Namespace) -> Path | None:
    from pipeline.core.profile import load
    from pipeline.core.warehouse import open_read_only
    from pipeline.quality.baseline import record_first

    with contextlib.closing(open_read_only(args.warehouse)) as warehouse:
        return record_first(warehouse, load(args.profile).name)


def _estimate(args: argparse.Namespace) -> int:
    from pipeline.tools.estimate import estimate

    options, profile = intake.ingest_options(args), _profile(args)
    with show.progress(args.json) as progress:
        found = estimate(intake.chosen(args), args.warehouse, profile, options, progress)
    if args.json:
        show.as_json(vars(found))
    else:
        show.lines(found.as_text())
    return 0


def _profile(args: argparse.Namespace) -> Profile:
    """The profile, with what `retrain` has promoted in this warehouse."""
    from pipeline.core.profile import load
    from pipeline.tuning import champion

    profile = champion.in_use(load(args.profile), args.warehouse)
    if not args.advice_language:
        return profile
    feedback = dataclasses.replace(profile.feedback, language=args.advice_language)
    return dataclasses.replace(profile, feedback=feedback)


def _run_stages(args: argparse.Namespace, until: str | None) -> RunResult:
    from pipeline.core import assets
    from pipeline.run import run as run_pipeline

    ingest, profile = intake.ingest_options(args), _profile(args)
    keep_days = profile.privacy.keep_days if args.keep_days is None else args.keep_days
    if keep_days < 0:
        raise InputError("--keep-days: give a number of days, or 0 to keep all texts")
    reviews = intake.chosen(args)
    _move_old_sample(reviews, args.warehouse)
    with show.progress(args.json) as progress:
        result = run_pipeline(
            reviews,
            args.warehouse,
            profile,
            ingest,
            until=until,
            retry_failed=args.retry_failed,
            keep_days=keep_days,
            progress=progress,
            understood=lambda sources: None if args.json else show.understood(intake.as_rows(sources)),
            engine=_engine(args),
        )
    if reviews == [str(assets.SAMPLE)] and not args.json:
        show.note(f"this is the bundled sample; your own (--reviews FILE) start clean, in {options.OWN.warehouse}")
    return result


def _engine(args: argparse.Namespace) -> Engine | None:
    name, _, address = args.engine.partition(":")
    if name == "ray" and args.workers > 0:
        from pipeline.stages.on_ray import OnRay

        return OnRay(address or None, args.workers)
    if args.engine != "local":
        raise InputError(
            f"--engine {args.engine} --workers {args.workers}: name local, ray or ray:ADDRESS, and a worker at least."
        )
    return None


def _move_old_sample(reviews: intake.Reviews, warehouse: Path) -> None:
    """Up to version 0.2 the sample was written into the warehouse of one's own reviews: moves it to where it is now, if
    nothing else is in there and this run goes to a default place.
    """
    from pipeline.ingest.sample import is_sample, set_aside
    from pipeline.ingest.sources import expand

    own, sample = options.OWN.warehouse, options.SAMPLE.warehouse
    names = expand([item if isinstance(item, str) else item.reviews for item in reviews])
    if warehouse != (sample if all(map(is_sample, names)) else own):
        return
    if moved := set_aside(own, sample.name):
        show.note(f"{own} held nothing but the bundled sample and is now {moved}")


COMMANDS = (
    Command(
        "run",
        "run every stage on reviews and write the report",
        run,
        (
            options.warehouse,
            options.profile,
            intake.reviews,
            options.out,
            options.mask,
            _advice_language,
            _keep_days,
            _run_options,
            options.engine,
            options.as_json,
        ),
    ),
    Command(
        "nightly",
        "run, check and report; exit 1 on a regression or if every request to a model failed, 2 for bad input",
        nightly,
        (
            options.warehouse,
            options.profile,
            intake.reviews,
            options.export,
            _advice_language,
            _keep_days,
            _retrain_options,
            options.engine,
            options.as_json,
        ),
    ),
)
