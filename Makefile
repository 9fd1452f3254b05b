# Two commands do everything on a bare machine: `make demo` and `make test`.

CARGO ?= cargo
BIN = $${CARGO_TARGET_DIR:-target}/release/ringfence

# Seeds from 6001 on are for scoring only; whoever tunes uses 1 to 99.
SCORED ?= 6001-6008

.PHONY: deb score help demo test lint bench needs tools

help:
	@echo "make demo   build, replay an office weekend with an attack in it, print the alerts"
	@echo "make test   run all tests"
	@echo "make lint   formatting, clippy and documentation, as strict as in CI"
	@echo "make score  score detection on generated worlds beside other systems' rules"
	@echo "make deb    build the Debian package into target/debian (needs jq and dpkg-deb)"
	@echo "make bench  measure the packet path against a bare libpcap loop"

needs:
	@scripts/need-libpcap

tools:
	@scripts/need-tools
	@scripts/need-web

# The demo needs no daemon: `cargo build --release` makes the whole program.
demo: needs
	$(CARGO) build --release --locked --no-default-features
	@echo
	@$(BIN) --config fixtures/demo/config.toml replay fixtures/demo/capture.pcap

# Documentation tests come first, so that the last line is the summary of tests that exist.
test: needs tools
	$(CARGO) test --locked --doc
	$(CARGO) test --locked --lib --bins --tests

lint: needs
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS=-Dwarnings $(CARGO) doc --locked --no-deps

deb: needs
	@scripts/build-deb

bench: needs
	$(CARGO) bench --locked

score: needs
	$(CARGO) build --profile fast --locked --no-default-features
	@$${CARGO_TARGET_DIR:-target}/fast/ringfence score --worlds all --seeds $(SCORED)
