#!/bin/bash
# lab: --disk 16M --disk 96M --timeout 600
# While the space of a removed snapshot is being freed, which takes long, others get the volume in between, and a command that
# comes upon what is left of it, such as start, leaves it to a process of its own.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cli.sh"
disk=$DEV2NAME sectors=$(blockdev --getsz "$DEV2NAME")
dmsetup create slow --table "0 $sectors linear $disk 0"
DEV2NAME=/dev/mapper/slow
. "$(dirname "$0")/stack.sh"

# table TARGET... - what lies under the store.
table() {
	dmsetup load slow --table "0 $sectors $*"
	dmsetup suspend slow
	dmsetup resume slow
}

going() {
	"$helpers/store-show" "$store" | grep -c 'state=removed\|state=deleting' || true
}

# until_gone TENTHS - for so long at most.
until_gone() {
	local i
	for ((i = 0; i < $1; i++)); do
		[[ $(going) != 0 ]] || return 0
		sleep 0.1
	done
	return 1
}

change() {
	dd if=/dev/urandom of=/dev/mapper/home bs=16k count="$1" seek="$2" oflag=direct conv=notrunc status=none
}

modprobe dm-delay
z define volume home "$origin" "$store" >/dev/null
take
change 500 0
take
change 500 400
take
table delay "$disk" 0 0 "$disk" 0 60
expect 0 'remove' z remove home 2 --no-wait
unset 'taken[2]'
expect 0 'a snapshot meanwhile' z snapshot home
is "$(going)" 1 'has not waited until all is done'
taken[4]=${taken[3]}
expect 0 'a hold meanwhile' z hold home 1 kept
is "$(going)" 1 'without waiting'
expect 0 'stop' z stop
is "$(going)" 1 'without waiting'
expect 0 'start' z start
is "$(going)" 1 'without waiting'
table linear "$disk" 0
if until_gone 600; then pass 'by and by all is done'; else fail 'by and by all is done'; fi
is "$(differing)" '' 'the others are right'
expect 0 'check' z check home
done_testing
