# make demo   installs what is missing, builds, and runs the whole way on pictures it makes itself
# make test   installs what is missing, and runs every test
# make build  the command line only: .build/release/vitrine
# make bench  installs the public peers into .venv-bench, runs both sides in turns, checks bars (twenty minutes)

SWIFT_FLAGS := -c release --explicit-target-dependency-import-check error

.PHONY: bench build demo test lint packages

build: packages
	swift build $(SWIFT_FLAGS) --product vitrine

demo: build
	bash Scripts/demo

test: packages
	swift test $(SWIFT_FLAGS) --disable-xctest

bench: packages
	Benchmarks/peers/run

lint:
	bash Scripts/lint

packages:
	@bash Scripts/install-packages
