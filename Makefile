# Zumastor - snapshots and replication of block devices with stock device-mapper targets.
#
#   make            build the helpers            make check       boot kernels and test (< 20 min)
#   make install    honours DESTDIR, PREFIX      make check-long  everything, for hours
#   make demo       show the main job            make bench       figures, as ratios
#   make lint       shellcheck, mandoc, rules    make mutants     is the suite worth something?
#   make clean

# Goals one after the other, as "all" and "lab" make the same files; what each of them starts runs in parallel.
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += --jobs=$(shell nproc)
.NOTPARALLEL:
endif

PREFIX ?= /usr/local
exec_prefix ?= $(PREFIX)
sbindir ?= $(exec_prefix)/sbin
libexecdir ?= $(exec_prefix)/libexec
datarootdir ?= $(PREFIX)/share
datadir ?= $(datarootdir)
mandir ?= $(datarootdir)/man
sysconfdir ?= /etc
localstatedir ?= /var
unitdir ?= $(exec_prefix)/lib/systemd/system
udevdir ?= $(exec_prefix)/lib/udev/rules.d
INSTALL ?= install

CC ?= gcc
CFLAGS ?= -O2 -g
CPPFLAGS += -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -Icsrc/lib
WARN := -std=gnu11 -Wall -Wextra -Wshadow -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes \
	-Wconversion -Wno-sign-conversion -Werror

# B= builds the same helpers elsewhere, with other flags: `make asan` uses it.
B ?= build/plain
programs := $(patsubst csrc/%.c,%,$(wildcard csrc/*.c))
library := $(patsubst csrc/%.c,$(B)/%.o,$(wildcard csrc/lib/*.c))
helpers := $(addprefix $(B)/bin/,$(programs))

version := 0.1.0

all: $(helpers)

# Linked as needed, so the libraries are named once for all programs.
LIBS := -ldevmapper -larchive -lnettle -lseccomp -lz

$(B)/libzumastor.a: $(library)
	@rm -f $@
	@$(AR) rcs $@ $^

$(B)/bin/%: $(B)/%.o $(B)/libzumastor.a
	@mkdir -p $(@D)
	@echo "  LD $@"
	@$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $< $(B)/libzumastor.a -Wl,--as-needed $(LIBS)

$(B)/%.o: csrc/%.c
	@mkdir -p $(@D)
	@$(CC) $(CPPFLAGS) $(CFLAGS) $(WARN) -MMD -MP -c -o $@ $<

.SECONDARY:
-include $(wildcard $(B)/*.d $(B)/lib/*.d $(B)/model/*.d $(B)/powercut/*.d $(B)/fuzz/*.d)

# Random operations against a model, in one process: tests/model.
model := $(patsubst tests/model/%.c,$(B)/model/%.o,$(wildcard tests/model/*.c))
$(B)/%.o: tests/%.c
	@mkdir -p $(@D)
	@$(CC) $(CPPFLAGS) $(CFLAGS) $(WARN) -MMD -MP -c -o $@ $<

$(B)/model/model: $(model) $(B)/libzumastor.a
	@echo "  LD $@"
	@$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -Wl,--as-needed $(LIBS)

model: $(B)/model/model

# Power cuts out of a log of writes: tests/powercut.
powercut := $(addprefix $(B)/powercut/,cut durable replay scribble sum torn)
powercut_common := $(patsubst %,$(B)/powercut/%.o,check digest history log stamp volume)
$(powercut): $(B)/powercut/%: $(B)/powercut/%.o $(powercut_common) $(B)/libzumastor.a
	@echo "  LD $@"
	@$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -Wl,--as-needed $(LIBS)

powercut: $(powercut)

# What strangers may send or leave, made up by libFuzzer: tests/fuzz, run by t3140.
fuzzers := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(filter-out %/forge.c,$(wildcard tests/fuzz/*.c)))
$(fuzzers): $(B)/fuzz/%: $(B)/fuzz/%.o $(B)/fuzz/forge.o $(B)/libzumastor.a
	@echo "  LD $@"
	@$(CC) $(CFLAGS) $(LDFLAGS) -fsanitize=fuzzer -Wl,--wrap=delta_chain_hex -o $@ $^ -Wl,--as-needed $(LIBS)

fuzzers: $(fuzzers)

fuzz: deps
	@$(MAKE) --no-print-directory B=build/fuzz CC=clang WARN=-std=gnu11 CFLAGS='-O1 -g -fno-omit-frame-pointer \
		-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all' fuzzers

asan: deps
	@$(MAKE) --no-print-directory B=build/asan CFLAGS='-O1 -g -fno-omit-frame-pointer \
		-fsanitize=address,undefined -fno-sanitize-recover=all' all

libexec_to := $(DESTDIR)$(libexecdir)/zumastor
share_to := $(DESTDIR)$(datadir)/zumastor
conf_to := $(DESTDIR)$(sysconfdir)/zumastor
man_to := $(DESTDIR)$(mandir)
unit_to := $(DESTDIR)$(unitdir)
completion_to := $(DESTDIR)$(datadir)/bash-completion/completions
udev_to := $(DESTDIR)$(udevdir)
etc_to := $(DESTDIR)$(sysconfdir)

units := $(notdir $(wildcard share/systemd/*.service share/systemd/*.timer))
hardened := $(unit_to)/zumastor.service.d $(unit_to)/zumastor-.service.d
mailing := $(unit_to)/zumastor-alarm.service.d
filled_in = sed -e 's|@sbindir@|$(sbindir)|g' -e 's|@libexecdir@|$(libexecdir)|g' -e 's|@datadir@|$(datadir)|g' \
	-e 's|@sysconfdir@|$(sysconfdir)|g' -e 's|@localstatedir@|$(localstatedir)|g' -e 's|@version@|$(version)|g'

# The configuration is the administrator's: an existing one stays.
install: all
	$(INSTALL) -d $(DESTDIR)$(sbindir) $(libexec_to) $(share_to)/lib $(share_to)/doc $(conf_to)/hooks.d/examples \
		$(man_to)/man5 $(man_to)/man7 $(man_to)/man8 $(completion_to) $(unit_to) $(hardened) $(mailing) $(udev_to) \
		$(etc_to)/cron.d $(etc_to)/logrotate.d
	$(INSTALL) -d -m 0700 $(DESTDIR)$(localstatedir)/lib/zumastor $(DESTDIR)$(localstatedir)/log/zumastor
	$(filled_in) bin/zumastor >$(DESTDIR)$(sbindir)/zumastor
	chmod 0755 $(DESTDIR)$(sbindir)/zumastor
	$(INSTALL) -m 0755 $(wildcard libexec/*) $(helpers) $(libexec_to)/
	$(INSTALL) -m 0644 $(wildcard share/lib/*.sh) $(share_to)/lib/
	$(INSTALL) -m 0644 share/doc/data-path.md README.md $(share_to)/doc/
	[ -e $(conf_to)/zumastor.conf ] || $(INSTALL) -m 0644 etc/zumastor/zumastor.conf $(conf_to)/
	$(INSTALL) -m 0755 $(wildcard etc/zumastor/hooks.d/examples/*) $(conf_to)/hooks.d/examples/
	$(INSTALL) -m 0644 $(wildcard man/*.5) $(man_to)/man5/
	$(INSTALL) -m 0644 $(wildcard man/*.7) $(man_to)/man7/
	$(INSTALL) -m 0644 $(wildcard man/*.8) $(man_to)/man8/
	$(INSTALL) -m 0644 share/completion/zumastor $(completion_to)/
	for unit in $(units); do $(filled_in) share/systemd/$$unit >$(unit_to)/$$unit || exit; done
	for dir in $(hardened); do $(INSTALL) -m 0644 share/systemd/hardening.conf $$dir/ || exit; done
	$(INSTALL) -m 0644 share/systemd/mailing.conf $(mailing)/
	$(INSTALL) -m 0644 share/udev/65-zumastor.rules $(udev_to)/
	$(filled_in) share/cron/zumastor >$(etc_to)/cron.d/zumastor
	$(INSTALL) -m 0644 share/logrotate/zumastor $(etc_to)/logrotate.d/

# Volumes, their database and logs, and the configuration stay.
uninstall:
	rm -f $(DESTDIR)$(sbindir)/zumastor $(completion_to)/zumastor $(addprefix $(unit_to)/,$(units)) \
		$(udev_to)/65-zumastor.rules $(etc_to)/cron.d/zumastor $(etc_to)/logrotate.d/zumastor
	rm -f $(addprefix $(man_to)/man5/,$(notdir $(wildcard man/*.5)))
	rm -f $(addprefix $(man_to)/man7/,$(notdir $(wildcard man/*.7)))
	rm -f $(addprefix $(man_to)/man8/,$(notdir $(wildcard man/*.8)))
	-rmdir --ignore-fail-on-non-empty $(DESTDIR)$(localstatedir)/log/zumastor
	rm -rf $(libexec_to) $(share_to) $(hardened) $(mailing) $(conf_to)/hooks.d/examples

packages := gcc libc6-dev libdevmapper-dev libarchive-dev nettle-dev libseccomp-dev zlib1g-dev perl shellcheck mandoc \
	libarchive-tools zstd lz4 xz-utils gzip tar jq pv fio thin-provisioning-tools time bsdextrautils bsdutils socat \
	clang libclang-rt-dev strace systemd python3-prometheus-client

deps:
	@tests/lab/packages $(packages)

# What the lab's hosts have installed.
installed := $(CURDIR)/build/installed
lab: deps
	@$(MAKE) --no-print-directory all model powercut
	@rm -rf $(installed)
	@$(MAKE) --no-print-directory -s install DESTDIR=$(installed) PREFIX=/usr

demo: lab
	@tests/lab/run --hosts 2 --disk 64M --disk 64M --install $(installed) tests/demo.sh

run_tests := ZUMASTOR_TEST_REQUIRE=all ZUMASTOR_INSTALLED=$(installed) tests/run
# The other tests see a 7.2 kernel, and t8002 a 6.1, as User-Mode Linux; real kernels wait for check-long.
other_kernels := tests/t8000-kernel-6.1.sh tests/t8001-kernel-6.12.sh
check: lint lab asan fuzz
	@$(run_tests) $(filter-out $(other_kernels),$(wildcard tests/t[0-9]*.sh))

# The whole suite on each kernel; then what takes hours.  It can be stopped, and goes on when started again.
check-long: lint lab asan fuzz
	@tests/lab/packages postgresql mariadb-server
	@ZUMASTOR_TEST_REQUIRE=all ZUMASTOR_INSTALLED=$(installed) tests/long

mutants: lab asan
	@tests/mutants/run

bench: lab
	@tests/bench/run engine.sh --mem 1G --disk 2G --disk 4G --install $(installed)

# Beside other ways of doing it, and what it takes in memory.
bench-replication: lab
	@tests/lab/packages rsync thin-provisioning-tools
	@tests/bench/run replication.sh --hosts 2 --mem 768M --disk 4G --disk 2G --disk 4G --disk 4G --disk 4G \
		--install $(installed)
	@tests/bench/memory.sh

scripts = bin/zumastor $(wildcard libexec/* etc/zumastor/hooks.d/examples/*) \
	$(wildcard tests/t*.sh tests/exec tests/long tests/demo.sh tests/bench/*.sh tests/mutants/run) \
	tests/powercut/run \
	tests/lab/packages tests/lab/shell $(wildcard tests/lab/guest/* tests/lab/selftest/*.sh)
lint: deps
	@printf '%s\n' $(scripts) | xargs -n 12 -P "$$(nproc)" shellcheck -x -a -P SCRIPTDIR -P share/lib
	@for page in man/*; do mandoc -Tlint -W warning $$page || exit; done
	@! grep -rnE 'NEEDSWORK:? *$$' bin libexec share csrc tests man

clean:
	rm -rf build

.PHONY: all model powercut fuzzers fuzz asan install uninstall deps lab demo check check-long mutants bench bench-replication lint clean
