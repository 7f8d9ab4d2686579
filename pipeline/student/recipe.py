"""Recipes: YAML files that say how a model is trained.

`read_recipe` reads any of them; `load_recipe` is for the student, `tuning.trainer` has its own for classifiers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from pipeline.core.assets import RECIPES
from pipeline.core.errors import InputError

KEYS = ("quantize", "lora", "sft")
QUANTIZATIONS = ("none", "nf4", "auto")


def load_recipe(name: str) -> dict[str, Any]:
    """A student's recipe by name or path: {"quantize": none, nf4 or auto; "lora": LoraConfig's; "sft": SFTConfig's arguments}.

    Raises InputError as `read_recipe` does.
    """
    return read_recipe(name, RECIPES, KEYS)


def read_recipe(
    name: str, folder: Path, keys: Sequence[str], changes: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The recipe `folder/NAME.yaml`, or the .yaml file at the path `name`; `changes` replace values of its keys.

    Raises InputError for a recipe that does not exist, is not valid YAML, has other keys than `keys`, or asks for a
    quantisation that is not in QUANTIZATIONS.
    """
    path = Path(name) if name.endswith((".yaml", ".yml")) else folder / f"{name}.yaml"
    if not path.is_file():
        shipped = ", ".join(sorted(file.stem for file in folder.glob("*.yaml")))
        raise InputError(f"There is no recipe {name!r}. Shipped: {shipped}; or give the path of a .yaml file.")
    try:
        recipe = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"Recipe {path} is not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(recipe, dict) or set(recipe) != set(keys):
        raise InputError(f"Recipe {path} must hold exactly: {', '.join(keys)}. See {folder} for examples.")
    recipe |= changes or {}
    if recipe["quantize"] not in QUANTIZATIONS:
        raise InputError(f"Recipe {path}: quantize must be none, nf4 or auto, not {recipe['quantize']!r}.")
    return recipe
