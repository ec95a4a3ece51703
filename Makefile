# A fresh machine needs python3 (3.11 or newer) and make; everything else comes from here.
#   make demo    the portal with a demo region, on http://127.0.0.1:8000
#   make test    all checks and all tests, on SQLite and on PostgreSQL
.DEFAULT_GOAL := help
.PHONY: help setup demo check types style test needs mutants bench bench-viewer screenshots components soak soak-kills lock clean
.DELETE_ON_ERROR:

PYTHON ?= python3
PORT ?= 8000
WORKERS ?= 2
BIN := .venv/bin
PY := $(BIN)/python
# npm and node are a wheel in the same .venv; npm finds node by the PATH.
export PATH := $(CURDIR)/$(BIN):$(PATH)
# Bytecode is kept beside the packages, not in the tree: without it each of the many processes
# compiles all that it imports, which takes three times as long as to start it.
export PYTHONDONTWRITEBYTECODE :=
export PYTHONPYCACHEPREFIX := $(CURDIR)/.venv/bytecode

help:
	@sed -n '2,3p' Makefile | sed 's/^# *//'
	@echo "make setup | check | mutants | bench | bench-viewer | screenshots | components | soak | lock | clean"

# --- setup: each step leaves a stamp, so that the second time takes seconds ----------------------
RUN_STAMP := .venv/.run-time
DEV_STAMP := .venv/.development
NPM_STAMP := frontend/node_modules/.installed
BUILD := static/build/manifest.json

setup: $(DEV_STAMP) $(BUILD)

$(PY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed; set PYTHON=/path/to/it"; exit 1; }
	$(PYTHON) -m venv .venv
	$(PY) -m pip install --quiet --disable-pip-version-check pip==26.3 uv==0.13.9

# uv takes a tenth of pip's time; where uv can't (an index that only pip is told of) pip does it.
$(RUN_STAMP): requirements.txt | $(PY)
	$(BIN)/uv pip install --quiet --python $(PY) --require-hashes -r requirements.txt \
	  || $(PY) -m pip install --quiet --require-hashes -r requirements.txt
	@touch $@

$(DEV_STAMP): requirements-dev.txt | $(PY)
	$(BIN)/uv pip install --quiet --python $(PY) --require-hashes -r requirements-dev.txt \
	  || $(PY) -m pip install --quiet --require-hashes -r requirements-dev.txt
	@touch $@ $(RUN_STAMP)

$(NPM_STAMP): frontend/package.json frontend/package-lock.json | $(RUN_STAMP)
	cd frontend && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

SOURCES := $(shell find frontend -path '*/node_modules' -prune -o -type f -print)
$(BUILD): $(SOURCES) $(NPM_STAMP)
	cd frontend && npm run --silent build
	@touch $@

# --- demo ------------------------------------------------------------------------------------------
demo: $(RUN_STAMP) $(BUILD)
	$(PY) manage.py migrate --verbosity 0
	@PUBLIC_URL=$${PUBLIC_URL:-http://127.0.0.1:$(PORT)} $(PY) manage.py demo
	@exec $(PY) manage.py serve --port $(PORT)

# --- checks and tests ------------------------------------------------------------------------------
# Types take as long as building the front end: one beside the other.
check: $(DEV_STAMP)
	@$(MAKE) --no-print-directory --jobs=2 --output-sync types style

types: $(DEV_STAMP)
	$(BIN)/mypy

style: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/djlint --lint --quiet templates
	$(PY) manage.py makemigrations --check --dry-run
	cd frontend && npm run --silent lint && npm run --silent test

test: needs check
	$(PY) -m pytest -n $(WORKERS) --halves
	$(PY) tests/postgres.py $(PY) -m pytest -n $(WORKERS) --halves

needs: $(DEV_STAMP)
	@sh tests/needs.sh
	@$(PY) tests/ohif.py

# Each seeded fault, in a copy of the tree, must turn a test red; ONLY=word tries a part of them.
mutants: setup needs
	WORKERS=$(WORKERS) $(PY) -m tests.mutants $(ONLY)

bench: setup
	$(PY) -m bench

bench-viewer: setup needs
	$(PY) -m bench viewer

# The pictures of the README, taken anew.
screenshots: setup needs
	$(PY) -m tests.screenshots

# Every component in its states, as docs/components, from the templates themselves.
components: setup
	$(PY) -m tests.showcase

soak: setup needs
	WORLDS=2000 $(PY) -m pytest tests/access/test_fence_equals_decision.py
	STATEFUL=200 STEPS=40 $(PY) -m pytest tests/access/test_stateful.py
	WORLDS=500 $(PY) -m pytest -n $(WORKERS) tests/oracle/test_worlds.py
	REQUESTS=100000 $(PY) -m pytest tests/oracle/test_canaries.py
	SCRIPTS=60 $(PY) -m pytest tests/faces/viewer/test_scripts.py
	QUESTIONS=1000 $(PY) -m pytest tests/oracle/test_twins.py
	ROUNDS=1000 $(PY) -m pytest tests/oracle/test_races.py
	$(PY) tests/postgres.py env ROUNDS=1000 $(PY) -m pytest tests/oracle/test_races.py
	FUZZ_SECONDS=600 $(PY) -m pytest tests/dicom/test_swift.py
	FUZZ_SECONDS=600 $(PY) -m pytest tests/attacks/test_multipart.py tests/attacks/test_metadata_bodies.py
	ROUNDS=1000 $(PY) -m pytest tests/archive/test_races.py
	$(PY) tests/postgres.py env ROUNDS=1000 $(PY) -m pytest tests/archive/test_races.py
	HISTORIES=100 $(PY) -m pytest tests/archive/test_replaying.py
	$(PY) -m tests.durability.revocation --trials 200
	$(PY) -m tests.durability.upgrading
	$(PY) -m tests.durability.upgrading --postgres
	$(MAKE) --no-print-directory soak-kills

# Killed a hundred times, and at every system call: SQLite and PostgreSQL, files and an S3 that fails
# three times in ten.
KILLS ?= 100
soak-kills:
	for where in "" --s3 --postgres "--postgres --s3"; do \
	  $(PY) -m tests.durability.kill --trials $(KILLS) --faults 0.3 $$where || exit 1; \
	  $(PY) -m tests.durability.points $$where || exit 1; \
	done

lock: | $(PY)
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url requirements.in -o requirements.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url requirements-saml.in -o requirements-saml.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url requirements-dev.in -o requirements-dev.txt

clean:
	rm -rf static/build frontend/node_modules .mypy_cache .ruff_cache .pytest_cache test-results
