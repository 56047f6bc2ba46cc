# Every target does its own set-up. Needed: Python >= 3.11 with pip, and make. `make help` lists the targets.

# The first Python that is new enough; `make PYTHON=/path/to/python` chooses another.
ifndef PYTHON
PYTHON := $(shell for p in python3.11 python3.12 python3.13 python3 python; do \
    $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo $$p; break; }; done)
endif
ifeq ($(strip $(PYTHON)),)
$(error understudy needs Python 3.11 or later on the PATH; name one by `make PYTHON=/path/to/python3`)
endif

BIN := .venv/bin
ENGINE ?= duckdb
WORKERS ?= 2
SIZES ?= 100,1000
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo test check lint types layers sizes coverage bench golden oracle docs browser lock changelog clean setup setup-dbt setup-iceberg

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

demo: setup ## the demo on examples/ecommerce: production, one change, a slim build (ENGINE=postgres, ENGINE=spark)
	@$(BIN)/python examples/ecommerce/demo.py --engine $(ENGINE) $(ARGS)

test: setup setup-dbt setup-iceberg ## all tests (ARGS="-k defer -x" passes options to pytest, WORKERS=4 its processes)
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $(ARGS)

check: lint types layers sizes ## format, lint, types, layers, sizes (`make -k check` goes on after a failure)

lint: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: setup
	$(BIN)/mypy

layers: setup
	$(BIN)/lint-imports

sizes: setup
	$(BIN)/python -m pytest -q tests/architecture/test_sizes.py

coverage: setup ## branch coverage; it must be complete for defer, state, select and graph
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --cov --cov-report= $(wildcard tests/unit tests/property tests/golden) $(ARGS)
	-$(BIN)/coverage report
	$(BIN)/coverage report --fail-under=100 \
	    --include='src/understudy/defer/*,src/understudy/state/*,src/understudy/select/*,src/understudy/graph/*'

bench: setup setup-dbt ## the table of speeds, against dbt 1.11; writes bench/results.json (SIZES=100,1000,5000,10000 for every row)
	@$(BIN)/python bench/run.py --sizes "$(SIZES)" $(ARGS)

golden: setup ## rewrite the expected files of tests/golden; review the difference before you commit it
	@$(BIN)/python -m pytest -q tests/golden --update-golden $(ARGS)

oracle: setup setup-dbt ## record anew what dbt 1.11 answers, for the tests that compare with its recorded answers
	@$(BIN)/python -m pytest -q tests --record-oracle -m differential $(ARGS)

docs: setup ## rewrite the generated pages of the documentation, and build its site in site/, strictly
	@$(BIN)/python scripts/build_docs.py
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet && echo "built site/index.html"

browser: ## install Chromium where the machine has none and lets us (Debian, as root); the page's tests need it
	@scripts/chromium.sh

lock: ## resolve requirements/*.in anew (needs uv)
	@command -v uv >/dev/null || { echo "make lock needs uv: https://docs.astral.sh/uv/"; exit 1; }
	$(COMPILE) pyproject.toml requirements/dev.in -o requirements/dev.txt
	$(COMPILE) requirements/dbt.in -o requirements/dbt.txt
	$(COMPILE) pyproject.toml requirements/iceberg.in -o requirements/iceberg.txt
COMPILE = uv pip compile --no-config --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
    --custom-compile-command "make lock"

changelog: setup ## draw the fragments of changelog.d together into CHANGELOG.md, for a release
	$(BIN)/towncrier build

clean: ## remove environments, caches and what runs leave behind
	rm -rf .venv .venv-dbt .venv-iceberg .setup.lock .demo build dist site .mypy_cache .pytest_cache .ruff_cache .import_linter_cache \
	    .hypothesis .coverage .coverage.* htmlcov bench/work
	find src tests scripts examples -name __pycache__ -type d -prune -exec rm -rf {} +
	find examples \( -name target -o -name logs \) -type d -prune -exec rm -rf {} +

setup:
	@$(PYTHON) scripts/setup_env.py dev

setup-dbt:
	@$(PYTHON) scripts/setup_env.py dbt

setup-iceberg:
	@$(PYTHON) scripts/setup_env.py iceberg
