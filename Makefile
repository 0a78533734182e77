# SPDX-License-Identifier: GPL-2.0
#
# What people type; `make help` lists it. The objects are in module/Kbuild.

# Where to build: for the running kernel, else for the newest with headers.
KDIR ?= $(patsubst %/Makefile,%,$(firstword $(wildcard \
	/lib/modules/$(shell uname -r)/build/Makefile) $(lastword \
	$(shell ls /lib/modules/*/build/Makefile 2>/dev/null | sort -V))))
kdir = $(or $(KDIR),$(error no kernel headers here: install linux-headers-amd64, or give KDIR=))
# It may be a folder of scripts/kernel, which may bring the make that it wants.
headers = $(or $(patsubst %/Makefile,%,$(wildcard $(kdir)/headers/Makefile)),$(kdir))
kmake = $(or $(wildcard $(kdir)/make $(filter %/make,$(patsubst %/headers,%/make,$(kdir)))),$(MAKE))

# A debug build runs the module's own tests at load; a bare one has no windows
# and no variants, and a floor no entry lock either, for scripts/bench. They are
# built from links in folders of their own, so that all builds stay fresh side by
# side; OUT= gives any other build such a folder.
OUT ?= $(CURDIR)$(if $(DAXLAB_DEBUG),/build/debug)$(if $(DAXLAB_BARE),/build/$(if $(DAXLAB_FLOOR),floor,bare))
$(if $(or $(word 2,$(CURDIR)),$(word 2,$(OUT))),$(error kbuild cannot work where a path has a space: $(CURDIR)))
kbuild = $(kmake) -C $(headers) M=$(abspath $(OUT)) $(if $(DAXLAB_DEBUG),DAXLAB_DEBUG=y) \
	$(if $(DAXLAB_BARE),DAXLAB_BARE=y) $(if $(DAXLAB_FLOOR),DAXLAB_FLOOR=y)

modules: links
	@echo "  KDIR    $(kdir)"
	+$(kbuild) modules

install: modules
	+$(kbuild) modules_install
	depmod -a

ifneq ($(abspath $(OUT)),$(CURDIR))
links:
	@install -d $(OUT) && find $(OUT) -xtype l -delete
	@find Kbuild module -name Kbuild -o -name '*.[ch]' ! -name '*.mod.c' | \
	while read -r f; do \
		[ $(OUT)/$$f -ef $$f ] || { install -d $(OUT)/$$(dirname $$f) && ln -sf $(CURDIR)/$$f $(OUT)/$$f; } || exit; \
	done
else
links:
endif

check:
	scripts/check

run:
	scripts/run

lint:
	scripts/lint

bench:
	scripts/bench

clean:
	+$(kbuild) clean
	[ ! -d build ] || find build -mindepth 1 -maxdepth 1 ! -name kernels ! -name qemu -exec rm -rf {} +

help:
	@echo 'make                  build module/daxlab.ko (KDIR=... for another kernel)'
	@echo 'make DAXLAB_DEBUG=1   build build/debug/module/daxlab.ko, which tests itself at load'
	@echo 'make install          install the module for the kernel of KDIR'
	@echo 'make run              show fio on the filesystem in a VM      (scripts/run --help)'
	@echo 'make check            run all tests in a VM                   (scripts/check --help)'
	@echo 'make bench            compare with ext4, xfs and tmpfs        (scripts/bench --help)'
	@echo 'make lint             checkpatch, sparse, shellcheck, includes'
	@echo 'make clean            remove everything that was built, but not kernels and QEMU'

.PHONY: modules install links check run lint bench clean help
