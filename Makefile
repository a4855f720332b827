# 住考网络继续学习. `make` shows the commands.
.DEFAULT_GOAL := help
SHELL := /bin/sh

# the first Python 3.11 or 3.12 that works
PYTHON ?= $(shell for p in python3.11 python3.12 python3 python; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null && { echo $$p; break; }; done)
BIN := .venv/bin
PY := $(BIN)/python
NPM := npm --silent --prefix miniprogram
PROGRAMME ?= yunnan
CHANNEL ?= wechat_native
export TZ = Asia/Shanghai
# or each of the many processes that a test starts compiles everything anew, and every worker of pytest rewrites every assert
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run demo-codes demo-transfer front front-all test test-mp test-postgresql test-mariadb test-all test-deep check format journey api-fuzz faults bench bench-server bench-web bench-table big-data bench-console soak screenshots openapi api-types programme-check migration lock clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{printf "  make %-15s %s\n", $$1, $$2}'

$(BIN)/.installed: requirements.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or 3.12 is needed: install it, or say PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Installing the Python packages (once, about a minute) ..."
	@test -x $(PY) || $(PYTHON) -m venv .venv
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-compile --no-deps --require-hashes -r requirements.txt
	@touch $@

$(BIN)/.installed-dev: requirements-dev.txt $(BIN)/.installed
	@echo "Installing the packages for development (once) ..."
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-compile --no-deps --require-hashes -r requirements-dev.txt
	@touch $@

node_modules/.installed: package.json package-lock.json .npmrc
	@command -v npm >/dev/null || { echo "Node 20 with npm is needed"; exit 1; }
	@echo "Installing the font of the proofs (once) ..."
	@npm ci --silent
	@touch $@

# the front end is an npm package of its own; `npm ci` empties node_modules, with the stamps in it: the larger set sets
# both, and stays the larger one
FRONT := miniprogram/node_modules
FRONT_LOCK := miniprogram/package.json miniprogram/package-lock.json miniprogram/.npmrc

$(FRONT)/.installed: $(FRONT_LOCK)
	@command -v npm >/dev/null || { echo "Node 20 with npm is needed"; exit 1; }
	@echo "Installing the npm packages of the front end (once, about a minute) ..."
	@if test -e $(FRONT)/.installed-dev; then $(NPM) ci && touch $(FRONT)/.installed-dev; else $(NPM) ci --omit=dev; fi
	@touch $@

$(FRONT)/.installed-dev: $(FRONT_LOCK)
	@command -v npm >/dev/null || { echo "Node 20 with npm is needed"; exit 1; }
	@echo "Installing the npm packages of the front end for development (once, about a minute) ..."
	@rm -f $(FRONT)/.installed $(FRONT)/.installed-dev
	@$(NPM) ci
	@touch $(FRONT)/.installed $@

# `uni` says much: its words are shown only when it fails
FRONT_SOURCES := $(shell find miniprogram/src miniprogram/build-plugins -type f) miniprogram/index.html miniprogram/vite.config.ts
uni = echo "Building the front end for $(1) (half a minute) ..."; mkdir -p build; $(NPM) run build:$(1) >build/front.log 2>&1 || { cat build/front.log; exit 1; }

build/h5/.built: $(FRONT_SOURCES) $(FRONT_LOCK) | $(FRONT)/.installed
	@$(call uni,h5)
	@touch $@

# for a test: it asks the address that stands for "none was given". `make front-all` takes the stamp away
build/mp-weixin/.built: $(FRONT_SOURCES) $(FRONT_LOCK) | $(FRONT)/.installed
	@unset PUBLIC_URL; $(call uni,mp-weixin)
	@touch $@

front: build/h5/.built ## build the front end for browsers, if its sources changed

front-all: front ## build it for browsers, WeChat's mini-program (PUBLIC_URL=https://...) and the app into build/
	@$(call uni,mp-weixin)
	@$(call uni,app)

run: $(BIN)/.installed node_modules/.installed build/h5/.built ## start everything with demo data (PORT=8000 DATA_DIR=data)
	@exec $(PY) -m ops.run

demo-codes: $(BIN)/.installed ## what the authenticators of the demo staff show now (DATA_DIR=data)
	@DATA_DIR=$(or $(DATA_DIR),data) LOG_LEVEL=ERROR $(PY) -m ops.demo.staff

demo-transfer: $(BIN)/.installed ## what the bank says of a bank transfer that an order waits for (CODE=... DATA_DIR=data)
	@DATA_DIR=$(or $(DATA_DIR),data) LOG_LEVEL=ERROR $(PY) -m ops.demo.transfer "$(CODE)"

test: $(BIN)/.installed-dev node_modules/.installed $(FRONT)/.installed-dev ## the quick suite: no browser, no system package
	@$(NPM) test
	@$(PY) -m pytest -n 3 -m "not slow and not browser"

# these open no database: `make test` has run them, and on a server they would be the same again
NO_DATABASE := policy sandbox bench

test-postgresql test-mariadb: $(BIN)/.installed-dev node_modules/.installed ## the quick suite on a server and its Redis (TEST_POSTGRESQL_URL, TEST_MARIADB_URL, TEST_REDIS_URL; default: this machine's)
	@TEST_DATABASE=$(@:test-%=%) TEST_REDIS_URL=$${TEST_REDIS_URL:-redis://127.0.0.1:6379} $(PY) -m pytest -n 2 -m "not slow and not browser" $(NO_DATABASE:%=--ignore=tests/%)

test-mp: $(BIN)/.installed-dev node_modules/.installed $(FRONT)/.installed-dev build/mp-weixin/.built ## the built mini-program under node, against a running copy and its sandbox: a trainee's whole path
	@$(PY) -m tests.mini_program

test-all: $(BIN)/.installed-dev node_modules/.installed $(FRONT)/.installed-dev build/h5/.built build/mp-weixin/.built ## everything: checks, all tests on three databases, browser (Chromium), two journeys, the kill faults (TESTED=1: `make test` was run just now)
	@$(MAKE) --no-print-directory check
	@$(NPM) test
	@$(PY) -m pytest -n 2 $(if $(TESTED),-m "slow or browser")
	@$(MAKE) --no-print-directory test-postgresql
	@$(MAKE) --no-print-directory test-mariadb
	@$(MAKE) --no-print-directory test-mp
	@$(MAKE) --no-print-directory journey PROGRAMME=yunnan-legacy
	@$(MAKE) --no-print-directory journey PROGRAMME=jianxun CHANNEL=bank_transfer
	@$(MAKE) --no-print-directory faults GROUP=kill DATABASE=postgresql

test-deep: $(BIN)/.installed-dev node_modules/.installed ## what takes longer than each change can wait: journeys by every way to pay and in every trouble, every fault in short (13 minutes)
	@$(MAKE) --no-print-directory journeys
	@$(MAKE) --no-print-directory faults GROUP=short DATABASE=postgresql

check: $(BIN)/.installed-dev node_modules/.installed $(FRONT)/.installed-dev ## style, types, direction of imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(PY) -m ops.api --check
	@$(NPM) run check

format: $(BIN)/.installed-dev ## put the code into shape
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

journey: $(BIN)/.installed node_modules/.installed ## walk one trainee's whole path (PROGRAMME=yunnan|yunnan-legacy|all, or jianxun, which is invented; CHANNEL=alipay_qr|bank_transfer; TROUBLE=slow|failing|lying PROVIDER=sms; BASE_URL=... SANDBOX_URL=... for a running copy; DATABASE_URL=... REDIS_URL=... of servers)
	@$(PY) -m ops.journey --programme $(PROGRAMME) --channel $(CHANNEL) $(if $(TROUBLE),--trouble $(TROUBLE)) $(if $(PROVIDER),--provider $(PROVIDER)) $(if $(BASE_URL),--base-url $(BASE_URL)) $(if $(SANDBOX_URL),--sandbox-url $(SANDBOX_URL))

api-fuzz: $(BIN)/.installed-dev ## call every operation of the API with data that fits its description, and with data that does not
	@$(PY) -m pytest -n 2 tests/api

journeys: $(BIN)/.installed node_modules/.installed ## on PostgreSQL and Redis: by each way to pay, and with providers that are slow, fail or lie
	@$(PY) -m ops.journeys

faults: $(BIN)/.installed-dev node_modules/.installed ## break things and check the invariants (GROUP=kill|films|providers|payments|heartbeats|jobs|exams|login|data|staff DATABASE=sqlite|postgresql|mariadb)
	@$(PY) -m tests.faults $(GROUP) $(if $(DATABASE),--database $(DATABASE))

bench: $(BIN)/.installed-dev node_modules/.installed ## measure the hot paths against their goals; writes build/bench.json (PARTS="ratios flush" STRICT=1 BENCH_DATABASE_URL=...)
	@$(PY) -m bench $(PARTS) $(if $(STRICT),--strict)

bench-server: $(BIN)/.installed-dev ## Granian beside gunicorn under the same load; writes build/server.json
	@$(PY) -m bench.compare

bench-web: $(BIN)/.installed-dev node_modules/.installed build/h5/.built build/mp-weixin/.built ## the first screen's size and time on a slow phone, the mini-program's size; writes build/web.json (STRICT=1; needs Chromium)
	@$(PY) -m bench.front $(if $(STRICT),--strict)

soak: $(BIN)/.installed-dev node_modules/.installed ## the whole product under load for MINUTES=10: does anything grow? writes build/soak.json
	@$(PY) -m bench.soak $(or $(MINUTES),10)

big-data: $(BIN)/.installed-dev ## fill PostgreSQL as a centre does in some years: 300,000 persons, 1,000,000 orders (BIG_DATABASE_URL; drops it first)
	@$(PY) -m bench.big

bench-console: $(BIN)/.installed-dev node_modules/.installed ## on big-data: each page of the console against 300 ms, 200 photos by keyboard; writes build/console.json (STRICT=1; needs Chromium)
	@$(PY) -m bench.console $(if $(STRICT),--strict)

bench-table: $(BIN)/.installed-dev ## write docs/performance.md anew from what bench, bench-server and soak measured
	@$(PY) -m bench.table

screenshots: $(BIN)/.installed-dev node_modules/.installed build/h5/.built ## take docs/screens anew (needs Chromium and a Chinese font)
	@$(PY) -m ops.screenshots

openapi: $(BIN)/.installed-dev ## write docs/openapi.json anew
	@$(PY) -m ops.api

api-types: $(FRONT)/.installed-dev ## write the front end's types from docs/openapi.json anew
	@$(NPM) run api-types

programme-check: $(BIN)/.installed ## tell a programme file in Chinese sentences and what is odd about it (FILE=config/programmes/...)
	@$(PY) -m app.policy.check $(FILE)

migration: $(BIN)/.installed-dev ## write a migration from the models (NAME=...)
	@$(PY) -m ops.manage make-migration $(NAME)

lock: $(BIN)/.installed-dev ## pin and hash the Python packages anew
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header requirements.in -o requirements.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -c requirements.txt requirements-dev.in -o requirements-dev.txt

clean: ## remove what was installed and built (not the data)
	@rm -rf .venv node_modules $(FRONT) build
