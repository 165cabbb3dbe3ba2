"""Named results of an experiment: printed for the person, kept for whoever asked for them."""

from __future__ import annotations

import json
import math
import os


def report(**results: float) -> None:
    """Print each result as `name = value`.

    Where the environment variable LLM_REPORT names a file, each result is also appended to it as
    one JSON line `{"name": ..., "value": ...}`. Raises ValueError for a value that is no finite
    number, because a result that cannot be compared is not a result.
    """
    for name, value in results.items():
        number = float(value)
        if not math.isfinite(number):
            raise ValueError(f"report({name}={value!r}): a result must be a finite number")
        print(f"{name} = {number:.6g}")
        sink = os.environ.get("LLM_REPORT")
        if sink:
            with open(sink, "a", encoding="utf-8") as out:  # noqa: PTH123 (start-up time)
                out.write(json.dumps({"name": name, "value": number}) + "\n")
