package page

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"ftpalg/cmd/internal/api"
)

// frame is what the page's script receives: a snapshot as one view shows it.
// Its tables stand in the place of the status's numbers of sessions and
// pinholes.
type frame struct {
	Taken time.Time `json:"taken"`
	api.Status
	Sessions table[api.Session] `json:"sessions"`
	Pinholes table[api.Pinhole] `json:"pinholes"`
	Refusals []api.Refusal      `json:"refusals"`
	Traffic  Traffic            `json:"traffic"`
}

// encode returns s as v shows it, as one server-sent event (HTML standard,
// section 9.2.6).
func encode(s *Snapshot, v view) ([]byte, error) {
	f := frame{
		Taken: s.Taken, Status: s.Status, Refusals: s.Refusals, Traffic: s.Traffic,
		Sessions: pick(s.Sessions, v.query, sessionText, v.sessions, sessionColumns),
		Pinholes: pick(s.Pinholes, v.query, pinholeText, v.pinholes, pinholeColumns),
	}
	var out bytes.Buffer
	out.WriteString("data: ")
	if err := json.NewEncoder(&out).Encode(f); err != nil { // ends with a line feed
		return nil, fmt.Errorf("encode the snapshot: %w", err)
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}
