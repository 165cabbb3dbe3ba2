# Two commands: `make roadmap` builds the site and the PDFs, `make test` runs the tests.
# Each makes .venv first, from requirements.lock, with plain pip. After that nothing needs a network.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
TORCH := 2.13.0
# Where Linux machines without an NVIDIA GPU find a build of torch that leaves CUDA out.
TORCH_CPU_INDEX ?= https://download.pytorch.org/whl/cpu
PIP := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: roadmap test check lint types coverage lock clean

roadmap: $(READY)
	$(BIN)/python -m roadmap.render.pdf.install_libraries
	$(BIN)/python build.py

test: $(READY)
	$(BIN)/python -m roadmap.render.pdf.install_libraries
	$(BIN)/python -m pytest -n auto

check: lint types

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports

types: $(READY)
	$(BIN)/mypy

coverage: $(READY)
	$(BIN)/python -m pytest -n auto --cov --cov-report=term tests/roadmap
	$(BIN)/python -m coverage report --fail-under=90

# Torch comes first and by itself, because which build of it fits is a matter of the machine.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
	  { echo "Python 3.11, 3.12 or 3.13 is needed: make PYTHON=python3.12 ..."; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -c 'import torch; assert torch.__version__.startswith("$(TORCH)")' 2>/dev/null || \
	  { [ "$$(uname -s)" = Linux ] && ! command -v nvidia-smi >/dev/null && \
	    echo "Installing torch $(TORCH) for the CPU" && \
	    $(PIP) install --quiet --no-deps --retries 1 --extra-index-url $(TORCH_CPU_INDEX) torch==$(TORCH)+cpu; } || \
	  { echo "Installing torch $(TORCH)" && $(PIP) install --quiet torch==$(TORCH); }
	@echo "Installing the other packages of requirements.lock"
	$(PIP) install --quiet --require-hashes --requirement requirements.lock
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	touch $@

# Pins anew. Torch's own needs are declared in pyproject.toml, without CUDA's packages.
lock:
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	  --no-emit-package torch --all-extras --constraint <(echo torch==$(TORCH)) \
	  pyproject.toml --output-file requirements.lock

clean:
	rm -rf site .roadmap .coverage .pytest_cache .mypy_cache .ruff_cache

lock: SHELL := bash
