# A thin door: meson does the work.  `make help` lists what is behind it.

BUILD := build
BUILD_CHECK := build-check
BUILD_CHECK_PLUGIN := build-check-plugin
BUILD_FUZZ := build-fuzz
BUILD_QEMU := build-qemu
BUILD_CPC := build-cpc-clang
SECONDS := 60

# Who suspends: BACKEND=plugin compiles coroutines to continuations (docs/cpc.md), in
# BACKEND=ucontext each has a stack.  Unset, it is the plugin where clang-19 and llvm-19-dev
# are, and make check tries both; set, it has a folder of its own and all is tried with it.
ifneq ($(BACKEND),)
BUILD := build-$(BACKEND)
BUILD_CHECK := build-check$(if $(filter plugin,$(BACKEND)),-plugin)
endif
SANITIZED := -Db_sanitize=address,undefined -Db_lundef=false
EVERYDAY := --no-suite guest-long --no-suite corpus
# What is the same whoever suspends, once is enough for.
IN_COROUTINES := $(EVERYDAY) --no-suite check --no-suite fuzz --no-suite nested \
    --no-suite compiler

.PHONY: all help setup demo check check-folder check-long check-qemu bench fuzz fresh \
    nested clean

all: setup ## build into build/
	@tools/configure $(BUILD) "$(BACKEND)" $(BUILD_CPC)
	@ninja -C $(BUILD)

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

setup:
	@tools/setup build run guest

demo: all ## boot a guest, share a folder, prove it, show it
	@tools/demo $(BUILD)

check-folder:
	@tools/setup build run guest check
	@tools/configure $(BUILD_CHECK) "$(or $(BACKEND),ucontext)" $(BUILD_CPC) $(SANITIZED)

check: check-folder ## all tests, with ASan and UBSan, with both kinds of coroutines
ifeq ($(BACKEND),)
	@tools/configure $(BUILD_CHECK_PLUGIN) plugin $(BUILD_CPC) $(SANITIZED)
	@tools/check $(BUILD_CHECK) $(EVERYDAY) -- $(BUILD_CHECK_PLUGIN) $(IN_COROUTINES)
else
	@tools/check $(BUILD_CHECK) $(EVERYDAY)
endif

check-long: check-folder ## the long tier: every machine booted, libvirt's corpus
	@tools/setup ports long
	@tools/check $(BUILD_CHECK) --suite guest-long --suite corpus

$(BUILD_QEMU)/ostler/build.ninja:
	@tools/setup build qemu
	@meson setup $(BUILD_QEMU)/ostler --buildtype=debugoptimized -Dplugin=enabled

check-qemu: $(BUILD_QEMU)/ostler/build.ninja ## QEMU's own tests, its coroutines without stacks
	@tools/setup build qemu
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
	@rm -rf build build-*
