# `make run` and `make test` are all that a newcomer needs; `make help` lists the rest.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
EXTRAS := flink,scoring,features,training,simulator,local,dev
DEPLOY_VENV := .venv-deploy
DEPLOY_BIN := $(DEPLOY_VENV)/bin
JAR := flink_jobs/target/flink-jobs.jar
JAVA_SOURCES := $(shell find flink_jobs/src -type f 2>/dev/null) flink_jobs/pom.xml
ARGS ?=

.PHONY: help
help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

.PHONY: setup
setup: prerequisites ## install everything into this folder
	@$(MAKE) --no-print-directory --jobs=2 $(VENV)/installed $(JAR)

.PHONY: prerequisites
prerequisites:
	@PYTHON="$(PYTHON)" deploy/local/prerequisites.sh

$(VENV)/installed: setup.cfg constraints.txt
	@echo "Installing the Python packages into $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --constraint constraints.txt --editable '.[$(EXTRAS)]'
	@touch $@

# The infrastructure code has an environment of its own: docs/decisions/0010.
$(DEPLOY_VENV)/installed: setup.cfg constraints-deploy.txt
	@echo "Installing the deploy packages into $(DEPLOY_VENV) ..."
	@$(PYTHON) -m venv $(DEPLOY_VENV)
	@$(DEPLOY_BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(DEPLOY_BIN)/uv pip install --quiet --python $(DEPLOY_BIN)/python --constraint constraints-deploy.txt --editable '.[deploy,dev]'
	@touch $@

$(JAR): $(JAVA_SOURCES)
	@echo "Building the Flink jar with Maven ..."
	@mvn --quiet --batch-mode --file flink_jobs/pom.xml package
	@touch $@

.PHONY: run
run: setup ## events on Kinesis to explained recommendations; until Ctrl-C (ARGS=--once ends by itself)
	@exec $(BIN)/python -m deploy.local $(ARGS)

.PHONY: redrive
redrive: $(VENV)/installed ## list the dead letters of `make run`, or put them back (ARGS=--help)
	@$(BIN)/python -m flink_jobs.redrive --properties .run/stream_properties.json $(ARGS)

.PHONY: package-flink
package-flink: setup ## the jobs as one zip for Managed Service for Apache Flink (ARGS=--help)
	@$(BIN)/python -m deploy.package_flink $(ARGS)

.PHONY: deploy-flink
deploy-flink: $(VENV)/installed ## the zip to S3, then the stack that runs it (ARGS="--bucket ... --plan")
	@$(BIN)/python -m deploy.flink_app $(ARGS)

.PHONY: pipeline
pipeline: $(DEPLOY_VENV)/installed ## the retraining pipeline's definition for SageMaker (ARGS=--help)
	@$(DEPLOY_BIN)/python -m deploy.sagemaker.pipeline $(ARGS)

.PHONY: cost
cost: $(VENV)/installed ## the tables of docs/cost.md, from prices, inputs and sizes
	@$(BIN)/python -m deploy.cost --write docs/cost.md

.PHONY: chaos
chaos: $(VENV)/installed ## every fault to Redis and the endpoint under load, and what came of it (ARGS=--help)
	@$(BIN)/python -m benchmarks.chaos $(ARGS)

.PHONY: promotion
promotion: $(VENV)/installed ## good and bad models promoted under load, and what came of it (ARGS=--help)
	@$(BIN)/python -m benchmarks.promotion $(ARGS)

.PHONY: test
test: setup $(DEPLOY_VENV)/installed ## every test, the whole stack included
	$(BIN)/python -m pytest
	$(DEPLOY_BIN)/python -m pytest --confcutdir=tests/deploy --ignore=tests/deploy/local tests/deploy

.PHONY: test-unit
test-unit: $(VENV)/installed ## only the tests that need no server, in seconds
	$(BIN)/python -m pytest -m "not integration and not flink and not e2e"

.PHONY: check
check: $(VENV)/installed ## format, lint, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

.PHONY: check-deploy
check-deploy: $(DEPLOY_VENV)/installed ## types of the infrastructure code, in its own environment
	$(DEPLOY_BIN)/mypy deploy/app.py deploy/stacks/*.py deploy/sagemaker/*.py deploy/sagemaker/pipeline/*.py

.PHONY: synth
synth: $(DEPLOY_VENV)/installed ## the stacks as CloudFormation in cdk.out, reviewed; needs no account
	@$(DEPLOY_BIN)/python -m deploy.app --out cdk.out
	@$(DEPLOY_BIN)/cfn-lint cdk.out/*.template.json

.PHONY: clean
clean: ## remove what was made here: data, models, builds
	rm -rf .run flink_jobs/target dist build cdk.out
