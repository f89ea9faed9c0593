# `make` lists the targets. The environment is .venv; it is made once, and again when pyproject.toml changes.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# One process per core; the tests of a file stay together, since they share fixtures.
PARALLEL := -n logical --maxprocesses 8 --dist loadfile

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help eval test test-slow lint provenance check docs board clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-10s  %s\n", $$1, $$2}' $(MAKEFILE_LIST)

eval: $(VENV)/.installed ## install, then run the main job on the sandbox
	$(BIN)/python -m copycat.eval --model sandbox --mitigation negprompt

test: $(VENV)/.installed-dev ## install with the tools of development, then run the tests
	$(BIN)/python -m pytest $(PARALLEL)

test-slow: $(VENV)/.installed-dev ## the tests that make test leaves out: Ray, browser, kills, trainings, rarer families
	$(BIN)/python -m pytest $(PARALLEL) -m slow

lint: $(VENV)/.installed-dev ## linter, format and types; no tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

provenance: $(VENV)/.installed-dev ## check sources, licences, cards and manifests of what the project ships
	$(BIN)/python -m copycat.provenance check --own

check: lint provenance test test-slow ## all that a change must pass: lint, provenance, then every test

docs: $(VENV)/.installed-dev ## make docs/cli.md, docs/models.md and characters/schema.json from the code
	$(BIN)/python -m copycat.commands.docs docs/cli.md docs/models.md characters/schema.json

board: $(VENV)/.installed ## build the leaderboard's page from its submissions
	$(BIN)/python -m copycat.leaderboard build

clean: ## delete environment, caches and built packages; runs/ and sandbox-work/ stay
	rm -rf $(VENV) build dist .pytest_cache .ruff_cache .mypy_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.installed: pyproject.toml
	$(make_environment)
	@echo "installing into $(VENV); takes minutes, once"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml
	$(make_environment)
	@echo "installing into $(VENV); takes minutes, once"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $(VENV)/.installed $@

# An environment that works and is new enough is kept; any other is replaced.
IS_NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
define make_environment
@if $(BIN)/python -c '$(IS_NEW_ENOUGH)' 2>/dev/null; then exit 0; fi; \
	if ! $(PYTHON) -c '$(IS_NEW_ENOUGH)' 2>/dev/null; then \
		echo "error: copycat needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) --version 2>/dev/null || echo 'not there')" >&2; \
		echo "  name another one, such as: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; \
		exit 2; \
	fi; \
	echo "making $(VENV) with $$($(PYTHON) --version)"; \
	$(PYTHON) -m venv --clear $(VENV)
endef
