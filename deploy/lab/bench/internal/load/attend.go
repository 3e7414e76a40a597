package load

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"ftpalg/deploy/lab"
)

// Attend runs a process of clients from its start to its end. When the job is
// done, and the process with its idle sessions still there, meanwhile is
// called.
func Attend(c *lab.Command, meanwhile func(Result) error) error {
	var stderr bytes.Buffer
	c.Stderr = &stderr
	stdin, err := c.StdinPipe()
	if err != nil {
		return fmt.Errorf("clients: %w", err)
	}
	stdout, err := c.StdoutPipe()
	if err != nil {
		return fmt.Errorf("clients: %w", err)
	}
	if err := c.Start(); err != nil {
		return err
	}
	var result Result
	failed := json.NewDecoder(stdout).Decode(&result)
	if failed == nil {
		failed = meanwhile(result)
	}
	_ = stdin.Close() // it ends the process; if not, its context does
	if err := errors.Join(failed, c.Wait()); err != nil {
		return fmt.Errorf("clients: %w: %s", err, bytes.TrimSpace(stderr.Bytes()))
	}
	return nil
}
