package alg

// run collects adjoining lines that pass untouched, so that lines which came
// together leave together and are not copied.
type run struct {
	to Conn
	in *buffer
	// ready is how much of the buffer's front has passed and is not written.
	ready int
}

// pass lets the next n bytes through.
func (r *run) pass(n int) { r.ready += n }

// flush writes what has passed.
func (r *run) flush() error {
	if r.ready == 0 {
		return nil
	}
	b := r.in.unread()[:r.ready]
	defer func() {
		r.in.consume(r.ready)
		r.ready = 0
	}()
	if u := r.in.urgent; u != noUrgent && u < r.ready {
		return writeUrgent(r.to, b, u)
	}
	_, err := r.to.Write(b)
	return err
}

// writeUrgent writes b, whose byte at u came as urgent data, so that it
// leaves as urgent data.
func writeUrgent(to Conn, b []byte, u int) error {
	c, ok := to.(urgent)
	if !ok {
		_, err := to.Write(b)
		return err
	}
	if _, err := c.WriteUrgent(b[:u+1]); err != nil {
		return err
	}
	if u+1 == len(b) {
		return nil
	}
	_, err := to.Write(b[u+1:])
	return err
}

// drop leaves the next n bytes out.
func (r *run) drop(n int) error {
	if n == 0 {
		return nil
	}
	err := r.flush()
	r.in.consume(n)
	return err
}

// replace writes b in the place of the next n bytes.
func (r *run) replace(n int, b []byte) error {
	if err := r.drop(n); err != nil {
		return err
	}
	_, err := r.to.Write(b)
	return err
}

// insert writes b behind what has passed.
func (r *run) insert(b []byte) error {
	if err := r.flush(); err != nil {
		return err
	}
	_, err := r.to.Write(b)
	return err
}
