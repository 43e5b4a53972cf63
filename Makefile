# Everything runs in .venv, made from the pins in constraints.txt. With a GPU, choose your own
# torch first: make setup CONSTRAINTS=my-constraints.txt
PYTHON ?= $(shell command -v python3.11 || command -v python3)
CONSTRAINTS ?= constraints.txt
BIN := .venv/bin

.PHONY: setup demo studio test lint bench nano

setup: .venv/.done

.venv/.done: pyproject.toml $(CONSTRAINTS)
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet -c $(CONSTRAINTS) torch
	$(BIN)/python -m pip install --quiet -c $(CONSTRAINTS) -e '.[train,dev]'
	touch $@

demo: setup
	$(BIN)/studio demo

studio: setup
	$(BIN)/studio

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: lint
	$(BIN)/python -m pytest -n 3 --dist loadfile

bench: setup
	$(BIN)/python -m benchmarks

nano: setup
	$(BIN)/studio nano --rebuild
