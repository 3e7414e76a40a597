// Package ctnetlink speaks with connection tracking over netlink
// (linux/netfilter/nfnetlink_conntrack.h). It has no policy: it writes
// messages, reads entries and expectations, and subscribes to events. One
// packet of messages costs two system calls, and allocates nothing. A Hold
// keeps tracking on, whatever becomes of the firewall's tables.
package ctnetlink
