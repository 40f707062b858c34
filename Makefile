# Two commands set everything up: `make run` and `make test`. `make help` lists the rest.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup run test check bench clean

PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3,$(if $(shell command -v $(name)),$(name))))
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check

help:
	@echo "make run    set up, then serve web and admin until Ctrl-C"
	@echo "make test   run every test this machine can run, and say what was skipped"
	@echo "make setup  environment, database, first rows, market data, discovery"
	@echo "make check  style, types, import rules, migrations, deployment"
	@echo "make bench  the speed claims; AMC_DATA_DIR=... to measure on real data"
	@echo "make clean  remove environment and caches; data in var/ stays"

# --- Installing: done once per change of the pins ---------------------------------------

.venv/.made:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed.")'
	$(PYTHON) -m venv .venv
	@touch $@

.venv/.runtime: requirements.txt | .venv/.made
	@echo "Installing what AMC-TRADER runs with (once)"
	$(INSTALL) -r requirements.txt
	@touch $@

.venv/.dev: requirements-dev.txt .venv/.runtime
	@echo "Installing what it is tested with (once)"
	$(INSTALL) -r requirements-dev.txt
	@touch $@

# --- Running ----------------------------------------------------------------------------

setup: .venv/.runtime
	@$(BIN)/python manage.py migrate --verbosity 0
	@$(BIN)/python manage.py init_performance_analytics_db
	@$(BIN)/python manage.py prepare_market

run: setup
	@exec $(BIN)/python manage.py serve

# --- Checking ---------------------------------------------------------------------------

test: .venv/.dev
	@$(BIN)/python -m tests.everything

# The deployment check runs as operations.md says production runs: behind https, with a database
# of its own. Nothing is silenced.
check: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@export VAR_DIR=$$(mktemp -d); trap 'rm -rf "$$VAR_DIR"' EXIT; set -x; \
	$(BIN)/python manage.py makemigrations --check --dry-run; \
	SITE_URL=https://amc.example.com DEBUG=false SECRET_KEY= ALLOWED_HOSTS= \
	$(BIN)/python manage.py check --deploy --fail-level WARNING

bench: .venv/.dev
	@shopt -s nullglob; for file in benchmarks/bench_*.py; do \
		echo "== $$file"; $(BIN)/python -m benchmarks."$$(basename "$$file" .py)"; \
	done

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
