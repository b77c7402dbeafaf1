python := .venv/bin/python
prepare := bash -c 'source scripts/_bootstrap dev'

.DEFAULT_GOAL := help
.PHONY: help up down wipe status test lint format lock openapi bench build doctor postman deploy

help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo "each is a script too; there are more in scripts/, all with --help"

up: ## start the whole system in the background and take the example order
	@scripts/up

down: ## stop it; its data stay
	@scripts/down

wipe: ## stop it and forget its data
	@scripts/down --wipe

status: ## say what runs, where, and whether it can do its work
	@scripts/status

test: ## format, lint, types and all tests; with ARGS="-k cancel" some
	@scripts/test $(ARGS)

lint: ## format, lint and types, without the tests
	@$(prepare)
	@$(python) -m ruff format --check .
	@$(python) -m ruff check .
	@$(python) -m mypy

format: ## put the code into its form
	@$(prepare)
	@$(python) -m ruff format .
	@$(python) -m ruff check --fix .

lock: ## pin the packages of requirements/*.in
	@scripts/lock

openapi: ## write the OpenAPI documents anew, from the handlers and the schema files
	@scripts/openapi

bench: ## what each call costs, beside the machine's floor, in two minutes
	@scripts/bench --quick

build: ## the container images
	@scripts/build

doctor: ## check the live database, read-only
	@scripts/doctor

postman: ## an environment for Postman with fresh tokens
	@scripts/postman

deploy: ## the Lambda to AWS; with ARGS="--dry-run" what would be done
	@scripts/deploy $(ARGS)
