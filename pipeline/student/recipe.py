"""Training: the student (sft), and the models that travel with the package (embedded_*). Recipes are YAML files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from pipeline.core.assets import RECIPES
from pipeline.core.errors import InputError


def load_recipe(name: str) -> dict[str, Any]:
    """A recipe by name or path: {"quantize": none, nf4 or auto; "lora": LoraConfig's; "sft": SFTConfig's arguments}.

    Raises InputError for a recipe that does not exist, is no YAML, or has other keys.
    """
    path = Path(name) if name.endswith((".yaml", ".yml")) else RECIPES / f"{name}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in RECIPES.glob("*.yaml")))
        raise InputError(f"There is no recipe {name!r}. Shipped: {known}; or give the path of a .yaml file.")
    try:
        recipe = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise InputError(f"Recipe {path} is not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(recipe, dict) or set(recipe) != {"quantize", "lora", "sft"}:
        raise InputError(f"Recipe {path} must hold exactly: quantize, lora, sft. See pipeline/recipes for examples.")
    if recipe["quantize"] not in ("none", "nf4", "auto"):
        raise InputError(f"Recipe {path}: quantize must be none, nf4 or auto, not {recipe['quantize']!r}.")
    return recipe
