# `make demo` and `make test` do all the set-up on a fresh machine.
.DEFAULT_GOAL := help
.PHONY: soak fuzz docs lock test-minimum licences sbom help install demo test lint bench bench-solver bench-steadiness bench-tracking bench-run bench-webrtc bench-protocols bench-takes bench-motion bench-loop bench-render bench-batch bench-deform bench-scale images page clean

PYTHON := .venv/bin/python
SHARED ?= ../shared

help:  ## these lines
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 16

install:  ## .venv, package, face model and, on Debian and Ubuntu as root, system libraries
	@sh tools/install.sh

demo: install  ## animate an avatar by the bundled performance: out/demo.mp4
	$(PYTHON) main.py run assets/performance.mp4 --view side-by-side --out out/demo.mp4 --take out/demo.npz

test:  ## the tests
	@sh tools/install.sh test
	$(PYTHON) -m pytest -n 2 --dist loadfile

lint: install  ## ruff
	.venv/bin/ruff check .

soak: install  ## five minutes of run, serve and ten network performers at once: does anything grow?
	nice $(PYTHON) -m tests.soak --minutes 5

CASES ?= 5000

fuzz: install  ## strangers' files, messages and streams, CASES of each kind (CASES=100000 takes hours): what breaks us?
	nice $(PYTHON) -m tests.soak.fuzz_files --cases $(CASES)
	nice $(PYTHON) -m tests.soak.fuzz_protocols --cases $(CASES)
	nice $(PYTHON) -m tests.soak.fuzz_streams --cases $(CASES)

bench: install  ## every benchmark, printed and written to docs/benchmarks.md (needs the evaluation sets)
	$(PYTHON) -m tests.bench.report --shared $(SHARED)

bench-solver: install  ## the solver's accuracy beside MediaPipe's own network (needs the evaluation sets)
	$(PYTHON) -m tests.bench.bench_solver --shared $(SHARED)

bench-steadiness: install  ## head turns, jitter, lag, and no neutral start (the last needs the evaluation sets)
	$(PYTHON) -m tests.bench.bench_steadiness --shared $(SHARED)

bench-tracking: install  ## our tracker beside MediaPipe's: time, and how far apart
	$(PYTHON) -m tests.bench.bench_tracking --shared $(SHARED)

bench-run: install  ## frames per second, each stage's share, peak memory
	$(PYTHON) -m tests.bench.bench_run

bench-webrtc: install  ## how late a puppet comes back over WebRTC, beside an echo
	$(PYTHON) -m tests.bench.bench_webrtc

bench-protocols: install  ## what one frame costs in each protocol, beside json.dumps
	$(PYTHON) -m tests.bench.bench_protocols

bench-takes: install  ## an hour of a take: recorded, loaded, converted, beside NumPy alone
	$(PYTHON) -m tests.bench.bench_takes

bench-motion: install  ## the motion stream: bits, errors, loss
	$(PYTHON) -m tests.bench.bench_motion_stream

images: install  ## the pictures in docs/images/
	$(PYTHON) -m tools.draw_architecture
	$(PYTHON) -m tools.render_rig_sheets
	$(PYTHON) -m tools.render_photo_rig
	$(PYTHON) -m tools.render_views
	$(PYTHON) -m tools.render_takes

bench-loop: install  ## an avatar acts a recording, and is tracked and solved again (needs the recordings)
	$(PYTHON) -m tests.bench.bench_loop --shared $(SHARED)

bench-render: install  ## what drawing an avatar costs beside VTK's bare drawing of the same mesh
	$(PYTHON) -m tests.bench.bench_render
	$(PYTHON) -m tests.bench.bench_materials

bench-batch: install  ## a folder of films: one core and two; a simulated cluster from measured costs (needs matplotlib)
	$(PYTHON) -m tests.bench.bench_batch --films 12 --figure docs/images/batch-scaling.png

bench-deform: install  ## what deforming 25 000 vertices by 52 morphs costs
	$(PYTHON) -m tests.bench.bench_deform

bench-scale: install  ## what a picture costs with more faces, larger pictures, finer avatars (needs matplotlib)
	$(PYTHON) -m tests.bench.bench_scale --figure docs/images/scale.png

page:  ## the part of the page that draws puppets on a visitor's own device (needs Node.js 20 and npm)
	@command -v npm >/dev/null || { echo "make page needs npm: install Node.js 20 or later" >&2; exit 1; }
	cd web && npm install --no-save --ignore-scripts && npx vite build

docs: install  ## the site of docs/, without warnings, into site/
	NO_MKDOCS_2_WARNING=1 $(PYTHON) -m mkdocs build --quiet --site-dir site
	@echo "open site/index.html"

UPKEEP := .venv-upkeep
MINIMUM := .venv-minimum
CORE := maths protocols takes sources tracking sinks rigging rendering cli webrtc batch photo test_[a-ce-z]*.py

$(UPKEEP)/bin/uv:
	$${PYTHON:-python3} -m venv $(UPKEEP)
	$(UPKEEP)/bin/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9' 'cyclonedx-bom>=7'

lock: $(UPKEEP)/bin/uv  ## uv.lock and tools/constraints.txt anew, after a change of pyproject.toml
	UV=$(UPKEEP)/bin/uv sh tools/lock.sh
	$(PYTHON) -m tools.list_licences

test-minimum: $(UPKEEP)/bin/uv  ## the core's tests with the oldest versions that pyproject.toml allows
	UV=$(UPKEEP)/bin/uv sh tools/install_minimum.sh $(MINIMUM)
	$(MINIMUM)/bin/python -m pytest -p no:cacheprovider $(addprefix tests/,$(CORE))

licences: install  ## docs/licences.md anew: what the program stands on, and under which terms
	$(PYTHON) -m tools.list_licences

sbom: $(UPKEEP)/bin/uv  ## dist/sbom.json: the bill of materials of a plain install, in CycloneDX's format
	UV=$(UPKEEP)/bin/uv sh tools/make_sbom.sh $(UPKEEP)/bin/cyclonedx-py dist/sbom.json

clean:  ## forget everything made, but not what was installed
	rm -rf out build dist site .pytest_cache .ruff_cache
