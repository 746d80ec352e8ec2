# Everything is installed into $(VENV); the machine needs Python 3.11 or newer and make, nothing else.

VENV ?= .venv
PYTHON ?=
BIN = $(VENV)/bin
RUN = $(BIN)/python
INPUTS = pyproject.toml constraints.txt README.md LICENSE

.PHONY: help demo serve test stress bench docs lint clean
.DELETE_ON_ERROR:

help:
	@echo "make demo    the whole flow, from the first request to a protected photo, shown step by step"
	@echo "make serve   the example provider, until Ctrl-C"
	@echo "make test    the tests on every core, with branch coverage"
	@echo "make stress  every generated attack, the long races and faults, and what the stores cost; half an hour"
	@echo "make bench   how fast it is, beside others, written to docs/benchmarks; half an hour, and needs wrk"
	@echo "make docs    these pages and the API as a site, in build/docs"
	@echo "make lint    ruff, mypy, pyright, and the structure of the modules"
	@echo "make clean   remove what the others made"

demo: $(VENV)/.installed-examples
	@$(RUN) -m examples.demo

serve: $(VENV)/.installed-examples
	@exec $(RUN) -m examples.photos

test: $(VENV)/.installed-test
	$(RUN) -bb -m pytest --numprocesses auto --maxprocesses 8 --dist worksteal --cov --cov-report=term $(ARGS)

stress: $(VENV)/.installed-test
	STRESS=1 $(RUN) -bb -m pytest -m stress $(ARGS)
	$(RUN) -m benchmarks.faults --rounds 10
	$(RUN) -m benchmarks.stores

bench: $(VENV)/.installed-bench
	$(RUN) -m benchmarks $(ARGS)

docs: $(VENV)/.installed-docs
	$(RUN) -m sphinx --quiet --fail-on-warning --keep-going docs build/docs

lint: $(VENV)/.installed-lint
	$(RUN) -m ruff format --check
	$(RUN) -m ruff check
	$(RUN) -m mypy
	$(RUN) -m pyright --pythonpath $(RUN)
	$(RUN) -m tools

clean:
	rm -rf $(VENV) .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# What an extra contains is in pyproject.toml. The stamp is newer than what it was made from, or it is made again.
$(VENV)/.installed-%: $(VENV)/.python $(INPUTS)
	@echo "installing into $(VENV): $*"
	@$(RUN) -m pip install --quiet --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[$*]'
	@touch $@

$(VENV)/.python:
	@python=; \
	for candidate in $(or $(PYTHON),python3 python3.13 python3.12 python3.11); do \
	    if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$$candidate; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
	    echo "Python 3.11 or newer is needed, and none was found as $(or $(PYTHON),python3 or python3.11 to python3.13); try make PYTHON=/path/to/python3" >&2; \
	    exit 1; \
	fi; \
	"$$python" -m venv --clear $(VENV)
	@touch $@
