"""`make roadmap` gets Pango where that needs no password, and else says the one line that does."""

from __future__ import annotations

import shutil
import subprocess
from types import SimpleNamespace

import pytest

from roadmap.diagnostics import Diagnostic
from roadmap.render.pdf import install_libraries, libraries
from roadmap.render.pdf.install_libraries import main, permitted


class Machine:
    """A machine with some programs; keeps the commands that are run on it."""

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        *programs: str,
        root: bool = False,
        system: str = "Linux",
        fails: tuple[str, ...] = (),
        lacking: bool = True,
    ) -> None:
        self.ran: list[str] = []
        self.programs, self.fails = programs, list(fails)
        missing = [Diagnostic("pdf-libraries", "no Pango")] if lacking else []
        monkeypatch.setattr(shutil, "which", lambda name: name if name in programs else None)
        monkeypatch.setattr("os.geteuid", lambda: 0 if root else 1000)
        monkeypatch.setattr("platform.system", lambda: system)
        monkeypatch.setattr(subprocess, "run", self._run)
        monkeypatch.setattr(install_libraries, "doctor", lambda: missing)

    def _run(self, command: list[str], **_: object) -> SimpleNamespace:
        self.ran.append(" ".join(command).replace(install_libraries._LOADS[0], "python"))
        failing = next((f for f in self.fails if f in self.ran[-1]), None)
        if failing is not None:
            self.fails.remove(failing)
        return SimpleNamespace(returncode=int(failing is not None))


LOADS = "python -c import weasyprint"
APT = libraries._APT


def test_nothing_is_run_where_nothing_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, "apt-get", root=True, lacking=False)
    assert (main(), machine.ran) == (0, [])


def test_root_installs_without_sudo_and_then_the_libraries_load(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    machine = Machine(monkeypatch, "apt-get", root=True)
    assert (main(), machine.ran) == (0, [APT, LOADS])


def test_apt_that_knows_no_packages_yet_is_updated_first(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, "apt-get", root=True, fails=("apt-get install",))
    assert (main(), machine.ran) == (0, [APT, "apt-get update", APT, LOADS])


def test_who_may_use_sudo_without_a_password_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, "apt-get", "sudo")
    assert (main(), machine.ran) == (0, ["sudo -n true", f"sudo -n {APT}", LOADS])


@pytest.mark.parametrize(
    ("programs", "fails"),
    [(("apt-get", "sudo"), ("sudo -n true",)), (("apt-get",), ()), ((), ())],
    ids=["sudo asks for a password", "no sudo", "no apt-get"],
)
def test_where_a_password_is_needed_the_line_is_printed_and_nothing_installed(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    programs: tuple[str, ...],
    fails: tuple[str, ...],
) -> None:
    machine = Machine(monkeypatch, *programs, fails=fails)
    assert main() == 1
    assert f"    sudo {APT}\n" in capsys.readouterr().err
    assert not any("install" in command for command in machine.ran)


def test_an_installation_that_does_not_help_ends_with_the_line_to_try(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Machine(monkeypatch, "apt-get", root=True, fails=("import weasyprint",))
    assert main() == 1
    assert f"sudo {APT}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("system", "programs", "line"),
    [
        ("Linux", ("apt-get",), f"sudo {libraries._APT}"),
        ("Linux", ("dnf",), f"sudo {libraries._DNF}"),
        ("Linux", ("dnf", "apt-get"), f"sudo {libraries._APT}"),
        ("Linux", (), f"sudo {libraries._APT}"),
        ("Darwin", ("brew",), libraries._BREW),
    ],
)
def test_every_system_has_its_one_line(
    monkeypatch: pytest.MonkeyPatch, system: str, programs: tuple[str, ...], line: str
) -> None:
    Machine(monkeypatch, *programs, system=system)
    assert libraries.install_command() == line


def test_homebrew_is_run_without_sudo(monkeypatch: pytest.MonkeyPatch) -> None:
    Machine(monkeypatch, "brew", "sudo", system="Darwin")
    assert permitted(libraries.install_command()) == libraries._BREW.split()


def test_the_doctor_names_the_library_that_is_missing_and_the_line_that_gets_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import builtins

    real = builtins.__import__

    def refuse(name: str, *rest: object) -> object:
        if name == "weasyprint":
            raise OSError("libpango-1.0-0: cannot open shared object file")
        return real(name, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", refuse)
    (found,) = libraries.doctor()
    assert found.rule == "pdf-libraries"
    assert "libpango-1.0-0" in found.message
    assert libraries.install_command() in found.hint
