# Everything runs from .venv, which is made from constraints.txt: pinned versions, checked by hash.
# Another interpreter: make PYTHON=python3.12. More test processes: make test JOBS=8.

PYTHON ?= python3
JOBS ?= 2
EXTRAS := chem ibm braket ionq learn mpi notebooks parquet crate docs dev

NATIVE := $(wildcard backends/statevector/native/*.cpp backends/statevector/native/*.hpp backends/statevector/native/CMakeLists.txt)

VENV := $(CURDIR)/.venv
BIN := .venv/bin
export VIRTUAL_ENV := $(VENV)
export PATH := $(VENV)/bin:$(PATH)
unexport PYTHONPATH PYTHONHOME
# Tests start Python some hundred times: what it compiles is kept beside the sources, even where it is told not to.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help venv demo test slow check man paths coverage docs bench lock clean qiskit-primitives pennylane-devices

help: ## what can be made
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 26

venv: .venv/ready ## the environment in .venv: pinned dependencies and this checkout

# Two stamps, each touched last: an interrupted installation is simply made again.
.venv/pinned: constraints.txt
	@$(PYTHON) -c 'import sys; v = "%d.%d" % sys.version_info[:2]; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, $(PYTHON) is " + v + "; try make PYTHON=python3.11")'
	rm -rf .venv
	$(PYTHON) -m venv .venv
	sed -n '/^uv==/,/[^\\]$$/p' constraints.txt > .venv/uv.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement .venv/uv.txt
	$(BIN)/uv pip install --quiet --require-hashes --requirement constraints.txt
	@touch $@

# Built with the pinned tools of the environment. Where there is a compiler, its errors are errors.
.venv/ready: export HYBRID_REQUIRE_NATIVE := $(if $(shell command -v $(or $(CXX),c++)),1)
.venv/ready: .venv/pinned pyproject.toml $(NATIVE)
	@rm -f $@
	$(BIN)/uv pip install --quiet --no-deps --no-build-isolation --config-settings build-dir=build/native --editable .
	@$(BIN)/python -c 'from backends.statevector import native; print(native.why_not() or "C++ kernels: " + native.instruction_sets()[0])'
	@$(BIN)/uv pip check --quiet || { echo "pyproject.toml asks for what constraints.txt does not hold: make lock" >&2; exit 1; }
	@touch $@

demo: .venv/ready ## LiH from its geometry to a converged energy, recorded and plotted in demo/
	rm -rf demo
	$(BIN)/hybrid run examples/lih.toml --folder demo

test: .venv/ready ## all fast tests and doctests
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS) --dist worksteal -m "not slow"

slow: .venv/ready ## the tests that take over ten seconds each
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS) --dist worksteal -m slow

# Qiskit's tests are not kept here: TESTS is its source distribution, unpacked, of the version that is installed. They use
# the package ddt, which is found beside the environment: make qiskit-primitives TESTS=qiskit-2.6.2 DDT=folder/with/ddt
DDT ?=
qiskit-primitives: .venv/ready ## Qiskit's own tests of primitives on ours: TESTS=FOLDER
	@test -d "$(TESTS)/test/python/primitives" || { echo "TESTS must be a folder with Qiskit's test/python/primitives in it, such as its unpacked source distribution" >&2; exit 1; }
	cd "$(TESTS)" && OMP_NUM_THREADS=1 PYTHONPATH="$(DDT):$(CURDIR)/tests/hybrid/primitives:." $(VENV)/bin/python -m pytest -q -c /dev/null --rootdir . \
		-p qiskit_suite -p no:cacheprovider -n $(JOBS) test/python/primitives

pennylane-devices: .venv/ready ## PennyLane's own tests of devices on ours, exact and with shots
	@set -e; for device in hybrid.statevector hybrid.auto; do for shots in None 10000; do \
		PATH="$(VENV)/bin:$$PATH" OMP_NUM_THREADS=1 $(BIN)/pl-device-test --device $$device --shots $$shots -q -n 0 -p no:cacheprovider; \
	done; done

check: .venv/ready paths ## style, types, and which module may import which
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

man: .venv/ready ## the manual page, from the commands
	$(BIN)/python -m hybrid.cli.manual > docs/hybrid.1

paths: # nothing that is true of one machine only
	@! git grep -nIE '/(root|home/[a-z]+)/|file[:]///|index[-]url' -- . ':!*.svg' || { echo "paths or addresses of one machine, above" >&2; exit 1; }

coverage: .venv/ready ## which lines the fast tests reach, in htmlcov/
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS) --dist worksteal -m "not slow" --cov --cov-report=term:skip-covered --cov-report=html --cov-report=xml

docs: .venv/ready ## the documentation as a site, in build/docs/index.html
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going --fresh-env -d build/doctrees docs build/docs
	@echo build/docs/index.html

# Without speeds.py, which makes what is shipped, and evaluations.py in full, which takes hours.
bench: .venv/ready ## the measurements in benchmarks/, one after the other: a night
	@set -e; for script in $$(grep -l __main__ benchmarks/*.py); do \
		case $$script in \
			*/speeds.py) continue;; \
			*/gpu.py) command -v nvidia-smi > /dev/null || continue;; \
			*/evaluations.py) set -- --minutes 40;; \
			*) set --;; \
		esac; \
		echo "$$script $$*"; $(BIN)/python "$$script" "$$@"; \
	done

lock: ## resolve pyproject.toml anew into constraints.txt
	@test -x $(BIN)/uv || { $(PYTHON) -m venv .venv && $(BIN)/python -m pip install --quiet uv; }
	$(BIN)/uv pip compile --quiet pyproject.toml $(EXTRAS:%=--extra %) --universal --python-version 3.11 --fork-strategy fewest \
		--upgrade --generate-hashes --no-header --no-annotate --output-file constraints.txt

clean: ## remove the environment and everything that is made
	rm -rf .venv demo htmlcov coverage.xml .coverage .pytest_cache .ruff_cache .import_linter_cache .hypothesis build *.egg-info backends/statevector/native/*.so
