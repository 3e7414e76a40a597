package opener

import (
	"bytes"
	"context"
	"time"

	"ftpalg/cmd/internal/config"
)

// watchEvery is how often the configuration is looked at, if it is watched. What
// has changed must be the same twice: a file that is being written is not read
// in its middle.
const watchEvery = 2 * time.Second

// watchFiles reloads the configuration when it has changed, until ctx ends.
func (o *Opener) watchFiles(ctx context.Context) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	tried, before := o.inForce(), []byte(nil)
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		text, err := config.Read(o.o.File)
		if err != nil {
			continue // it may be on its way
		}
		if bytes.Equal(text, before) && !bytes.Equal(text, tried) && !bytes.Equal(text, o.inForce()) {
			o.log.Info("the configuration has changed", "event", "config_changed", "file", o.o.File)
			o.reload() // says itself what came of it
			tried = text
		}
		before = text
	}
}

// inForce returns the text of the configuration in force.
func (o *Opener) inForce() []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text
}
