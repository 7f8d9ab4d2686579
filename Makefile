# Review Insights. `make` alone prints this help. Every target sets up what it needs in .venv.
PYTHON    ?= python3
REVIEWS   ?=
PROFILE   ?= embedded
WAREHOUSE ?=           # empty: insights.duckdb and exports, or, of the sample, sample.duckdb and exports/sample
OUT       ?=
UNTIL     ?=
ARGS      ?=
Q         ?=
DATA      ?=
export Q REVIEWS   # through the environment, so that blanks and quotes in them are no matter of the shell

BIN     := .venv/bin
INSIGHTS = $(BIN)/review-insights
STORE    = $(if $(WAREHOUSE),--warehouse '$(WAREHOUSE)')
PLACES   = $(STORE) $(if $(OUT),--out '$(OUT)')
# Reviews at an address, such as s3://..., need the packages of the extra `remote`.
REMOTE  := $(if $(findstring ://,$(REVIEWS))$(shell grep -s :// sources.toml),.venv/installed-remote)

.DEFAULT_GOAL := help
.PHONY: help stages test test-slow sql report nightly serve check finetune compare compare-prompts push bench reader problems embedded-models doctor chaos audit lock lint setup

help:  ## this help
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-9s %s\n", $$1, $$2}'
	@echo 'Variables: REVIEWS (file, glob, folder, address, hf:NAME), PROFILE, WAREHOUSE, OUT, UNTIL, ARGS'

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	@touch $@

.venv/installed-service: .venv/installed
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[service]'
	@touch $@

.venv/installed-remote: .venv/installed
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[remote]'
	@touch $@

.venv/installed-dev: .venv/installed
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

.venv/installed-classifiers: .venv/installed
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[classifiers]'
	@touch $@

setup: .venv/installed-dev  ## install everything, tests' and linters' packages too

stages: .venv/installed $(REMOTE)  ## the main job: every stage on REVIEWS (default: the bundled sample), then the report
	$(INSIGHTS) run $(if $(REVIEWS),--reviews "$$REVIEWS") --profile '$(PROFILE)' $(PLACES) $(if $(UNTIL),--until '$(UNTIL)') $(ARGS)

sql: .venv/installed  ## a query over the insights, read-only: make sql Q="SELECT ..." or Q=@top_pain_points
	@$(INSIGHTS) sql $(STORE) $(ARGS) "$$Q"

report: .venv/installed  ## the nightly export, into OUT
	@$(INSIGHTS) report $(PLACES) $(ARGS)

nightly: .venv/installed $(REMOTE)  ## stages, report and check with one exit code, for cron
	$(INSIGHTS) nightly $(if $(REVIEWS),--reviews "$$REVIEWS") --profile '$(PROFILE)' $(PLACES) $(ARGS)

serve: .venv/installed-service  ## the API and the page: REVIEW_INSIGHTS_API_KEY=... make serve, or make serve ARGS=--no-auth
	@$(INSIGHTS) serve $(STORE) --profile '$(PROFILE)' $(ARGS)

check: .venv/installed  ## metric regression check against the recorded baseline; fails on a regression
	@$(INSIGHTS) check $(STORE) --profile '$(PROFILE)' $(ARGS)

bench: .venv/installed  ## speed against the plain way, side by side in one run
	@$(INSIGHTS) bench $(ARGS)

finetune: .venv/installed-classifiers  ## train a classifier and judge it before and after: make finetune ARGS="--model M --data FILE ..."
	@$(INSIGHTS) finetune $(STORE) $(ARGS)

compare: .venv/installed-classifiers  ## sentiment models side by side, over labelled rows and probe phrases
	@$(INSIGHTS) compare $(STORE) $(ARGS)

compare-prompts: .venv/installed  ## prompts and teachers side by side: make compare-prompts ARGS="--profile server --prompts feedback.v1 feedback.v2"
	@$(INSIGHTS) compare-prompts $(STORE) $(ARGS)

push: .venv/installed-classifiers  ## publish a tuned model on a hub, token in HF_TOKEN: make push ARGS="--model FOLDER --repo OWNER/NAME"
	@$(INSIGHTS) push $(ARGS)

reader: .venv/installed-dev  ## train the reader anew, hours on two cores: make reader DATA=folder; stopped, it goes on
	@$(INSIGHTS) train reader --data '$(DATA)' --out pipeline/models/reader $(ARGS)

problems: .venv/installed  ## read the library of problems anew, after its sentences changed: a minute
	@$(INSIGHTS) train problems --out pipeline/models/reader

embedded-models: .venv/installed-dev  ## train the shipped models anew (hours): make embedded-models DATA=folder
	for model in reader bleurt student; do \
	  $(INSIGHTS) train $$model --data '$(DATA)' --out pipeline/models/$$model || exit 1; done

doctor: .venv/installed  ## versions, device, and what each profile needs
	@$(INSIGHTS) doctor $(ARGS)

test: .venv/installed-dev  ## the test suite
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --maxprocesses 4 --max-worker-restart 0 --dist loadfile $(ARGS)

test-slow: .venv/installed-dev  ## tests that start whole trainings, copies of the project, or attacks
	@$(MAKE) --no-print-directory test ARGS="-m slow $(ARGS)"

chaos: .venv/installed-dev  ## tries to lose something: kills, races, full disks, damage, hostile input; a table of what was lost
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.chaos $(ARGS)

# In an environment of its own, so that the tools are no part of what they describe. They need the network.
audit: .venv/installed-dev  ## known vulnerabilities, licences, and the bill of materials (sbom.json)
	$(PYTHON) -m venv .venv/audit
	.venv/audit/bin/pip install --quiet --disable-pip-version-check 'cyclonedx-bom>=7.5' 'pip-audit>=2.10'
	$(BIN)/python -m tests.licences
	.venv/audit/bin/cyclonedx-py environment --output-reproducible --output-file sbom.json $(BIN)/python
	.venv/audit/bin/pip-audit --requirement requirements.lock --require-hashes --disable-pip

lock:  ## the hashes of the versions in constraints.txt anew, in requirements.lock
	$(PYTHON) -m venv .venv/audit
	.venv/audit/bin/pip install --quiet --disable-pip-version-check uv
	.venv/audit/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --extra dev --constraint constraints.txt \
	  --no-header --no-annotate --no-emit-index-url --output-file requirements.lock pyproject.toml

lint: .venv/installed-dev  ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
