# A thin door: meson does the work.  `make help` lists what is behind it.

BUILD := build
BUILD_CHECK := build-check
BUILD_FUZZ := build-fuzz
BUILD_QEMU := build-qemu
SECONDS := 60

# make BACKEND=plugin demo, or check: all of it compiled by cpc-clang, without stacks.
ifeq ($(BACKEND),plugin)
BUILD := build-plugin
BUILD_CHECK := build-plugin-check
$(BUILD)/build.ninja $(BUILD_CHECK)/build.ninja: \
    export CC := $(CURDIR)/build/cpc/plugin/cpc-clang
$(BUILD)/build.ninja $(BUILD_CHECK)/build.ninja: | plugin
endif

.PHONY: all help setup plugin demo check check-long check-qemu bench fuzz fresh nested \
    clean

all: $(BUILD)/build.ninja ## build into build/
	@ninja -C $(BUILD)

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

setup:
	@tools/setup build run guest

plugin: ## the compiler of coroutines without stacks; make BACKEND=plugin demo uses it
	@tools/setup build check
	@[ -f build/build.ninja ] || env -u CC meson setup build --buildtype=debugoptimized
	@ninja -C build cpc/plugin/cpc-plugin.so cpc/plugin/cpc-clang

$(BUILD)/build.ninja: | setup
	@meson setup $(BUILD) --buildtype=debugoptimized

$(BUILD_CHECK)/build.ninja:
	@tools/setup build run guest check
	@meson setup $(BUILD_CHECK) --buildtype=debugoptimized \
	    -Db_sanitize=address,undefined -Db_lundef=false

demo: all ## boot a guest, share a folder, prove it, show it
	@tools/demo $(BUILD)

check: $(BUILD_CHECK)/build.ninja ## all tests, with ASan and UBSan
	@tools/setup build run guest check
	@tools/check $(BUILD_CHECK)

check-long: $(BUILD_CHECK)/build.ninja ## the long tier: every machine booted, libvirt's corpus
	@tools/setup build run guest check ports long
	@tools/check $(BUILD_CHECK) --suite guest-long --suite corpus

$(BUILD_QEMU)/ostler/build.ninja:
	@tools/setup build qemu
	@meson setup $(BUILD_QEMU)/ostler --buildtype=debugoptimized -Dplugin=enabled

check-qemu: $(BUILD_QEMU)/ostler/build.ninja ## QEMU's own tests, its coroutines without stacks
	@ninja -C $(BUILD_QEMU)/ostler $(addprefix cpc/,plugin/cpc-plugin.so plugin/cpc-clang \
	    cocheck/cocheck.so cocheck/cocheck cocheck/cocheck-clang)
	@cpc/qemu/check $(BUILD_QEMU)/ostler $(BUILD_QEMU) docs/qemu-on-cpc.md

$(BUILD_FUZZ)/build.ninja:
	@tools/setup build check
	@CC=clang-19 meson setup $(BUILD_FUZZ) -Dfuzz=true \
	    -Db_sanitize=address,undefined -Db_lundef=false

fuzz: $(BUILD_FUZZ)/build.ninja ## every decoder with libFuzzer, SECONDS=60 each
	@ninja -C $(BUILD_FUZZ) fuzzers
	@fuzz/run $(BUILD_FUZZ) $(SECONDS) $(TARGETS)

nested: all ## the rulebook of nested virtualization; ENGINE=kvm on this host's CPU
	@$(BUILD)/nested/ostler-nested $(if $(ENGINE),--engine $(ENGINE)) run

bench: all ## the figures the README quotes, against peers, in one run
	@bench/run $(BUILD)

fresh: ## make demo and check in a fresh Debian 12 chroot (root, mmdebstrap)
	@tools/fresh

clean: ## remove the build folders
	@rm -rf $(BUILD) $(BUILD_CHECK) $(BUILD_FUZZ) $(BUILD_QEMU)
