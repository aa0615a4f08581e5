# Tidegate.  `make help' lists what there is to make.

VERSION = 0.1
PREFIX ?= /usr/local
BUILD ?= build
CC ?= cc
CFLAGS ?= -O2 -g
TIDEGATE_CACHE ?= /var/cache/tidegate-chroots
export BUILD TIDEGATE_CACHE

WARN = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wwrite-strings -Wpointer-arith -Wvla
ALL_CFLAGS = -std=c11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 $(WARN) -Isrc $(CPPFLAGS) \
	-DVERSION='"$(VERSION)"' -MMD -MP $(CFLAGS)
LIBS = -lpopt -ljansson -lidn2 -lresolv -lgsasl -lssl -lcrypto -pthread

tools := $(basename $(notdir $(wildcard src/tool/*.c)))
rooms := $(filter-out src/tool/%,$(wildcard src/*/*.c))
lib := $(BUILD)/libtidegate.a
bins := $(addprefix $(BUILD)/bin/,$(tools))
links := $(addprefix bin/,$(tools))
ctests := $(patsubst t/c/%.c,$(BUILD)/t/%.ct,$(wildcard t/c/*.c))
fuzzers := $(patsubst t/fuzz/%.c,$(BUILD)/fuzz/%,$(wildcard t/fuzz/*.c))
helpers := $(patsubst t/tool/%.c,$(BUILD)/t/%,$(wildcard t/tool/*.c))
preloads := $(patsubst t/preload/%.c,$(BUILD)/t/%.so,$(wildcard t/preload/*.c))
gauges := $(patsubst t/bench/%.c,$(BUILD)/t/%,$(wildcard t/bench/*.c))
scripts := $(filter-out $(links),$(wildcard bin/gateway-*))
mans := $(wildcard man/*.[157])
shared := $(wildcard share/*/*)
TESTS ?= $(sort $(wildcard t/*.t))

ifeq ($(BUILD),build)
all: $(bins) $(links)
else
all: $(bins)
endif

help:
	@sed -n 's/^#: //p' Makefile

$(bins): $(BUILD)/bin/%: $(BUILD)/src/tool/%.o $(lib)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $< $(lib) $(LIBS)

$(links): bin/%: $(BUILD)/bin/%
	ln -sf ../$< $@

$(lib): $(patsubst %.c,$(BUILD)/%.o,$(rooms))
	@rm -f $@
	ar rcs $@ $^

$(BUILD)/%.o: %.c | $(BUILD)/.ready
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(ctests): $(BUILD)/t/%.ct: $(BUILD)/t/c/%.o $(lib)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $< $(lib) $(LIBS)

$(helpers): $(BUILD)/t/%: $(BUILD)/t/tool/%.o $(lib)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $< $(lib) $(LIBS)

$(preloads): $(BUILD)/t/%.so: t/preload/%.c | $(BUILD)/.ready
	@mkdir -p $(@D)
	$(CC) -std=c11 $(WARN) -O1 -fPIC -shared -o $@ $<

$(gauges): $(BUILD)/t/%: $(BUILD)/t/bench/%.o $(lib)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $< $(lib) $(LIBS)

$(fuzzers): $(BUILD)/fuzz/%: $(BUILD)/t/fuzz/%.o $(lib)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -fsanitize=fuzzer -o $@ $< $(lib) $(LIBS)

# Names what is missing and installs it where it may.
$(BUILD)/.ready: setup
	@mkdir -p $(@D)
	@./setup build
	@touch $@

#: make            the programs, also linked into bin/
#: make demo       a whole session on loopback: no root, no MTA; LINK=slow: over a slow line (root)
demo: all $(helpers)
	@BUILD=$(BUILD) t/demo/$(or $(LINK),session)

# LIMIT=SECONDS: a test that hangs fails then, for runs that nobody watches
limited = $(if $(LIMIT),--exec 'timeout -k 30 $(LIMIT)')

#: make check      the tests; no root, nothing but loopback
check: built
	@./setup check
	prove --timer $(limited) -j8 $(ctests) $(TESTS)

#: make check-mta  real MTAs in chroots and network namespaces (root); MTA_JOBS=2 at a time
MTA_JOBS ?= 2
check-mta: all $(helpers) $(preloads)
	@./setup mta
	prove -v --timer $(limited) -j$(MTA_JOBS) $(sort $(wildcard t/mta/*.t))

#: make lint       floors, headers, shellcheck, man pages
lint: $(BUILD)/.ready
	@./setup lint
	t/lint

#: make asan       the tests again under AddressSanitizer and UBSan (make asan TESTS= : C only)
undefined = -fsanitize=undefined -fno-sanitize-recover=undefined
# what is not initialised is not zero by chance
pattern = -ftrivial-auto-var-init=pattern
sanitized = BUILD=build/asan CFLAGS='-O1 -g -fsanitize=address $(undefined) -fno-omit-frame-pointer $(pattern)'
asan:
	$(MAKE) check $(sanitized)

#: make fuzz       each parser under libFuzzer (FUZZ_TIME=60 seconds; clang)
FUZZ_TIME ?= 60
fuzzing = BUILD=build/fuzz CC=clang CFLAGS='-O1 -g -fsanitize=fuzzer-no-link,address $(undefined)'
fuzz:
	@./setup fuzz
	$(MAKE) fuzzers $(fuzzing)
	t/fuzz/run build/fuzz/fuzz $(FUZZ_TIME)

# what all these run, to be made beforehand with -j
built: all $(ctests) $(helpers) $(preloads) $(gauges)
fuzzers: $(fuzzers)
built-all: built
	$(MAKE) built $(sanitized)
	@./setup fuzz
	$(MAKE) fuzzers $(fuzzing)

#: make bench      speed, beside that of others (PART='sizes turning', QUICK=1; root)
bench: all $(helpers) $(gauges) $(preloads)
	@./setup bench
	@t/bench/run $(PART)

completions = $(PREFIX)/share/bash-completion/completions

$(BUILD)/bash-completion: share/bash-completion $(bins) $(scripts) $(wildcard bin/*.sh)
	share/bash-completion $(bins) $(scripts) >$@.$$$$ && mv $@.$$$$ $@

#: make install    into $(DESTDIR)$(PREFIX)
install: all $(BUILD)/bash-completion
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/libexec/tidegate
	install -m 755 $(bins) $(scripts) $(DESTDIR)$(PREFIX)/bin
	install -m 644 $(wildcard bin/*.sh) $(DESTDIR)$(PREFIX)/libexec/tidegate
	install -D -m 644 $(BUILD)/bash-completion $(DESTDIR)$(completions)/tidegate
	for p in $(tools) $(notdir $(scripts)); do ln -sf tidegate $(DESTDIR)$(completions)/$$p || exit 1; done
	for m in $(mans); do \
		install -D -m 644 $$m $(DESTDIR)$(PREFIX)/share/man/man$${m##*.}/$${m##*/} || exit 1; \
	done
	for f in $(shared); do \
		to=$(DESTDIR)$(PREFIX)/share/tidegate/$${f#share/}; \
		install -D -m "$$(stat -c %a "$$f")" "$$f" "$$to" && \
		sed -i 's|@BINDIR@|$(PREFIX)/bin|; s|@SHAREDIR@|$(PREFIX)/share/tidegate|' "$$to" || exit 1; \
	done

#: make uninstall  takes away what install put there
uninstall:
	cd $(DESTDIR)$(PREFIX)/bin && rm -f $(tools) $(notdir $(scripts))
	rm -rf $(DESTDIR)$(PREFIX)/libexec/tidegate $(DESTDIR)$(PREFIX)/share/tidegate
	cd $(DESTDIR)$(completions) && rm -f tidegate $(tools) $(notdir $(scripts))
	for m in $(mans); do rm -f $(DESTDIR)$(PREFIX)/share/man/man$${m##*.}/$${m##*/}; done

#: make clean      back to a fresh clone
clean:
	rm -rf build $(links)

#: make soak       the long campaigns: kills, cuts, fuzzing (SEED=N KILLS=200 LETTERS=2000; root; hours)
KILLS ?= 200
LETTERS ?= 2000
CUTS ?= 40
soak: all $(helpers) $(preloads)
	@./setup mta
	KILLS=$(KILLS) LETTERS=$(LETTERS) CUTS=$(CUTS) prove -v t/mta/drain.t t/mta/drop.t $(sort $(wildcard t/mta/take-*.t))
	SHELLS=all prove -v $(wildcard t/gateway-*sh.t)
	$(MAKE) fuzz FUZZ_TIME=1800

#: make dist       tidegate-VERSION.tar.gz, of what is committed
dist:
	git archive --format=tar.gz -9 --prefix=tidegate-$(VERSION)/ -o tidegate-$(VERSION).tar.gz HEAD

#: make deb        a Debian package of what is committed, in $(BUILD)/deb
deb: dist
	@./setup deb
	packaging/deb tidegate-$(VERSION).tar.gz $(BUILD)/deb

#: make coverage   what the tests run through, by room, and the functions that none has called
# exec keeps its counts in GNU C only
counting = BUILD=build/coverage CFLAGS='-O0 -g -std=gnu11 -include t/coverage.h --coverage -fprofile-update=atomic'
coverage:
	@./setup coverage
	$(MAKE) all $(counting)
	t/coverage --begin build/coverage
	$(MAKE) check $(counting); bad=$$?; t/coverage build/coverage && exit $$bad

.PHONY: all built built-all help demo check check-mta lint asan fuzz fuzzers install uninstall clean bench coverage soak dist deb
.SECONDARY:
-include $(shell find $(BUILD)/src $(BUILD)/t -name '*.d' 2>/dev/null)
