# Everything one does here, as commands. `make` alone lists them.
# Needs Python 3.11 or later with venv and pip; `make demo PYTHON=/path/to/python3` names one.

.DEFAULT_GOAL := help
.PHONY: help demo report transform transform-test test worlds warehouses lint format docs picture settings record lock bench bench-full bench-airbyte bench-transform airflow-demo dagster-test bench-fleet clean

BIN := .venv/bin
DRAWN := $(addprefix tests/test_,config.py interruptions.py mixed_faults.py ranges.py)
CODE := tap_pinterest sandbox loader fleet deploy scripts tests docs
export PYTHON
# Without compiled modules each of the many processes that tests start would compile them again.
unexport PYTHONDONTWRITEBYTECODE

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' Makefile

demo: .venv/ready-for-run ## load a made-up Pinterest into a PostgreSQL of its own, twice (KEEP=1: keep both up; DATABASE=duckdb: a file)
	@$(BIN)/python -m scripts.demo $(if $(DATABASE),--database $(DATABASE)) $(if $(filter-out 0 no false,$(KEEP)),--keep)

report: .venv/ready-for-run ## draw the data in your PostgreSQL as a page (DATABASE=postgresql://..., or .env)
	@$(BIN)/tap-pinterest-report --output output/report.html $(if $(DATABASE),--database '$(DATABASE)')

transform: .venv/ready-for-run .venv-transform/ready ## build, test and show the dbt models on the demo's data, in PostgreSQL and in DuckDB
	@$(BIN)/python -m scripts.transform

transform-test: .venv/ready-for-dev .venv-transform/ready ## hold the dbt models against the sandbox's own numbers
	$(BIN)/python -m pytest -m dbt -n logical --dist loadfile --no-loadscope-reorder tests/transform

test: .venv/ready-for-dev ## lint, types and all tests, at the same time; what lint says comes last
	@said=$$(mktemp); $(MAKE) lint >"$$said" 2>&1 & lint=$$!; \
	$(BIN)/python -m pytest -n logical --dist loadfile --no-loadscope-reorder; tests=$$?; \
	wait $$lint; style=$$?; cat "$$said"; rm "$$said"; exit $$((tests | style))

worlds: .venv/ready-for-dev ## 300 runs of all groups with random faults, and the run after each (N=…, FROM=…: others); ten times as many other random cases as the suite
	RANDOM_WORLDS=$(or $(N),300) RANDOM_WORLDS_FROM=$(or $(FROM),0) $(BIN)/python -m pytest -q tests/test_random_worlds.py
	$(if $(N)$(FROM),,RANDOM_CASES=10 $(BIN)/python -m pytest -q $(DRAWN))

warehouses: .venv/ready-for-dev ## load all streams into each target that installs, and compare every value
	@PYTHONPATH=.:tests $(BIN)/python -m warehouses $(TARGETS)

lint: .venv/ready-for-dev ## style, floors and types
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/lint-imports
	MYPYPATH=tests $(BIN)/mypy tap_pinterest sandbox/pinterest_sandbox loader/target_postgres_fast fleet/pinterest_fleet scripts tests
	MYPYPATH=sandbox/tests $(BIN)/mypy sandbox/tests

format: .venv/ready-for-dev ## put the code into shape
	$(BIN)/ruff check --fix $(CODE)
	$(BIN)/ruff format $(CODE)

docs: .venv/ready-for-dev ## build the documentation as a site; a broken link fails it
	@$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going docs output/docs
	@echo "output/docs/index.html"

picture: .venv/ready-for-dev ## take the picture of the page that the documents show; needs Chromium
	@PYTHONPATH=tests $(BIN)/python -m scripts.update_picture

settings: .venv/ready-for-run ## write the tap's settings and streams into meltano.yml and the documents
	@$(BIN)/python -m scripts.update_meltano_yml
	@$(BIN)/python -m scripts.update_hub
	@$(BIN)/python -m scripts.update_docs
	@$(BIN)/python -m scripts.update_dictionary
	@$(BIN)/python -m scripts.update_transform

record: .venv/ready-for-dev ## record the answers that tests play, from Pinterest with credentials in the environment
	@$(BIN)/python -m scripts.record_cassettes

lock: .venv/ready-for-run ## lock newer versions of what development installs
	@{ echo "# What development and the demo install, on every Python and platform. Written by: make lock"; \
	printf -- '-e .\n-e ./sandbox\n-e ./loader\n-e ./fleet\n' | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --upgrade \
	  - pyproject.toml --group dev --no-header --no-annotate \
	  --no-emit-package tap-pinterest --no-emit-package pinterest-sandbox --no-emit-package target-postgres-fast --no-emit-package pinterest-fleet; } > requirements/dev.new
	@mv requirements/dev.new requirements/dev.txt

bench: .venv/ready-for-dev ## rows a second: the tap's own, its whole runs, and into PostgreSQL by loader
	@$(BIN)/python -m scripts.bench

bench-full: .venv/ready-for-dev ## the same, with an agency's 20 ad accounts, and memory over ten million rows
	@$(BIN)/python -m scripts.bench --full

bench-airbyte: .venv/ready-for-dev .venv-airbyte/ready ## the tap beside Airbyte's source, which is installed from PyPI
	@$(BIN)/python -m scripts.bench_airbyte

bench-transform: .venv/ready-for-dev .venv-transform/ready ## how long the dbt models take for a year of an agency
	@$(BIN)/python -m scripts.bench_transform

bench-fleet: .venv/ready-for-dev ## how many connections a machine loads in an hour
	@$(BIN)/python -m scripts.bench_fleet

airflow-demo: .venv/ready-for-dev .venv-airflow/ready ## 40 connections on Airflow 3: one fails alone; then ten loads are killed (CONNECTIONS=…, KILLED=…)
	@$(BIN)/python -m scripts.airflow_demo $(if $(CONNECTIONS),--connections $(CONNECTIONS)) $(if $(KILLED),--killed $(KILLED))

dagster-test: .venv/ready-for-dev .venv-dagster/ready ## run the job for Dagster
	$(BIN)/python -m pytest tests/test_deploy.py -k dagster

clean: ## remove what the commands above made
	rm -rf .venv .venv-airbyte .venv-transform .venv-airflow .venv-dagster .venv-warehouses .fleet transform/target transform/logs .meltano .mypy_cache .pytest_cache .ruff_cache .hypothesis dist output/demo.html output/report.html output/docs
	find $(CODE) -name __pycache__ -prune -exec rm -rf {} +

# One environment; `dev` is `run` and more.
.venv/ready-for-%: pyproject.toml sandbox/pyproject.toml loader/pyproject.toml fleet/pyproject.toml requirements/dev.txt scripts/bootstrap.sh
	@sh scripts/bootstrap.sh $*

# dbt in an environment of its own: the tap's has no trace of it.
.venv-transform/ready: requirements/transform.txt | .venv/ready-for-run
	@echo "Installing dbt into .venv-transform ..."
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv-transform
	@$(BIN)/uv pip install --quiet --python .venv-transform/bin/python --requirement requirements/transform.txt
	@touch $@

# Airbyte's source is for Python 3.10 and 3.11: make bench-airbyte AIRBYTE_PYTHON=/path/to/python3.11
AIRBYTE_PYTHON ?= python3.11
.venv-airbyte/ready:
	$(AIRBYTE_PYTHON) -m venv --clear .venv-airbyte
	.venv-airbyte/bin/python -m pip install --quiet --quiet --disable-pip-version-check airbyte-source-pinterest
	@touch $@

# Airflow is for Python 3.10 to 3.13: make airflow-demo AIRFLOW_PYTHON=/path/to/python3.12
AIRFLOW_PYTHON ?= $(BIN)/python
.venv-airflow/ready: deploy/airflow/requirements.txt
	$(AIRFLOW_PYTHON) -m venv --clear .venv-airflow
	.venv-airflow/bin/python -m pip install --quiet --quiet --disable-pip-version-check --requirement $<
	@touch $@

.venv-dagster/ready: deploy/dagster/requirements.txt | .venv/ready-for-run
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv-dagster
	@$(BIN)/uv pip install --quiet --python .venv-dagster/bin/python --requirement $<
	@touch $@
