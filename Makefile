# Two commands for readers (dashboard, lab), the rest for those who change the course.
# Everything runs inside .venv, made once from requirements.lock.

PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3 python; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && echo $$p && break; done)
RUN := .venv/bin/python
# PORT may also come from the environment; HOST may not, since some shells set it to the machine's own name.
ADDRESS := $(if $(PORT),--port $(PORT)) $(if $(findstring command,$(origin HOST)),--host $(HOST))

# Two notebooks or test files at a time, each computing in one thread: with more they wait for each other.
TWO := -n 2 --dist loadfile
ONE_THREAD := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1

.PHONY: dashboard lab test lessons notebooks test-colab zoo study bench rehearse-binder book lock

dashboard: .venv/.ready
	@$(if $(TOKEN),LUMBAR_TOKEN='$(TOKEN)' )$(RUN) -m lumbar_utils dashboard $(ADDRESS)

lab: .venv/.ready
	@$(RUN) -m lumbar_utils lab $(if $(PORT),--port $(PORT))

test: .venv/.ready
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	.venv/bin/lint-imports
	$(RUN) lessons/make_notebooks.py --check
	$(RUN) lessons/make_notebooks.py --driven build/driven
	$(ONE_THREAD) LUMBAR_FAST=1 $(RUN) -m pytest $(TWO) --nbval-lax --nbval-current-env --nbval-cell-timeout 300 \
		--ignore=notebooks/solutions notebooks build/driven
	$(ONE_THREAD) $(RUN) -m pytest $(TWO) tests

notebooks: .venv/.ready
	$(RUN) lessons/make_notebooks.py

lessons: .venv/.ready
	$(RUN) -m benchmarks.lessons

test-colab: .venv/.ready
	$(RUN) tests/colab/run.py

zoo: .venv/.ready
	$(RUN) -m lumbar_utils zoo --train localiser
	$(RUN) -m lumbar_utils zoo --train all $(if $(PRECISION),--precision $(PRECISION)) $(if $(JOBS),--jobs $(JOBS))

study: .venv/.ready
	$(RUN) -m lumbar_utils study $(if $(JOBS),--jobs $(JOBS)) $(if $(HOURS),--hours $(HOURS))

bench: .venv/.ready
	$(RUN) -m benchmarks $(if $(ONLY),--only $(ONLY))

rehearse-binder: .venv/.ready
	$(RUN) tests/binder/run.py $(if $(LESSONS),--lessons $(LESSONS))

book: .venv/.ready
	@$(RUN) -m pip install --quiet --disable-pip-version-check -c requirements.lock -e '.[book]'
	$(RUN) book/make_book.py $(LESSONS)

lock:
	uv pip compile --universal --python-version 3.11 --extra dev --extra data --no-emit-index-url --no-header --no-annotate \
		-o requirements.lock pyproject.toml

.venv/.ready: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "No Python 3.11, 3.12 or 3.13 was found; install one, or name it: make PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Installing into .venv (about 3 GB, a few minutes; once)"
	@$(PYTHON) -m venv .venv
	@$(RUN) -m pip install --quiet --disable-pip-version-check -r requirements.lock
	@$(RUN) -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@
