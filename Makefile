# `make` alone lists what there is. Every target first makes .venv complete, which takes no time once it is.
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help install demo test test-slow lint format types contracts templates checks lock benchmark screenshots

PY := .venv/bin/python
PORT ?= 8000
DATA ?=

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

install: ## make .venv complete from requirements-dev.txt (PYTHON=python3.12 chooses the interpreter)
	@PYTHON="$(PYTHON)" sh scripts/install.sh

demo: install ## start the site with the sample, or with DATA=DIR in a Kaggle layout, on PORT=8000
	@exec $(PY) scripts/demo.py --port "$(PORT)" --data "$(DATA)"

test: lint types contracts templates checks ## lint, types, import contracts, templates, checks and the test suite
	$(PY) -m pytest $(PYTEST_ARGS)

test-slow: install ## the tests that take minutes or the whole real data set (ANIMEREC_DATA=DIR)
	$(PY) -m pytest -m slow $(PYTEST_ARGS)

lint: install ## ruff: rules and format
	$(PY) -m ruff check
	$(PY) -m ruff format --check

format: install ## put the code into shape
	$(PY) -m ruff check --fix
	$(PY) -m ruff format
	$(PY) -m djlint templates --reformat --quiet

types: install ## mypy
	$(PY) -m mypy .

contracts: install ## who may import whom
	.venv/bin/lint-imports

templates: install ## djlint: rules and format
	$(PY) -m djlint templates --lint --check

# The deployment check runs on production settings with stand-in values; it opens no connection.
checks: install ## missing migrations, and Django's deployment check on production settings
	DJANGO_SETTINGS_MODULE=animerec_site.settings.test $(PY) manage.py makemigrations --check --dry-run
	DJANGO_SETTINGS_MODULE=animerec_site.settings.prod \
		SECRET_KEY="$$($(PY) -c 'import secrets; print(secrets.token_urlsafe(64))')" \
		DATABASE_URL=postgres://127.0.0.1/unused REDIS_URL=redis://127.0.0.1/0 \
		$(PY) manage.py check --deploy --fail-level WARNING

# One resolution for all: the development lock is made first and binds the others.
COMPILE = $(PY) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate $(if $(UPGRADE),--upgrade)
lock: install ## compile the four locks from pyproject.toml (UPGRADE=1 takes the newest versions)
	$(COMPILE) pyproject.toml --extra train --group dev -o requirements-dev.txt
	$(COMPILE) pyproject.toml --extra train -c requirements-dev.txt -o requirements.txt
	$(COMPILE) pyproject.toml -c requirements-dev.txt -o requirements-web.txt
	$(COMPILE) --group pyproject.toml:benchmark -c requirements-dev.txt -o requirements-benchmark.txt

# The libraries to compare with are added to .venv; they share the pins of all else, so nothing else changes.
benchmark: install ## measure what docs/benchmarks.md reports (NAMES="quality growth"; needs ANIMEREC_DATA and DATABASE_URL)
	$(PY) -m pip install --quiet --no-deps --require-hashes -r requirements-benchmark.txt
	$(PY) -m benchmarks $(NAMES)

screenshots: install ## take the screenshots of docs/screenshots (starts a demo of its own)
	$(PY) scripts/screenshots.py
