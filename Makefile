# Two commands matter: `make demo` and `make test`. Each installs what it needs.
SHELL := /bin/bash
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
WORKERS ?= 3
JUDGES := .judges
JUDGED := SUYUAN_SLLURP=$(CURDIR)/$(JUDGES)/sllurp/bin/sllurp SUYUAN_LLRPKIT=$(CURDIR)/$(JUDGES)/llrpkit/bin/llrpkit
BENCH ?= decode epc outbox gateway capture detect chain page storage feed

.PHONY: help demo test lint types bench faults soak reference screenshots sbom deps install judges page-judges lock secrets clean

help:
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST)

demo: install  ## run the main job: simulated readers, gateways, server, code page
	$(BIN)/suyuan demo

test: deps install judges page-judges lint types  ## install what is needed and pass every test
	$(JUDGED) $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

lint: install  ## style and import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: install  ## mypy, strict
	$(BIN)/mypy

bench: deps install  ## every bench, or one: make -s bench BENCH=capture
	@for name in $(BENCH); do $(BIN)/python -m bench.$$name || exit 1; done

faults: deps install  ## the fault table with its numbers, short form: make -s faults FAULTS="--rows power-cut --seed 7"
	@$(BIN)/python -m tests.fault.table $(FAULTS)

soak: deps install  ## the long form of the fault tests; ends with the fault table
	SUYUAN_SOAK=1 $(BIN)/python -m pytest -n 0 --ignore=tests/fault/test_table.py \
	  tests/fault tests/core/readers tests/sim/test_fleet.py $(PYTEST_ARGS)
	@$(BIN)/python -m tests.fault.table --long $(FAULTS)

reference: install  ## write the generated pages: docs/reference, docs/settings-*, docs/detectors
	@$(BIN)/python -m tests.reference

screenshots: deps install  ## pictures of the main pages, docs/screenshots
	@$(BIN)/python -m pytest -n 0 -q tests/e2e/screenshots.py

sbom:  ## CycloneDX bill of materials from the lock files: make -s sbom > suyuan.cdx.json
	@$(PYTHON) scripts/make-sbom

deps:  ## Debian packages that the tests start: PostgreSQL, mosquitto, Chromium, zbar, a Chinese font
	@scripts/install-debian-packages

install: $(VENV)/.installed

judges: $(JUDGES)/sllurp/.installed $(JUDGES)/llrpkit/.installed  ## programs of others that test our protocols

page-judges: tests/e2e/judges/node_modules/.installed  ## programs of others that judge our pages: axe-core, the Nu HTML checker

tests/e2e/judges/node_modules/.installed: tests/e2e/judges/package-lock.json
	@cd tests/e2e/judges && npm ci --ignore-scripts --silent
	@touch $@

$(JUDGES)/%/.installed: tests/judges/%.lock
	@scripts/create-venv $(PYTHON) $(JUDGES)/$*
	@$(JUDGES)/$*/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

$(VENV)/.installed: requirements.lock pyproject.toml
	@scripts/create-venv $(PYTHON) $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

lock:  ## resolve the extras again into requirements.lock
	@scripts/create-venv $(PYTHON) $(VENV)
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --upgrade pyproject.toml --all-extras --no-emit-index-url --no-emit-find-links \
	  --no-header --no-annotate --generate-hashes -o requirements.lock

secrets:  ## random secrets for docker-compose.yml
	@scripts/make-secrets

clean:
	rm -rf $(VENV) $(JUDGES) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
