package page

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// frame is what the page's script receives: a snapshot as one view shows it.
type frame struct {
	Taken     time.Time      `json:"taken"`
	Version   string         `json:"version"`
	Started   time.Time      `json:"started"`
	Ready     bool           `json:"ready"`
	Missing   []string       `json:"missing"`
	Path      string         `json:"path"`
	Why       string         `json:"why"`
	Listeners []string       `json:"listeners"`
	Sessions  table[Session] `json:"sessions"`
	Pinholes  table[Pinhole] `json:"pinholes"`
	Pools     []Pool         `json:"pools"`
	Refusals  []Refusal      `json:"refusals"`
	Traffic   Traffic        `json:"traffic"`
	Uncounted bool           `json:"uncounted"`
}

// encode returns s as v shows it, as one server-sent event (HTML standard,
// section 9.2.6).
func encode(s *Snapshot, v view) ([]byte, error) {
	f := frame{
		Taken: s.Taken, Version: s.Version, Started: s.Started,
		Ready: s.Ready, Missing: s.Missing, Path: s.Path, Why: s.Why, Listeners: s.Listeners,
		Sessions: pick(s.Sessions, v.query, (*Session).text, v.sessions, sessionColumns),
		Pinholes: pick(s.Pinholes, v.query, (*Pinhole).text, v.pinholes, pinholeColumns),
		Pools:    s.Pools, Refusals: s.Refusals, Traffic: s.Traffic, Uncounted: s.Uncounted,
	}
	var out bytes.Buffer
	out.WriteString("data: ")
	if err := json.NewEncoder(&out).Encode(f); err != nil { // ends with a line feed
		return nil, fmt.Errorf("encode the snapshot: %w", err)
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}
