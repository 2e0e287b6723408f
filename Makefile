# Every target sets up what it needs and prints the plain commands that it runs.

PYTHON ?= python3
JOBS ?= auto

VENV := .venv
BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --require-hashes
UV_COMPILE := $(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header --no-annotate

# The three sets share one environment: the locks agree on every version, and what tests the product holds the other two.
RUNTIME := $(VENV)/.installed-runtime
DEMO := $(VENV)/.installed-demo
DEV := $(VENV)/.installed-dev

.PHONY: install demo test check requirements docs pictures month soak bench lock clean
.NOTPARALLEL:

install: $(RUNTIME)

# CHECK=1 asserts and ends.
demo: $(RUNTIME) $(if $(shell command -v redis-server 2>/dev/null),,$(DEMO))
	$(BIN)/flask demo $(if $(CHECK),--check)

# Everything that CI runs. BROWSER=0 leaves the browser out; JOBS=1 uses one process.
test: check
	$(BIN)/pytest -n $(JOBS) --maxprocesses 4

check: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Which tests show which requirement; fails when one has none.
requirements: $(RUNTIME)
	$(BIN)/python -m tests.requirements

# Writes every page that is made from the code anew.
docs: $(RUNTIME)
	$(BIN)/python -m tests.catalogue
	$(BIN)/python -m tests.cli
	$(BIN)/python -m tests.errors
	$(BIN)/python -m tests.configuration
	$(BIN)/flask openapi --markdown > docs/api.md

# The pictures in the README and in docs/, made anew by a browser.
PICTURES := request why failed connection-new connection-health
pictures: $(DEV)
	SCREENSHOTS=var/pictures $(BIN)/pytest -n $(JOBS) --maxprocesses 2 tests/browser
	for name in $(PICTURES); do cp var/pictures/$$name-1280-light.png docs/images/$$name.png; done
	cp var/pictures/webhooks-tab.png docs/images/

# A real merchant's month on both databases, some seven thousand webhooks for each of three seeds: it takes its time.
month: $(DEV)
	MONTH_CUSTOMERS=500 $(BIN)/pytest -n $(JOBS) --maxprocesses 4 -o faulthandler_timeout=0 tests/test_month.py

# The fault tests five times in a row, then chaos on both databases. SOAK_SEED repeats the chaos of an earlier run.
SOAK_MINUTES ?= 10
soak: $(DEV)
	for round in 1 2 3 4 5; do $(BIN)/pytest -n $(JOBS) --maxprocesses 4 tests/faults || exit; done
	SOAK_MINUTES=$(SOAK_MINUTES) $(BIN)/pytest -n $(JOBS) --maxprocesses 2 -rP -o faulthandler_timeout=0 tests/faults/test_chaos.py

bench: $(DEV)
	$(BIN)/python -m benchmarks

# UPGRADE=1 takes the newest releases. The order matters: the later sets keep to the first one's versions.
lock: $(DEV)
	$(UV_COMPILE) $(if $(UPGRADE),--upgrade) requirements/runtime.in -o requirements.txt
	$(UV_COMPILE) $(if $(UPGRADE),--upgrade) requirements/demo.in -o requirements-demo.txt
	$(UV_COMPILE) $(if $(UPGRADE),--upgrade) requirements/dev.in -o requirements-dev.txt

# What the product remembers (var/) stays.
clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage

$(RUNTIME): requirements.txt | $(BIN)/pip
	$(PIP_INSTALL) -r requirements.txt
	@touch $@

$(DEMO): requirements-demo.txt | $(BIN)/pip
	$(PIP_INSTALL) -r requirements-demo.txt
	@touch $@

$(DEV): requirements-dev.txt | $(BIN)/pip
	$(PIP_INSTALL) -r requirements-dev.txt
	@touch $@ $(RUNTIME) $(DEMO)

# pip is the last thing that venv makes, so an environment that was left half-made is made again.
$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "This needs Python 3.11 or newer, and '$(PYTHON)' is not. Name one that is, as in: make $(or $(MAKECMDGOALS),install) PYTHON=python3.12" >&2; \
	  exit 1; }
	$(PYTHON) -m venv $(VENV)
