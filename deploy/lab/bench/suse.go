package bench

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"

	"ftpalg/deploy/lab/bench/internal/load"
)

// suseConfiguration is of SUSE's proxy-suite, ftp-proxy.conf(5). It runs as
// root as the others do.
const suseConfiguration = `[-Global-]
ServerType standalone
Listen %s
Port 21
DestinationAddress %s
DestinationPort 21
MaxClients %d
ForkLimit 1000000
TimeOut 900
LogDestination %s
LogLevel ERR
PidFile %s
`

// suseClients is the most that ftp-proxy.conf(5) allows for MaxClients.
const suseClients = 512

func suseAbsent(context.Context) error {
	if _, err := exec.LookPath("ftp-proxy"); err != nil {
		return errors.New("the Debian package ftp-proxy is not installed")
	}
	return nil
}

// suseProxy copies every byte, so that its host forwards nothing and needs no
// rule.
func suseProxy(st *stand) error {
	text := fmt.Sprintf(suseConfiguration, st.Contact, st.Own, suseClients,
		filepath.Join(st.dir, "ftp-proxy.txt"), filepath.Join(st.dir, "ftp-proxy.pid"))
	file, err := st.file("ftp-proxy.conf", text)
	if err != nil {
		return err
	}
	_, err = st.start("ftp-proxy", "-d", "-f", file)
	return err
}

func suseLacks(job load.Job) string {
	switch {
	case job.Mode == load.EPSV:
		return "knows no EPSV"
	case job.Idle+job.Sessions > suseClients:
		return fmt.Sprintf("serves at most %d clients", suseClients)
	}
	return ""
}
