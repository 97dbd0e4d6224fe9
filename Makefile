# Two commands do all the set-up on a machine with Python >= 3.11 and make, each by itself:
#   make demo    install, then build and clusters on the sample log in data/
#   make test    the same with the development extras, then the tests
# And make dist builds the wheel and the sdist, and tries them in an environment of their own.
# And make docs builds the documentation of docs/ into site/; a warning or a dead link ends it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
FILES := pyproject.toml constraints.txt

.PHONY: demo test check docs dist clean

demo: $(VENV)/installed
	$(BIN)/propgraph demo --folder demo --data data

test: $(VENV)/developed
	$(BIN)/python -m pytest -n auto

check: $(VENV)/developed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/documented
	$(BIN)/zensical build --strict --clean

dist: $(VENV)/distributed
	.ci/distributions

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit("propgraph needs Python 3.11 or newer; try: make PYTHON=python3.11 $(MAKECMDGOALS)" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)

# Of what is installed a part is ever loaded: Python compiles that when it is, and not all of it now, which takes 15 s.
$(VENV)/installed: $(FILES) | $(VENV)/bin/python
	$(PIP) install --no-compile --constraint constraints.txt --editable .
	touch $@

$(VENV)/developed: $(FILES) | $(VENV)/bin/python
	$(PIP) install --constraint constraints.txt --editable '.[dev]'
	touch $@ $(VENV)/installed

$(VENV)/documented: $(FILES) | $(VENV)/bin/python
	$(PIP) install --constraint constraints.txt --editable '.[docs]'
	touch $@ $(VENV)/installed

$(VENV)/distributed: $(FILES) | $(VENV)/developed
	$(PIP) install --constraint constraints.txt --editable '.[dev,dist]'
	touch $@

clean:
	rm -rf $(VENV) demo site
