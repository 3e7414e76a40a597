#!/bin/sh
# Called by keepalived: the connections that the other machine has told of go into
# the kernel when this one becomes active, and are asked for when it becomes the
# standby (conntrackd(8)).
conntrackd="${CONNTRACKD:-conntrackd}"
case "$1" in
active)
	$conntrackd -c # commit what the other machine knew
	$conntrackd -f # forget it here
	$conntrackd -R # and send what is in the kernel now
	$conntrackd -B
	;;
standby)
	$conntrackd -t # shorten what lingers in the kernel
	$conntrackd -n # ask the active one for all it has
	;;
esac
