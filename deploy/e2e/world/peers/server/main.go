// Command server is a server of fclairamb/ftpserverlib for anybody: ADDRESS
// FOLDER.
package main

import (
	"crypto/tls"
	"errors"
	"log"
	"net"
	"os"

	ftpserver "github.com/fclairamb/ftpserverlib"
	"github.com/spf13/afero"
)

type driver struct{ address, folder string }

func (d driver) GetSettings() (*ftpserver.Settings, error) {
	return &ftpserver.Settings{
		ListenAddr:               net.JoinHostPort(d.address, "21"),
		PassiveTransferPortRange: &ftpserver.PortRange{Start: 20000, End: 29999},
		DefaultTransferType:      ftpserver.TransferTypeBinary,
	}, nil
}
func (d driver) ClientConnected(ftpserver.ClientContext) (string, error) { return "ready", nil }
func (d driver) ClientDisconnected(ftpserver.ClientContext)              {}
func (d driver) AuthUser(_ ftpserver.ClientContext, _, _ string) (ftpserver.ClientDriver, error) {
	return afero.NewBasePathFs(afero.NewOsFs(), d.folder), nil
}
func (d driver) GetTLSConfig() (*tls.Config, error) { return nil, errors.New("no TLS") }

func main() {
	log.Fatal(ftpserver.NewFtpServer(driver{os.Args[1], os.Args[2]}).ListenAndServe())
}
