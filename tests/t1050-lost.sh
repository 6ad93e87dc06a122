#!/bin/bash
# lab: --disk 32M --disk 32M
# When the store cannot be written, the kernel gives the head up and lets the volume go on: this is recorded and
# said, also after a restart, and new snapshots are right.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cli.sh"
. "$(dirname "$0")/faults.sh"
modprobe loop

change() {
	dd if=/dev/urandom of=/dev/mapper/home bs=16k seek=$((RANDOM % 1000)) count=2 oflag=direct conv=notrunc status=none
}

expect 0 'define' z define volume home "$DEV1NAME" "$DEV2NAME"
expect 0 'snapshot' z snapshot home
change
expect 0 'snapshot' z snapshot home
while_failing home-store-data eval 'change; change'
expect 0 'status answers' z status
like "$(<"$out")" 'Invalid' 'and says that the head is not to be trusted'
expect 0 'a new snapshot is taken' z snapshot home
like "$(<"$err")" 'warning: snapshots 1 2 of .home. are lost' 'and both old ones are said to be lost'
like "$(z list home)" $'1 +[0-9.-]+ +lost' 'the list says so'
expect 0 'status' z status home --json
like "$(<"$out")" '"lost":2' 'and the status'
expect 6 'a lost one cannot be mounted' z mount home 1
expect 0 'stop' z stop volume home
expect 0 'start' z start volume home
like "$(<"$err")" 'warning: snapshots 1 2 of .home. are lost' 'it is said again'
expect 0 'a lost one can be removed' z remove home 1
expect 0 'and the other' z remove home 2
hash=$(dd if=/dev/mapper/home bs=1M iflag=direct status=none | md5sum)
change
expect 4 'they are gone' z mount home 1
/usr/libexec/zumastor/dm-show home "$DEV2NAME" 3 >/dev/null
is "$(dd if=/dev/zumastor/home/3 bs=1M iflag=direct status=none | md5sum)" "$hash" 'the new one is right'
done_testing
