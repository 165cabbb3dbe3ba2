"""Whether this machine has the system libraries that WeasyPrint draws text with."""

from __future__ import annotations

import platform
import shutil

from roadmap.diagnostics import Diagnostic

_APT = "apt-get install -y libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
_DNF = "dnf install -y pango"
_BREW = "brew install pango"


def doctor() -> list[Diagnostic]:
    """Load WeasyPrint; say in one line how to install what it lacks. Empty when all is there."""
    try:
        import weasyprint  # noqa: F401
    except OSError as error:
        return [missing(str(error))]
    return []


def missing(message: str) -> Diagnostic:
    """The diagnostic for a library that could not be loaded; `message` is the loader's."""
    library = message.partition(":")[0].strip() or "a library"
    return Diagnostic(
        "pdf-libraries",
        f"The PDF needs the system library Pango, and {library} cannot be loaded",
        hint=f"run `{install_command()}`, or build without the PDF",
    )


def install_command() -> str:
    """The one line that installs the libraries on this system."""
    if platform.system() == "Darwin":
        return _BREW
    if shutil.which("dnf") and not shutil.which("apt-get"):
        return f"sudo {_DNF}"
    return f"sudo {_APT}"
