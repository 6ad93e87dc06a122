#!/bin/bash
# lab: --disk 16M --disk 16M
# A kernel without what is needed: exit 5, one line, nothing changed.
. "$(dirname "$0")/lib.sh"
zumastor=/usr/sbin/zumastor
modules=/lib/modules/$(uname -r)

z() {
	"$zumastor" "$@" </dev/null
}

contents() {
	cat "$DEV1NAME" "$DEV2NAME" | md5sum
	find /var/lib/zumastor -type f
	dmsetup ls
	cat /proc/mounts
}

[[ ! -e /sys/module/dm_snapshot ]] || skip_all 'this kernel has the target loaded'
mkdir "$scratch/none"
mount --bind "$scratch/none" "$modules/"
before=$(contents)
expect 5 'define without the snapshot target' z define volume home "$DEV1NAME" "$DEV2NAME"
is "$(<"$err")" "zumastor define volume: this kernel lacks the device-mapper target 'snapshot'" 'one line names it'
is "$(contents)" "$before" 'nothing is changed'
umount "$modules/"
expect 0 'with it the same works' z define volume home "$DEV1NAME" "$DEV2NAME"
done_testing
