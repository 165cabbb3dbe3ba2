"""Plan, cache, execute, compare: from experiments to outcomes.

`plan` asks `key` what each experiment depends on and `store` for its last record; `schedule` has
`execute` run those that need it, each in a `worker`; `compare` holds results against their bands.
"""

from __future__ import annotations

TYPE_CHECKING = False  # importing typing takes longer than anything else here
if TYPE_CHECKING:
    from roadmap.run.schedule import run

__all__ = ["run"]


def __getattr__(name: str) -> object:
    # Late, because the child process imports this package too, and every experiment waits for it.
    if name == "run":
        from roadmap.run.schedule import run

        return run
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
