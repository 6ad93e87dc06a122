#!/bin/bash
# lab: --disk 16M --disk 32M --timeout 200
# A snapshot that keeps nothing but what an older one keeps, too, is read by no view of that: its device is not left behind, and
# check does not find fault with it.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cli.sh"
helpers=/usr/libexec/zumastor

# change COUNT - of the same chunks.
change() {
	dd if=/dev/urandom of=/dev/mapper/home bs=64k seek=9 count="$1" oflag=direct conv=notrunc status=none
}

z define volume home "$DEV1NAME" "$DEV2NAME" >/dev/null
for n in 2 1 1; do
	z snapshot home >/dev/null
	change "$n"
done
for n in 1 2 3; do
	z umount home "$n"
done
expect 0 'the oldest is shown' z mount home 1
devices=$(dmsetup ls | sort)
expect 0 'check' z check home
is "$(<"$out")" "volume 'home' is well, and running" 'it is well'
is "$(dmsetup ls | sort)" "$devices" 'check leaves nothing'
"$helpers/dm-settle" home "$DEV2NAME"
is "$(dmsetup ls | sort)" "$devices" 'nor was anything left'
expect 0 'by a snapshot' z snapshot home
expect 0 'check after that' z check home
done_testing
