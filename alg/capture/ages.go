package capture

// ages is the list of all connections by the time of their latest segment.
type ages struct{ eldest, newest *connection }

func (l *ages) oldest() *connection { return l.eldest }

func (l *ages) add(c *connection) {
	c.elder, c.newer = l.newest, nil
	if l.newest != nil {
		l.newest.newer = c
	} else {
		l.eldest = c
	}
	l.newest = c
}

func (l *ages) remove(c *connection) {
	if c.elder != nil {
		c.elder.newer = c.newer
	} else if l.eldest == c {
		l.eldest = c.newer
	}
	if c.newer != nil {
		c.newer.elder = c.elder
	} else if l.newest == c {
		l.newest = c.elder
	}
	c.elder, c.newer = nil, nil
}

func (l *ages) touch(c *connection) {
	if l.newest != c {
		l.remove(c)
		l.add(c)
	}
}
