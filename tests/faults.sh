# faults.sh - for tests of what happens when a disk fails for a while.   Source it after lib.sh.
# shellcheck shell=bash

# table_of DEVICE TABLE - what a device is on, from now on, whatever is under way.
table_of() {
	dmsetup load "$1" --table "$2"
	dmsetup suspend --nolockfs --noflush "$1"
	dmsetup resume "$1"
}

# while_failing DEVICE COMMAND... - run it while every access to the device fails.
while_failing() {
	local good
	good=$(dmsetup table "$1")
	table_of "$1" "${good/linear*/error}"
	"${@:2}"
	table_of "$1" "$good"
}
