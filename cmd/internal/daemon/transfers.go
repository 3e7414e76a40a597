package daemon

import (
	"ftpalg/alg"
	"ftpalg/cmd/internal/xferlog"
)

// logTransfer writes a file's transfer into the transfer log; listings have
// no place there.
func (d *Daemon) logTransfer(t alg.Transfer) {
	if !t.Files() {
		return
	}
	bytes := t.Traffic.FromServer
	if t.Uploads() {
		bytes = t.Traffic.FromClient
	}
	d.transfers.Write(xferlog.Transfer{
		Ended: t.Began.Add(t.Duration), Took: t.Duration, Client: t.Client.Addr(), Bytes: bytes,
		Name: t.Name, Text: t.Form == 'A' || t.Form == 'E', Upload: t.Uploads(), User: t.User, TLS: t.TLS != nil, Complete: t.Complete,
	})
}

// noteTransfer logs how a transfer was carried, listings too.
func (d *Daemon) noteTransfer(t alg.Transfer) {
	mode := ""
	if t.Mode != 0 {
		mode = t.Mode.String()
	}
	d.log.Debug("transfer ended", "event", "transfer", "session", t.Session, "command", string(t.Verb), "file", t.Name, "complete", t.Complete,
		"mode", mode, "relayed", t.Relayed, "tls", t.TLS.String(), "server_tls", t.ServerTLS.String(), "duration", t.Duration,
		"from_client", t.Traffic.FromClient, "from_server", t.Traffic.FromServer)
}

// transfersFailed is told when the transfer log cannot be written, and when
// it can be again.
func (d *Daemon) transfersFailed(err error) {
	if err != nil {
		d.log.Error("transfer log cannot be written, trying again with each transfer", "event", "transfer_log_failed", "error", err)
		return
	}
	d.log.Info("transfer log can be written again", "event", "transfer_log_restored")
}
