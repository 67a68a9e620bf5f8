# make demo   installs what is missing, builds, and runs the whole way on pictures it makes itself
# make test   installs what is missing, and runs every test; what failed stands at the end, everything in .build/test.log
# make build  the command line only: .build/release/vitrine
# make install PREFIX=/usr/local  copies it there
# make dist   a tar, a .deb and a wheel for machines without Swift, in dist/; Scripts/check-dist tries them on a bare Debian
# make bench  installs the public peers into .venv-bench, runs both sides in turns, checks bars (twenty minutes)

# One set for everything, so that nothing is compiled twice: tests look inside modules, and a program may be looked into as well.
SWIFT_FLAGS := -c release --explicit-target-dependency-import-check error -Xswiftc -enable-testing

PREFIX ?= /usr/local

.PHONY: bench build demo dist install test lint packages

build: packages
	swift build $(SWIFT_FLAGS) --product vitrine

install: build
	install -D -m 755 .build/release/vitrine $(DESTDIR)$(PREFIX)/bin/vitrine

dist: packages
	Scripts/make-dist

demo: build
	bash Scripts/demo

test: packages
	swift build $(SWIFT_FLAGS) --build-tests
	bash Scripts/run-tests $(SWIFT_FLAGS)

bench: packages
	Benchmarks/peers/run

lint:
	bash Scripts/lint

packages:
	@bash Scripts/install-packages
