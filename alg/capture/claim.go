package capture

// claim finds the announcements that a new connection belongs to.
func (a *Analyzer) claim(c *connection, s *segment, side int) {
	opener := c.opener
	if opener == unknownSide {
		opener = side
	}
	found := a.expected.find(c.ends[opener], c.ends[1-opener])
	if len(found) == 0 && c.opener == unknownSide {
		found = a.expected.find(c.ends[1-opener], c.ends[opener])
	}
	for _, an := range found {
		an.attempts = append(an.attempts, c)
		c.claimed = true
	}
}

// claimLate finds the connection of an announcement that was understood, or
// recorded, after it had come.
func (a *Analyzer) claimLate(an *Announcement) {
	var found *connection
	for c, n := a.ages.newest, 0; c != nil && n < maxLate && (n < maxNear || c.last > an.Frame); c, n = c.elder, n+1 {
		near := c.first > an.Frame || an.Time.Sub(c.firstTime) < nearTime
		if near && !c.claimed && c.session == nil && c.suits(an) && (found == nil || c.first < found.first) {
			found = c
		}
	}
	if found != nil {
		an.attempts = append(an.attempts, found)
		found.claimed = true
	}
}

// suits reports whether a connection may be the one that was announced.
func (c *connection) suits(an *Announcement) bool {
	from := c.opener
	if from == unknownSide {
		from = c.sideAt(an)
	}
	to := c.ends[1-from]
	return to == an.Said || to.Port() == an.Said.Port() && c.ends[from].Addr() == an.Peer()
}
