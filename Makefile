# Two commands do everything on a fresh Debian or Ubuntu with Go, as root:
#
#   make demo    FTP through NAT and a closed firewall, shown on three hosts
#   make test    every test, the end-to-end ones with real servers and clients
#
# Both install the Debian packages that they need and this machine lacks.

DEMO_TOOLS := iptables:iptables ip:iproute2
TEST_TOOLS := $(DEMO_TOOLS) iptables-legacy:iptables vsftpd:vsftpd curl:curl wget:wget lftp:lftp tnftp:tnftp conntrack:conntrack tcpdump:tcpdump systemd-analyze:systemd \
	/usr/share/doc/python3-pyftpdlib:python3-pyftpdlib unshare:util-linux setpriv:util-linux ss:iproute2 \
	promtool:prometheus logrotate:logrotate chromium:chromium nft:nftables python3:python3 gnutls-cli:gnutls-bin openssl:openssl firewalld:firewalld dbus-daemon:dbus strace:strace groff:groff-base ufw:ufw keepalived:keepalived haproxy:haproxy conntrackd:conntrackd
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

NFPM := github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.43.0

# The version is the newest one of CHANGELOG.md.
VERSION := $(shell sed -n 's/^## \([0-9][0-9.]*\).*/\1/p' CHANGELOG.md | head -n 1)
LDFLAGS := -X main.release=$(VERSION)

SOURCES := $(shell find alg rules cmd deploy -name '*.go' -o -name '*.yaml') go.mod go.sum

# ftpalg executes the others, so whoever builds the one has them.
ftpalg: ftpalg-inspect ftpalg-acme
ftpalg ftpalg-inspect ftpalg-acme: $(SOURCES)
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o $@ ./cmd/$@

.PHONY: demo
demo: demo-tools ftpalg
	go run ./deploy/demo ./ftpalg

# The two packages that take longest come first: they wait more than they
# compute, and the last of them would begin when all others have ended.
.PHONY: test
test: test-tools
	FTPALG_E2E=1 go test -count=1 -timeout 12m ./rules ./deploy/e2e ./...
	FTPALG_E2E=1 FTPALG_DATA_PATH=conntrack go test -count=1 -timeout 12m ./deploy/e2e
	FTPALG_E2E=1 FTPALG_DATA_PATH=relay go test -count=1 -timeout 12m ./deploy/e2e
	cd deploy/helm/check && go test -count=1 ./...

.PHONY: race
race: test-tools
	FTPALG_E2E=1 go test -count=1 -race -timeout 12m ./rules/... ./alg/... ./cmd/...

# Attacks, faults and load, one row each with its outcome.
.PHONY: withstand
withstand: test-tools
	go run ./deploy/withstand

# Every fuzzer, each for so long.
FUZZTIME := 1m
.PHONY: fuzz
fuzz:
	deploy/fuzz.sh $(FUZZTIME)

.PHONY: lint
lint:
	@test -z "$$(gofmt -l .)" || { gofmt -d .; exit 1; }
	go vet ./...
	go run $(STATICCHECK) ./...
	cd deploy/helm/check && go vet ./...
	deploy/vulncheck.sh ./cmd/...

# Logins, transfers, aborts and vanishing clients for 15 minutes in each data path:
# what the gateway uses comes back to where it was.
.PHONY: soak
soak: test-tools
	for path in iptables conntrack relay; do FTPALG_E2E=1 FTPALG_SOAK=900 FTPALG_DATA_PATH=$$path \
		go test -count=1 -timeout 30m -v -run TestASoak ./deploy/e2e || exit 1; done

# Every client with every server, about an hour; writes deploy/doc/compatibility.md.
# Its files are in memory where that is possible: a disk that stalls would stall
# the servers of one thread, and with them whoever talks to them.
.PHONY: world
world: test-tools
	if [ -w /dev/shm ]; then export TMPDIR=/dev/shm; fi; FTPALG_E2E=1 FTPALG_WORLD=1 go test -count=1 -timeout 120m -v ./deploy/e2e/world

.PHONY: bench
bench: bench-tools
	FTPALG_BENCH=1 FTPALG_BENCH_MARKDOWN=$(CURDIR)/deploy/lab/bench.md FTPALG_BENCH_SVG=$(CURDIR)/deploy/lab/bench.svg \
		go test -count=1 -timeout 60m -run TestBench -v ./deploy/lab/bench

# Packages for Debian and RPM, of both architectures, in build/. Times in them are
# those of the last commit, so that who builds it again gets the same bytes.
ARCHITECTURES := amd64 arm64
export SOURCE_DATE_EPOCH := $(shell git log -1 --format=%ct 2>/dev/null || echo 0)
.PHONY: package
package: $(ARCHITECTURES:%=package-%)
package-%: ftpalg
	rm -rf build/$*
	mkdir -p build/$*
	for program in ftpalg ftpalg-inspect ftpalg-acme; do \
		CGO_ENABLED=0 GOARCH=$* go build -trimpath -ldflags '-s -w $(LDFLAGS)' -o build/$*/$$program ./cmd/$$program || exit 1; done
	for page in ftpalg.8 ftpalg.yaml.5; do ./ftpalg manual $$page | gzip -9n >build/$*/$$page.gz || exit 1; done
	for shell in bash zsh fish; do ./ftpalg completion $$shell >build/$*/ftpalg.$$shell || exit 1; done
	./ftpalg schema >build/$*/ftpalg.schema.json
	for packager in deb rpm; do \
		ARCH=$* VERSION=$(VERSION) BUILD=build/$* \
			go run $(NFPM) package --config deploy/package/nfpm.yaml --packager $$packager --target build || exit 1; done

# What is published: the packages, a list of what they are made of (CycloneDX),
# and checksums of all.
SBOM := github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.9.0
.PHONY: release
release: package
	go run $(SBOM) app -json -noserial -main cmd/ftpalg -output build/ftpalg-$(VERSION).cdx.json .
	sed -i "s/\"timestamp\": \"[^\"]*\"/\"timestamp\": \"$$(date -u -d @$(SOURCE_DATE_EPOCH) +%Y-%m-%dT%H:%M:%SZ)\"/" build/ftpalg-$(VERSION).cdx.json
	cd build && sha256sum ftpalg[_-]$(VERSION)[_-]* ftpalg-$(VERSION).cdx.json >SHA256SUMS

# The packages in a Debian tree: installed, used, upgraded, removed and purged.
.PHONY: package-test
package-test: test-tools
	deploy/need.sh debootstrap:debootstrap
	FTPALG_E2E=1 FTPALG_PACKAGE=1 go test -count=1 -timeout 20m -v ./deploy/e2e/packages

# Everything an operator needs, below DESTDIR.
.PHONY: install
install: ftpalg
	install -D -m 755 -t $(DESTDIR)/usr/bin ftpalg ftpalg-inspect ftpalg-acme
	install -D -m 644 -t $(DESTDIR)/usr/lib/systemd/system deploy/systemd/ftpalg.service
	install -D -m 644 -t $(DESTDIR)/usr/lib/sysctl.d deploy/sysctl.d/90-ftpalg.conf
	install -D -m 644 -t $(DESTDIR)/usr/lib/modules-load.d deploy/modules-load.d/ftpalg.conf
	install -D -m 644 -t $(DESTDIR)/usr/share/doc/ftpalg/examples deploy/examples/*.yaml
	install -D -m 644 -t $(DESTDIR)/usr/share/doc/ftpalg deploy/doc/*.md
	install -D -m 644 -t $(DESTDIR)/usr/share/doc/ftpalg/monitoring deploy/monitoring/*
	install -D -m 644 -t $(DESTDIR)/usr/share/doc/ftpalg/ha deploy/ha/*
	install -D -m 644 -t $(DESTDIR)/etc/logrotate.d deploy/logrotate.d/ftpalg
	install -D -m 644 -t $(DESTDIR)/usr/lib/sysusers.d deploy/sysusers.d/ftpalg.conf
	install -D -m 644 -t $(DESTDIR)/usr/lib/tmpfiles.d deploy/tmpfiles.d/ftpalg.conf
	test -e $(DESTDIR)/etc/ftpalg/ftpalg.yaml || install -D -m 640 deploy/examples/legacy-server.yaml $(DESTDIR)/etc/ftpalg/ftpalg.yaml

.PHONY: demo-tools test-tools bench-tools
demo-tools:
	@deploy/need.sh $(DEMO_TOOLS)
test-tools:
	@deploy/need.sh $(TEST_TOOLS)
bench-tools:
	@deploy/need.sh $(TEST_TOOLS) ftp-proxy:ftp-proxy taskset:util-linux
