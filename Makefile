# Needs only Python 3.11 or newer and make. Everything is installed into $(VENV).

VENV ?= .venv
PYTHON ?=
PORT ?= 8000
BIN = $(VENV)/bin
RUN = $(BIN)/python
INPUTS = pyproject.toml constraints.txt README.md LICENSE hatch_build.py $(wildcard async_oauth1/native/*.[ch])

# Tests start hundreds of interpreters; without bytecode each of them would compile the packages again.
export PYTHONDONTWRITEBYTECODE =

.PHONY: help demo lti-demo serve test coverage stress bench docs reference lint release-check clean
.DELETE_ON_ERROR:

help:
	@echo "make demo    show the flow in eight steps, from the first request to a photo; ARGS=--wire shows every octet"
	@echo "make lti-demo  run a learning tool and a course that launches it, until Ctrl-C"
	@echo "make serve   run the example provider until Ctrl-C; PORT=8080 selects the port"
	@echo "make test    run the tests, two at once on each core; make coverage also measures what they reach"
	@echo "make stress  run all generated attacks, the long races and faults, and measure the stores; half an hour"
	@echo "make bench   measure the speed and write docs/benchmarks; 40 minutes, needs wrk"
	@echo "make docs    build the site with the pages and the API, in build/docs"
	@echo "make reference  write the pages of the site that are made from the code, and record what commands print"
	@echo "make lint    run ruff, mypy, pyright, and the checks of structure and prose"
	@echo "make release-check  build the packages, install them with each extra, and run the demo with them"
	@echo "make clean   remove all generated files"

demo: $(VENV)/.installed-examples
	@$(RUN) -m examples.demo $(ARGS)

lti-demo: $(VENV)/.installed-examples
	@exec $(RUN) -m examples.lti_tool --debug

serve: $(VENV)/.installed-examples
	@exec $(RUN) -m examples.photos --guide --port $(PORT)

test: $(VENV)/.installed-test
	$(RUN) -bb -m pytest --numprocesses auto --maxprocesses 8 --dist worksteal $(ARGS)

coverage:
	@$(MAKE) test ARGS="--cov --cov-report=term $(ARGS)"

stress: $(VENV)/.installed-test
	STRESS=1 $(RUN) -bb -m pytest -m "stress or hypothesis" $(ARGS)
	$(RUN) -m tests.native.sanitized 300
	$(RUN) -m benchmarks.faults --rounds 10
	$(RUN) -m benchmarks.stores

bench: $(VENV)/.installed-bench
	$(RUN) -m benchmarks $(ARGS)

docs: $(VENV)/.installed-docs
	$(RUN) -m sphinx --quiet --fail-on-warning --keep-going docs build/docs

reference: $(VENV)/.installed-docs
	$(RUN) -m tools.reference
	$(RUN) -m tools.recordings

lint: $(VENV)/.installed-lint
	$(RUN) -m ruff format --check
	$(RUN) -m ruff check
	$(RUN) -m mypy
	$(RUN) -m pyright --pythonpath $(RUN)
	$(RUN) -m tools

release-check: $(VENV)/.installed-release
	$(RUN) -m tools.release

clean:
	rm -rf $(VENV) .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache build dist
	rm -f async_oauth1/native/*.so
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The extras are in pyproject.toml. Each stamp file stands for an installed extra.
$(VENV)/.installed-%: $(VENV)/.python $(INPUTS)
	@echo "installing into $(VENV): $*; the first time takes a minute or two"
	@rm -f $@
	@{ $(RUN) -m pip install --disable-pip-version-check --no-input --constraint constraints.txt --editable '.[$*]' \
	    && touch $@; } 2>&1 | while read -r line; do \
	    case "$$failed$$line" in \
	        Collecting*) name=$${line#Collecting }; echo "  $${name%% *}" ;; \
	        "Installing collected"*) echo "  now installing these packages" ;; \
	        ERROR*|error*|!*) failed=!; echo "$$line" >&2 ;; \
	    esac; \
	done
	@test -e $@

$(VENV)/.python:
	@python=; \
	for candidate in $(or $(PYTHON),python3 python3.13 python3.12 python3.11); do \
	    if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$$candidate; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
	    echo "Python 3.11 or newer was not found as $(or $(PYTHON),python3 or python3.11 to python3.13); try make PYTHON=/path/to/python3" >&2; \
	    exit 1; \
	fi; \
	echo "creating $(VENV)"; \
	"$$python" -m venv --clear $(VENV)
	@touch $@
