"""Paths of files that are not code. `prompts/` and `warehouse/` are at the top of a checkout, and inside the package once
it is installed.
"""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent
_INSTALLED = PACKAGE / "_assets"  # filled when the wheel is built (pyproject.toml)
ROOT = _INSTALLED if _INSTALLED.is_dir() else PACKAGE.parent

PROMPTS = ROOT / "prompts"
WAREHOUSE = ROOT / "warehouse"
PROFILES = PACKAGE / "profiles"
PACKS = PACKAGE / "packs"  # of single trades
RECIPES = PACKAGE / "recipes"
MODELS = PACKAGE / "models"
READER = MODELS / "reader"  # the encoder with its heads, which reads everything
STUDENT = MODELS / "student"  # the shipped base student
BLEURT = MODELS / "bleurt"  # the stand-in for BLEURT
BASELINES = PACKAGE / "baselines"
SAMPLE = PACKAGE / "samples" / "reviews.csv"
