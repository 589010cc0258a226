# The two that matter: `make lab` opens the course, `make test` tests all of it. Bare `make` prints this help.

ARGS ?=

ifeq ($(OS),Windows_NT)
PYTHON ?= python
BIN := .venv/Scripts
DATA_BIN := .venv-data/Scripts
CONFORMANCE_BIN := .venv-conformance/Scripts
HUB_BIN := .venv-hub/Scripts
PRODUCTION_BIN := .venv-production/Scripts
GRADING_BIN := .venv-grading/Scripts
else
# The first Python on this machine that TensorFlow is built for; name another with `make lab PYTHON=...`.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1 && echo $$p && exit; \
	done; echo python3)
BIN := .venv/bin
DATA_BIN := .venv-data/bin
CONFORMANCE_BIN := .venv-conformance/bin
HUB_BIN := .venv-hub/bin
PRODUCTION_BIN := .venv-production/bin
GRADING_BIN := .venv-grading/bin
endif

# The value of a variable that a target cannot do without.
needed = $(or $($(1)),$(error Name a folder beside the course: make $@ $(1)=../class))

.DEFAULT_GOAL := help
.PHONY: help lab certificate projector wheels test notebooks check hooks fix contract conformance production classroom
.PHONY: site site-check handouts assignments grade grading-class data runs arena picture address release lock
.PHONY: learner-env test-env data-env production-env conformance-env grading-env hub-env

help:  ## print this help
	@echo "Usage: make TARGET [ARGS='...'] [PYTHON=python3.12]"
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:[^#]*## /|/' | awk -F'|' '{ printf "  %-15s %s\n", $$1, $$2 }'

learner-env:
	@$(PYTHON) tools/setup_env.py learner $(if $(WHEELS),--wheels "$(WHEELS)")

test-env:
	@$(PYTHON) tools/setup_env.py test

conformance-env:
	@$(PYTHON) tools/setup_env.py conformance

data-env:
	@$(PYTHON) tools/setup_env.py data

grading-env:
	@$(PYTHON) tools/setup_env.py grading

lab: learner-env  ## open the course in JupyterLab; ARGS="--no-browser" passes options on, WHEELS=DIR needs no network
	$(BIN)/jupyter lab --ServerApp.root_dir=. notebooks/00_start_here.ipynb $(ARGS)

certificate: learner-env  ## write a page of what you did in the course, to print; ARGS='--name "Ada Lovelace"'
	@$(BIN)/python -m helpers.certificate $(ARGS)

projector: learner-env  ## write a page for each prediction, for the projector, and a sheet to vote with; LESSONS="02 03" OUT=DIR
	@$(BIN)/python tools/projector.py $(LESSONS) $(if $(OUT),--out "$(OUT)")

wheels: learner-env  ## fill DIR=/media/usb with all that installs the course without a network; ARGS="--for windows:3.12 --try"
	@$(BIN)/python tools/wheels.py "$(or $(DIR),$(error name the folder: make wheels DIR=/media/usb))" $(ARGS)

site: test-env  ## build the course as a site that needs no server, into build/site (some minutes, then seconds)
	@$(BIN)/python -m course_site $(ARGS)

site-check: site  ## open every page of the site in a browser with no network, answer, drag, search
	@$(BIN)/python -m tests.pages build/site

handouts: test-env  ## the same with solutions and teaching notes, each lesson also as one file, into handouts/
	@$(BIN)/python -m course_site --solutions $(ARGS)

test: test-env  ## run everything: unit tests, all notebooks of both editions, browser tests
	$(BIN)/python -m pytest $(ARGS)

notebooks: test-env  ## write both editions from notebooks/source
	$(BIN)/python notebooks/build.py
	$(BIN)/python tools/course_table.py
	$(BIN)/python tools/run_sheets.py

check: test-env  ## style, and whether generated files and versions are in step (changes nothing)
	@$(BIN)/python tools/check.py $(ARGS)

hooks: test-env  ## have git run these checks before each commit
	$(BIN)/python -m pre_commit install

fix: test-env  ## let ruff mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

contract: test-env  ## run every claim about Keras on the oldest and the newest supported Keras
	$(BIN)/python tools/contract.py $(ARGS)

conformance: conformance-env  ## try what each way to save survives (some minutes) and write docs/conformance.md
	$(CONFORMANCE_BIN)/python -m tests.conformance --jobs 2 --write $(ARGS)

production: production-env  ## run lesson 09 and its tests in full, with the packages of its optional parts
	$(PRODUCTION_BIN)/python -m pytest -o addopts="--nbval-lax --nbval-current-env --nbval-cell-timeout=180 -ra" \
		tests/test_production.py tests/test_storage.py notebooks/09b_ship_and_scale.ipynb \
		notebooks/solutions/09b_ship_and_scale.ipynb $(ARGS)

assignments: grading-env  ## write an nbgrader folder for a class: DIR=../class [LESSONS="02 03"]
	@$(GRADING_BIN)/python -m tools.grading assignments "$(call needed,DIR)" --lessons "$(LESSONS)"

grade: grading-env  ## grade what lies in DIR/submitted: DIR=../class [LESSONS="02"] [ARGS="--jobs 2"]
	@$(GRADING_BIN)/python -m tools.grading grade "$(call needed,DIR)" --lessons "$(LESSONS)" $(ARGS)

grading-class: grading-env  ## grade a class of 40 made-up submissions and compare its points (some minutes)
	$(GRADING_BIN)/python -m pytest -o addopts="-ra" tests/test_grading.py
	$(GRADING_BIN)/python -m tests.grading $(ARGS)

classroom: hub-env  ## a class of 20 on a real JupyterHub: failures, time, memory; ARGS="--learners 5 --lesson 03"
	$(HUB_BIN)/python benchmarks/classroom.py $(ARGS)

data: data-env  ## write the data sets in data/ again, from the copies in scikit-learn
	$(DATA_BIN)/python tools/make_data.py

runs: test-env  ## record the training runs in data/runs again (some minutes)
	$(BIN)/python tools/record_runs.py

arena: test-env  ## record the references of lesson 10 again, from which its score takes its scales (some ten minutes)
	$(BIN)/python -m helpers.arena.record $(ARGS)

picture: test-env  ## draw the picture in README.md again, from a real training run
	$(BIN)/python tools/readme_picture.py

address: test-env  ## say where this course or your fork is fetched from: REPO=owner/name [ARGS="--hub https://..."]
	$(BIN)/python tools/address.py $(REPO) $(ARGS)

release: test-env  ## make a release ready and stop before anything is published: VERSION=1.2.0 [ARGS=--tag]
	$(BIN)/python tools/release.py $(VERSION) $(ARGS)

lock: test-env  ## compile the locks and environment.yml from pyproject.toml; ARGS=--upgrade for newer versions
	$(BIN)/python tools/lock.py $(ARGS)

hub-env:  ## install a JupyterHub for a class, with its proxy (needs Node), into .venv-hub and hub/node_modules
	@$(PYTHON) tools/setup_env.py hub
	npm install --prefix hub --no-package-lock --no-audit --no-fund --loglevel=error

production-env:  ## install all that the optional parts of lesson 09 use, into .venv-production
	@$(PYTHON) tools/setup_env.py production
