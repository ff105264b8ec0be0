# Every target does its own set-up: Python 3.11 or later, git and make are all it needs.
# PYTHON=/path/to/python chooses the interpreter of .venv; ARGS="-k name" goes to pytest.

UV ?= uv
COMPILE := pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --custom-compile-command "make lock"
export PYTHON

.PHONY: demo test check lock clean

demo: .venv/demo.stamp  # the main job on this machine, from training to predictions
	@sh tools/setup.sh sandbox
	@.venv/bin/python -m examples.digits.demo

test: .venv/dev.stamp  # all tests; the summary names every skip with its reason
	@.venv/bin/python -m pytest $(ARGS)

check: .venv/dev.stamp  # format, lint, types, import contracts, sizes, dead code, documents
	@.venv/bin/python -m tools.check

.venv/%.stamp: requirements/%.txt pyproject.toml tools/setup.sh tools/hatch_build.py
	@sh tools/setup.sh $*

lock:  # resolves the dependencies anew; needs uv: make lock UV=/path/to/uv
	$(UV) $(COMPILE) -o requirements/demo.txt --extra examples --group build pyproject.toml
	$(UV) $(COMPILE) -o requirements/dev.txt --extra examples --group dev \
		-c requirements/demo.txt pyproject.toml

clean:  # removes everything that git ignores, .venv included
	@git clean -fdXq
