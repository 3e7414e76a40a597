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
		Name: t.Name, Text: t.Form == 'A' || t.Form == 'E', Upload: t.Uploads(), User: t.User, Complete: t.Complete,
	})
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
