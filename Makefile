# make demo      from nothing to five trained models: of texts, sounds and graphs
# make test      the suite (under 6 minutes on 2 cores)
# make test-all  the longer checks as well (under 40 minutes)
# make check     style, types, import order
# make page      the page of `headway serve`, built from web/ (needs Node 20; what is built is committed)
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# Byte code is made by all cores at once, which pip does not; what some package keeps for a later Python may fail.
INSTALL := $(BIN)/pip --disable-pip-version-check -q install --no-compile -c constraints.txt
COMPILE := $(BIN)/python -m compileall -qq -j 0 -x '/tests?/' $(VENV)/lib || true

.PHONY: demo test test-all check install page clean

demo: $(VENV)/.demo
	PATH="$(CURDIR)/$(BIN):$$PATH" sh scripts/demo.sh

install: $(VENV)/.dev

test: $(VENV)/.dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --durations 25 -m "not long"

test-all: $(VENV)/.dev check
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --hypothesis-profile=thorough

check: $(VENV)/.dev
	$(BIN)/ruff check src tests benchmarks
	$(BIN)/ruff format --check src tests benchmarks
	$(BIN)/lint-imports
	$(BIN)/pyright --pythonpath $(BIN)/python

page:
	cd web && npm ci --no-audit --no-fund && npm run build

# The demo installs only what a user needs; the suite installs the tools beside it.
$(VENV)/.demo: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(INSTALL) -e ".[metrics,sound,graph]"
	$(COMPILE)
	touch $@

$(VENV)/.dev: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(INSTALL) -e ".[dev]"
	$(COMPILE)
	touch $@

clean:
	rm -rf $(VENV) demo dist build
