# `make` lists what there is. Everything is installed into .venv (default stack) and .venv-onedl (second stack), once.
#
#   PYTHON=python3.12           another Python (3.10 to 3.13)
#   TORCH_INDEX=URL             where to look for torch besides pip's own sources. Default: PyTorch's index of CPU builds,
#                               which are ten times smaller than the CUDA builds of PyPI. If it can't be reached, pip warns
#                               and takes what its own configuration offers. TORCH_INDEX= asks only that: CUDA on Linux.
#   PYTEST_ARGS="-n 0 -k loop"  arguments of pytest

PYTHON ?= python3
TORCH ?= torch==2.13.0
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
PYTEST_ARGS ?= -n 2 --dist loadfile

VENV := .venv
VENV_ONEDL := .venv-onedl
REQUIREMENTS := setup.py pyproject.toml $(wildcard requirements/*.txt)

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help venv venv-onedl quickstart study study-gpu benchmark benchmark-gpu test test-onedl fuzz lint wheel docs clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# $(call install,FOLDER,CONSTRAINTS,STACK)
# torch comes first and alone, so that only its own file is looked for in TORCH_INDEX.
define install
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' || \
		{ echo "Python 3.10 to 3.13 is needed, but PYTHON=$(PYTHON) is `$(PYTHON) --version 2>&1`." \
		  "Name another: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(1)
	$(1)/bin/python -m pip install --quiet --no-deps --retries 1 --timeout 30 \
		$(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) $(TORCH)
	$(1)/bin/python -m pip install --quiet --constraint $(2) --editable '.[$(3),clip,demo,docs,tests]'
	@touch $@
endef

$(VENV)/ready: $(REQUIREMENTS)
	$(call install,$(VENV),requirements/constraints.txt,default)

$(VENV_ONEDL)/ready: $(REQUIREMENTS)
	$(call install,$(VENV_ONEDL),requirements/constraints-onedl.txt,onedl)

venv: $(VENV)/ready  ## install the default stack and this package into .venv

venv-onedl: $(VENV_ONEDL)/ready  ## install the second stack (onedl forks) into .venv-onedl

quickstart: $(VENV)/ready  ## make the toy set, train on it, evaluate, draw pictures, write pages
	$(VENV)/bin/python tools/quickstart.py

study: $(VENV)/ready  ## train what the study of mining still lacks (hours, in pieces; a GPU is used); writes docs/study.md
	$(VENV)/bin/python benchmarks/study

study-gpu: $(VENV)/ready  ## the same on one GPU, with larger images, in under ten minutes
	$(VENV)/bin/python benchmarks/study --scale gpu --minutes 7

benchmark: $(VENV)/ready  ## cost of mining on one CPU core (half an hour); writes docs/benchmarks.md
	OMP_NUM_THREADS=1 $(VENV)/bin/python benchmarks/train_step.py --page docs/benchmarks.md

benchmark-gpu: $(VENV)/ready  ## all that only a GPU can show (ten minutes); writes docs/benchmarks.md
	$(VENV)/bin/python benchmarks/gpu.py

# Tests run in two processes of one thread each; with more, idle OpenMP threads would spin.
RUN_TESTS := OMP_NUM_THREADS=$${OMP_NUM_THREADS:-1}

test: $(VENV)/ready  ## run the tests
	$(RUN_TESTS) $(VENV)/bin/python -m pytest $(PYTEST_ARGS)

test-onedl: $(VENV_ONEDL)/ready  ## run the tests with the second stack
	$(RUN_TESTS) $(VENV_ONEDL)/bin/python -m pytest $(PYTEST_ARGS)

fuzz: $(VENV)/ready  ## throw 10,500 hostile inputs at every reader (ten minutes at most); not part of make test
	OMP_NUM_THREADS=1 $(VENV)/bin/python benchmarks/fuzz

lint: $(VENV)/ready  ## check the style with ruff
	$(VENV)/bin/ruff check .

docs: $(VENV)/ready  ## build the documentation site into build/docs
	$(VENV)/bin/sphinx-build -W --keep-going -q -b html docs build/docs
	@echo "Open build/docs/index.html"

wheel: $(VENV)/ready  ## build a wheel into dist/
	$(VENV)/bin/python -m pip wheel --quiet --no-deps --wheel-dir dist .
	rm -rf build

clean:  ## remove environments and what was built; data/ and work_dirs/ stay
	rm -rf $(VENV) $(VENV_ONEDL) build dist *.egg-info .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
