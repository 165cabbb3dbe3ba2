"""`python -m roadmap.render.pdf.install_libraries`: get Pango, or say the one line that does.

Part of `make roadmap`. It asks nothing: it installs where that needs no password, and otherwise
prints the command and stops.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys

from roadmap.render.pdf.libraries import doctor, install_command

_LOADS = [sys.executable, "-c", "import weasyprint"]


def main() -> int:
    """Exit code 0 when the libraries are there at the end, 1 when they are not."""
    if not doctor():
        return 0
    command = permitted(install_command())
    if command is None:
        print(f"The PDFs need the system library Pango. Run this line, then try again:\n\n"
              f"    {install_command()}\n", file=sys.stderr)  # fmt: skip
        return 1
    print(f"Installing Pango for the PDFs: {' '.join(command)}", file=sys.stderr)
    if subprocess.run(command, stdout=subprocess.DEVNULL).returncode != 0:
        if command[-1].startswith("lib"):
            refresh = [*command[: command.index("install")], "update"]
            subprocess.run(refresh, stdout=subprocess.DEVNULL)
        subprocess.run(command, stdout=subprocess.DEVNULL)
    if subprocess.run(_LOADS, stderr=subprocess.DEVNULL).returncode == 0:
        return 0
    print(f"That did not help. Try it by hand:\n\n    {install_command()}\n", file=sys.stderr)
    return 1


def permitted(line: str) -> list[str] | None:
    """The command in the form that runs here without a password; None when there is none."""
    words = line.split()
    program = words[1] if words[0] == "sudo" else words[0]
    if shutil.which(program) is None:
        return None
    if words[0] != "sudo" or platform.system() == "Darwin":
        return words
    if os.geteuid() == 0:
        return words[1:]
    if (
        shutil.which("sudo")
        and subprocess.run(["sudo", "-n", "true"], capture_output=True).returncode == 0
    ):
        return ["sudo", "-n", *words[1:]]
    return None


if __name__ == "__main__":
    sys.exit(main())
