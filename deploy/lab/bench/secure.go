package bench

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"ftpalg/deploy/lab/debian"
)

// pair writes a certificate that has signed itself, and its key.
func (st *stand) pair() (cert, key string, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", "", err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "benchmark"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	public, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		return "", "", err
	}
	text, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return "", "", err
	}
	cert, failed := st.file("cert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: public})))
	key, err = st.file("key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: text})))
	return cert, key, errors.Join(failed, err)
}

// securePort is where servers listen that speak TLS themselves, beside that of the
// load.
const securePort = 2121

// vsftpdConfiguration wants data connections to resume, as it does by default.
const vsftpdConfiguration = `background=NO
listen=YES
listen_address=%[1]s
listen_port=%[2]d
anonymous_enable=YES
anon_root=%[3]s
secure_chroot_dir=%[3]s/empty
seccomp_sandbox=NO
isolate_network=NO
max_clients=0
max_per_ip=0
ssl_enable=YES
allow_anon_ssl=YES
force_anon_logins_ssl=YES
force_anon_data_ssl=YES
require_ssl_reuse=YES
ssl_ciphers=HIGH
rsa_cert_file=%[4]s
rsa_private_key_file=%[5]s
`

func vsftpdAbsent(context.Context) error {
	if _, err := exec.LookPath("vsftpd"); err != nil {
		return errors.New("the Debian package vsftpd is not installed")
	}
	return nil
}

// vsftpdTLS: no gateway, and a server of C that speaks TLS itself. Its files have their
// lengths as names, as those of the load's server.
func vsftpdTLS(st *stand) error {
	cert, key, err := st.pair()
	if err != nil {
		return err
	}
	root := filepath.Join(st.dir, "root")
	err = errors.Join(os.Chmod(st.dir, 0o755), os.MkdirAll(filepath.Join(root, "empty"), 0o755))
	for _, length := range []int64{small, large} {
		path := filepath.Join(root, strconv.FormatInt(length, 10))
		err = errors.Join(err, os.WriteFile(path, nil, 0o644), os.Truncate(path, length))
	}
	if err != nil {
		return err
	}
	file, err := st.file("vsftpd.conf", fmt.Sprintf(vsftpdConfiguration, st.Own, securePort, root, cert, key))
	if err != nil {
		return err
	}
	if err := openRoad(st); err != nil {
		return err
	}
	st.at = netip.AddrPortFrom(st.Own, securePort)
	_, err = st.startOn(st.Server, "vsftpd", file)
	return err
}

// modProxyConfiguration is ProFTPD's mod_proxy as a reverse proxy, mod_tls in front.
const modProxyConfiguration = `ModulePath %[1]s/usr/lib/proftpd
LoadModule mod_tls.c
LoadModule mod_proxy.c
ServerType standalone
DefaultServer on
DefaultAddress %[2]s
SocketBindTight on
Port 21
UseReverseDNS off
User root
Group root
AuthPAM off
DelayEngine off
WtmpLog off
TransferLog none
MaxInstances none
SystemLog %[3]s/system.log
ScoreboardFile %[3]s/scoreboard
PidFile %[3]s/pid
TLSEngine on
TLSRequired on
TLSECCertificateFile %[4]s
TLSECCertificateKeyFile %[5]s
ProxyEngine on
ProxyRole reverse
ProxyTables %[3]s/tables
ProxyReverseServers ftp://%[6]s:21
ProxyTLSEngine off
ProxySourceAddress %[7]s
ProxyDataTransferPolicy pasv
`

var modProxyPackages = []string{"proftpd-core", "proftpd-mod-crypto", "proftpd-mod-proxy"}

func modProxyAbsent(ctx context.Context) error {
	for _, p := range modProxyPackages {
		if exec.CommandContext(ctx, "apt-cache", "show", p).Run() != nil {
			return errors.New("there is no Debian package " + p)
		}
	}
	return nil
}

func modProxyTLS(st *stand) error {
	u := debian.NewUnpacked(st.dir)
	for _, p := range modProxyPackages {
		if err := u.Fetch(p); err != nil {
			return err
		}
	}
	cert, key, err := st.pair()
	if err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(st.dir, "tables"), 0o700); err != nil {
		return err
	}
	file, err := st.file("proftpd.conf", fmt.Sprintf(modProxyConfiguration, u.Root(), st.Contact, st.dir, cert, key, st.Own, "198.18.1.1"))
	if err != nil {
		return err
	}
	_, err = st.start("env", append(append(u.Environment(), u.Find("proftpd")), "--nodaemon", "--config", file)...)
	return err
}
