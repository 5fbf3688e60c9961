# `make run` and `make test` need Swift 6.2 or later, LMDB and zlib, which they install as root on Debian;
# `make help` lists the rest.

BUILD := swift build -c release
PROGRAM := .build/release/needletail
# Tests see internal declarations, which costs some optimisation: they get their own build folder.
TEST_FLAGS := -c release -Xswiftc -enable-testing --scratch-path .build/tests
FORMATTED := Package.swift Sources Tests Examples Plugins Tools/digest

# The public test suites: NEEDLETAIL_FIXTURES, else .fixtures, else the archives beside the checkout.
UNPACK := ../shared/fixtures/unpack

# Blocks for `make differential`, and the first one's seed.
COUNT := 200
FIRST := 0

.PHONY: help libraries run start build test fixtures check lint format gates gate-riscv32 gate-nvptx gate-imports \
  kernels differential example docs mutate setup clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "%-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# Kernels take minutes: only where there is a GPU to run them.
GPU := $(wildcard /dev/nvidia0)
run: libraries $(if $(GPU),kernels) ## build, then start a development node and send a first batch to it
	$(BUILD) --product needletail
	@$(MAKE) --no-print-directory start

start: ## start that node as it is built (ARGUMENTS="--http-port 8546" goes to it)
	$(PROGRAM) node --dev --first-batch $(ARGUMENTS)

libraries:
	@Tools/setup libraries

build: libraries ## build the library and the command in release
	$(BUILD)

test: libraries ## run all tests; conformance tests too where the fixtures are
	Tools/test $(TEST_FLAGS)

fixtures: .fixtures ## unpack the public test suites into .fixtures

.fixtures: $(wildcard $(UNPACK))
	@test -x $(UNPACK) || { echo "fixtures: no $(UNPACK) here; README.md says where the suites" \
	  "come from" >&2; exit 1; }
	$(UNPACK) .fixtures
	@touch .fixtures

check: ## exactly what CI runs
	.ci/run

mutate: ## break every rule in turn: a test must notice (not in CI: about an hour)
	Tools/mutate.py

lint: ## check the format
	swift format lint --strict --parallel --recursive --configuration .swift-format $(FORMATTED)

format: ## format in place
	swift format --in-place --parallel --recursive --configuration .swift-format $(FORMATTED)

gates: gate-imports gate-riscv32 gate-nvptx ## all checks that the core stays portable

gate-imports: ## modules import only what the map allows
	Tools/gates/imports

gate-riscv32: ## the core compiles and links as bare riscv32
	Tools/gates/riscv32

gate-nvptx: ## the kernels compile to PTX, assemble and keep their budget
	Tools/gates/nvptx

rpc: libraries ## ask a node what execution-apis, web3.py and a kill under load ask (needs fixtures)
	$(BUILD) --product needletail
	Tools/rpc/run .build/release/needletail

differential: ## compare random blocks with the executable specification (COUNT=200 FIRST=0)
	$(BUILD) --product needletail
	$$(Tools/environment .venv-differential Tools/differential/requirements.txt) \
	  Tools/differential/differential.py --count $(COUNT) --first $(FIRST)

example: ## build and run the package that embeds the library
	swift run --package-path Examples/Embedding

docs: ## build the DocC pages into .build/docs
	Tools/docs

kernels: ## make the kernel image that the next build embeds, unless it is of these sources
	Tools/kernels/install

setup: ## install the Debian packages that are missing
	Tools/setup

clean: ## remove what was built, but not the fixtures
	rm -f Sources/CKernelImage/Image/*.ptx Sources/CKernelImage/Image/*.cubin
	rm -rf .build .venv-* Examples/Embedding/.build
