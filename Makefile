# make demo · make test · make lint: each installs what it needs into .venv, once.
# make bench: every figure of docs/performance.md, in a quarter of an hour.
# make kill-test · make fuzz · make load: the long versions, minutes to half an hour (ARGS="--kills 1000", ...).
# A stamp in .venv remembers the requirements it was made from, so a second call installs nothing.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	command -v $$p >/dev/null && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
PEER := $(VENV)/peer
RUN := $(VENV)/.run-stamp
DEV := $(VENV)/.dev-stamp
INSTALL = if command -v uv >/dev/null; then uv pip install --quiet --python $(BIN)/python -r $(1); \
	else $(BIN)/python -m pip install --quiet --disable-pip-version-check -r $(1); fi

.PHONY: demo test test-scale lint examples catalog kill-test fuzz load bench messages
demo: $(RUN)
	$(BIN)/python app.py $(ARGS)

# Files in the order of their names: those of the browser first, which take the longest.
test: $(DEV)
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

test-scale: $(DEV)
	$(call INSTALL,requirements-milvus.txt)
	$(call INSTALL,requirements-ray.txt)
	$(BIN)/python -m pytest tests/test_milvus.py tests/test_ray.py $(ARGS)

lint: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check mmdemo app.py
	$(BIN)/mypy mmdemo app.py
	$(BIN)/python -m stress.audit

kill-test: $(DEV)
	$(BIN)/python -m stress.kill $(ARGS)

fuzz: $(DEV)
	$(BIN)/python -m pytest tests/test_fuzz.py --hypothesis-profile=long $(ARGS)

load: $(DEV)
	$(BIN)/python -m benchmarks.load $(ARGS)

# Its rival embeds in an environment of its own; where that cannot be had, its loop is written again and says so.
bench: $(DEV)
	@test -x $(PEER)/bin/python && $(PEER)/bin/python -c "import clip_retrieval" 2>/dev/null || \
		{ $(BIN)/python -m venv $(PEER) && $(PEER)/bin/python -m pip install --quiet --disable-pip-version-check \
		clip-retrieval "setuptools<70"; } || true
	$(BIN)/python -m benchmarks.speed $$($(PEER)/bin/python -c "import clip_retrieval" 2>/dev/null && \
		echo --peer $(PEER)/bin/python) $(ARGS)
	$(BIN)/python -m benchmarks.index_size --sizes 10000 100000
	$(BIN)/python -m mmdemo.evaluate.simulated_shoppers

# Collect what the page says, bring the translations in step, and compile them; then translate what is empty in the PO.
LOCALE := assets/locale
KEYWORDS := -k N_ -k Message -k InputError -k Taken -k Busy -k UnclearColumns -k joined -k plural:2,3 -k translate -k marked -k _n:2,3
messages: $(RUN)
	$(BIN)/pybabel -q extract -F babel.cfg $(KEYWORDS) --sort-output --add-location=file -o $(LOCALE)/mmdemo.pot mmdemo assets/ui
	$(BIN)/pybabel -q update -D mmdemo -d $(LOCALE) -i $(LOCALE)/mmdemo.pot --no-fuzzy-matching --ignore-obsolete \
		--ignore-pot-creation-date
	$(BIN)/pybabel -q compile -D mmdemo -d $(LOCALE)
	rm $(LOCALE)/mmdemo.pot

examples: $(RUN)
	for name in posts phantoms; do \
		$(BIN)/python -m examples.$$name.make && \
		$(BIN)/python -m mmdemo build examples/$$name --out index/$$name || exit 1; done

catalog: $(DEV)
	$(BIN)/python -m pip install --quiet -r requirements-studio.txt
	$(BIN)/python -m studio render $(ARGS)

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "mmdemo needs Python 3.11 or newer; none was found on PATH"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(RUN): requirements.txt | $(BIN)/python
	@echo "Installing what the demo needs (once, about a minute) ..."
	@$(call INSTALL,requirements.txt)
	@touch $@

$(DEV): requirements-dev.txt $(RUN)
	@echo "Installing what the tests need (once) ..."
	@$(call INSTALL,requirements-dev.txt)
	@touch $@
