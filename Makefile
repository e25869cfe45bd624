# `make` alone lists what there is.
PYTHON := .venv/bin/python

.PHONY: help dev check test bench docs messages
help:            ## what these targets do
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */\t/' | expand -t 12

dev:             ## a virtual environment with everything for development
	python3 -m venv .venv && .venv/bin/pip install -c constraints.txt -e '.[test]'

check:           ## lint, format, types, import contract
	.venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/mypy && .venv/bin/lint-imports

test:            ## the whole test suite on two cores
	.venv/bin/pytest -n 2

bench:           ## every benchmark, one after the other (minutes)
	for script in benchmarks/*.py; do echo "== $$script"; $(PYTHON) $$script || exit 1; done

messages:        ## list messages that have no Vietnamese yet, or are no longer used
	.venv/bin/pytest -q tests/meta/test_house.py -k translat

docs:            ## write the pages of problem codes again from the code, and list the settings
	$(PYTHON) -m opendata.resources.ingest.problem_guide docs
	$(PYTHON) -m opendata.cli check --settings
