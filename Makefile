# 住考网络继续学习. `make` shows the commands.
.DEFAULT_GOAL := help
SHELL := /bin/sh

# the first Python 3.11 or 3.12 that works
PYTHON ?= $(shell for p in python3.11 python3.12 python3 python; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null && { echo $$p; break; }; done)
BIN := .venv/bin
PY := $(BIN)/python
NPM := npm --silent --workspace miniprogram
PROGRAMME ?= yunnan
CHANNEL ?= wechat_native
export TZ = Asia/Shanghai

.PHONY: help run test test-postgresql test-mariadb test-all check format journey api-fuzz faults bench bench-server bench-table soak screenshots openapi api-types programme-check migration lock clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{printf "  make %-15s %s\n", $$1, $$2}'

$(BIN)/.installed: requirements.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or 3.12 is needed: install it, or say PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Installing the Python packages (once, about a minute) ..."
	@test -x $(PY) || $(PYTHON) -m venv .venv
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements.txt
	@touch $@

$(BIN)/.installed-dev: requirements-dev.txt $(BIN)/.installed
	@echo "Installing the packages for development (once) ..."
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements-dev.txt
	@touch $@

# `npm ci` empties node_modules, with the other stamp in it: the larger set sets both
NPM_FILES := package.json package-lock.json miniprogram/package.json .npmrc

node_modules/.installed: $(NPM_FILES)
	@command -v npm >/dev/null || { echo "Node 20 with npm is needed"; exit 1; }
	@echo "Installing the npm packages (once) ..."
	@rm -f node_modules/.installed node_modules/.installed-dev
	@npm ci --omit=dev --silent --no-audit --no-fund
	@touch $@

node_modules/.installed-dev: $(NPM_FILES)
	@command -v npm >/dev/null || { echo "Node 20 with npm is needed"; exit 1; }
	@echo "Installing the npm packages for development (once) ..."
	@rm -f node_modules/.installed node_modules/.installed-dev
	@npm ci --silent --no-audit --no-fund
	@touch node_modules/.installed $@

run: $(BIN)/.installed node_modules/.installed ## start everything with demo data (PORT=8000 DATA_DIR=data)
	@exec $(PY) -m ops.run

test: $(BIN)/.installed-dev node_modules/.installed-dev ## the quick suite: no browser, no system package
	@$(NPM) test
	@$(PY) -m pytest -n 2 -m "not slow and not browser"

test-postgresql test-mariadb: $(BIN)/.installed-dev node_modules/.installed-dev ## the quick suite on a server and its Redis (TEST_POSTGRESQL_URL, TEST_MARIADB_URL, TEST_REDIS_URL; default: this machine's)
	@TEST_DATABASE=$(@:test-%=%) TEST_REDIS_URL=$${TEST_REDIS_URL:-redis://127.0.0.1:6379} $(PY) -m pytest -n 2 -m "not slow and not browser"

test-all: $(BIN)/.installed-dev node_modules/.installed-dev ## everything: checks, all tests on three databases, browser (Chromium), journeys, faults (TESTED=1: `make test` was run just now)
	@$(MAKE) --no-print-directory check
	@$(NPM) test
	@$(PY) -m pytest -n 2 $(if $(TESTED),-m "slow or browser")
	@$(MAKE) --no-print-directory test-postgresql
	@$(MAKE) --no-print-directory test-mariadb
	@$(MAKE) --no-print-directory journey
	@$(MAKE) --no-print-directory journeys
	@$(MAKE) --no-print-directory faults GROUP=short DATABASE=postgresql
	@$(MAKE) --no-print-directory faults GROUP=kill DATABASE=postgresql

check: $(BIN)/.installed-dev node_modules/.installed-dev ## style, types, direction of imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(PY) -m ops.api --check
	@$(NPM) run check

format: $(BIN)/.installed-dev ## put the code into shape
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

journey: $(BIN)/.installed node_modules/.installed ## walk one trainee's whole path (CHANNEL=alipay_qr; TROUBLE=slow|failing|lying PROVIDER=sms; BASE_URL=... SANDBOX_URL=... for a running copy; DATABASE_URL=... REDIS_URL=... of servers)
	@$(PY) -m ops.journey --programme $(PROGRAMME) --channel $(CHANNEL) $(if $(TROUBLE),--trouble $(TROUBLE)) $(if $(PROVIDER),--provider $(PROVIDER)) $(if $(BASE_URL),--base-url $(BASE_URL)) $(if $(SANDBOX_URL),--sandbox-url $(SANDBOX_URL))

api-fuzz: $(BIN)/.installed-dev ## call every operation of the API with data that fits its description, and with data that does not
	@$(PY) -m pytest -n 2 tests/api

journeys: $(BIN)/.installed node_modules/.installed ## on PostgreSQL and Redis: by each way to pay, and with providers that are slow, fail or lie
	@$(PY) -m ops.journeys

faults: $(BIN)/.installed-dev node_modules/.installed ## break things and check the invariants (GROUP=kill|providers|payments|heartbeats|jobs|exams|login|data DATABASE=sqlite|postgresql|mariadb)
	@$(PY) -m tests.faults $(GROUP) $(if $(DATABASE),--database $(DATABASE))

bench: $(BIN)/.installed-dev node_modules/.installed ## measure the hot paths against their goals; writes build/bench.json (PARTS="ratios flush" STRICT=1 BENCH_DATABASE_URL=...)
	@$(PY) -m bench $(PARTS) $(if $(STRICT),--strict)

bench-server: $(BIN)/.installed-dev ## Granian beside gunicorn under the same load; writes build/server.json
	@$(PY) -m bench.compare

soak: $(BIN)/.installed-dev node_modules/.installed ## the whole product under load for MINUTES=10: does anything grow? writes build/soak.json
	@$(PY) -m bench.soak $(or $(MINUTES),10)

bench-table: $(BIN)/.installed-dev ## write docs/performance.md anew from what bench, bench-server and soak measured
	@$(PY) -m bench.table

screenshots: $(BIN)/.installed-dev node_modules/.installed ## take docs/screens anew (needs Chromium and a Chinese font)
	@$(PY) -m ops.screenshots

openapi: $(BIN)/.installed-dev ## write docs/openapi.json anew
	@$(PY) -m ops.api

api-types: node_modules/.installed-dev ## write the front end's types from docs/openapi.json anew
	@$(NPM) run api-types

programme-check: $(BIN)/.installed ## tell a programme file in Chinese sentences and what is odd about it (FILE=config/programmes/...)
	@$(PY) -m app.policy.check $(FILE)

migration: $(BIN)/.installed-dev ## write a migration from the models (NAME=...)
	@$(PY) -m ops.manage make-migration $(NAME)

lock: $(BIN)/.installed-dev ## pin and hash the Python packages anew
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header requirements.in -o requirements.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -c requirements.txt requirements-dev.in -o requirements-dev.txt

clean: ## remove what was installed and built (not the data)
	@rm -rf .venv node_modules build
