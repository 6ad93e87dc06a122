#!/bin/bash
# lab: --disk 4M --disk 64M --timeout 600
# Clones: written without changing any snapshot, there again after a restart, protected and removed; a volume on a clone
# with snapshots of its own in the same store.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/stack.sh"

dm_clone() {
	"$helpers/dm-clone" "$1" home "$store" "${@:2}"
}

# write DEVICE - a few random chunks of it.
write() {
	local n
	for ((n = 0; n < 4; n++)); do
		dd if=/dev/urandom of="$1" bs=4k count=3 seek=$((RANDOM % 1000)) oflag=direct conv=notrunc status=none
	done
}

restart() {
	"$helpers/dm-stop" home "$store" && "$helpers/dm-start" home "$origin" "$store"
}

make_volume
for ((n = 0; n < 3; n++)); do
	take
	scribble 5
done
expect 0 'a clone of the oldest' dm_clone create 1 one
is "$(<"$out")" /dev/zumastor/home/one 'says where it is'
expect 0 'a clone of the head' dm_clone create 3 three
is "$(content /dev/zumastor/home/one)" "${taken[1]}" 'it shows its snapshot'
is "$(content /dev/zumastor/home/three)" "${taken[3]}" 'and so does the other'
write /dev/zumastor/home/one
write /dev/zumastor/home/three
one=$(content /dev/zumastor/home/one) three=$(content /dev/zumastor/home/three)

# all DESCRIPTION - clones and snapshots are what they were.
all() {
	is "$(content /dev/zumastor/home/one) $(content /dev/zumastor/home/three)" "$one $three" "$1: the clones"
	is "$(differing)" '' "$1: the snapshots"
}

all 'written'
scribble 5
take
scribble 5
all 'a snapshot later'
expect 0 'a snapshot between is removed' "$helpers/dm-remove" home "$store" 2
unset 'taken[2]'
all 'one removed'
for id in 1 3; do
	expect 3 "snapshot $id has a clone and stays" "$helpers/dm-remove" home "$store" "$id"
done
expect 0 'restart' restart
all 'restarted'
expect 1 'no second one of that name' dm_clone create 1 one
expect 4 'no such clone' dm_clone remove two
expect 4 'no such snapshot' dm_clone create 99 two
for name in 1 origin x.store a/b '' -x "$(printf 'n%.0s' {1..33})"; do
	expect 2 "no name: '$name'" dm_clone create 1 "$name"
done
exec 9</dev/zumastor/home/one
expect 3 'an open clone stays' dm_clone remove one
expect 3 'and so does the volume' "$helpers/dm-stop" home "$store"
exec 9<&-
like "$(fact clones)" '^one:1:up,three:3:up$' 'the status names them'

# A volume on a clone.
expect 0 'a store for it' dm_clone store one work
on=$(<"$out")
expect 0 'again' dm_clone store one work
expect 1 'not for another' dm_clone store one play
sub() {
	"$helpers/dm-$1" work "$on" "${@:2}"
}
expect 0 'start it' "$helpers/dm-start" work /dev/zumastor/home/one "$on"
declare -A own=()
for ((n = 0; n < 4; n++)); do
	hash=$(content /dev/mapper/work)
	id=$(sub snapshot | sed -n 's/^id=//p')
	own[$id]=$hash
	write /dev/mapper/work
done
own_differing() {
	local id
	for id in "${!own[@]}"; do
		sub show "$id" >/dev/null
		[[ $(content "/dev/zumastor/work/$id") == "${own[$id]}" ]] || printf '%s ' "$id"
	done
}
sub settle
is "$(own_differing)" '' 'its snapshots are right'
is "$(differing)" '' 'and those of the volume below'
scribble 5
take
is "$(own_differing)$(differing)" '' 'both go on'
expect 3 'the volume below cannot be stopped' "$helpers/dm-stop" home "$store"
expect 3 'nor the clone removed' dm_clone remove one
expect 5 'a volume on a clone of it would be too deep' sh -c "'$helpers/dm-clone' create work $on 1 deep && '$helpers/dm-clone' store work $on deep more"
expect 0 'a clone of it is not' test -b /dev/zumastor/work/deep
is "$(content /dev/zumastor/work/deep)" "${own[1]}" 'and shows its snapshot'

# depth DEVICE - of the longest path of dm devices under it.
depth() {
	local slave deepest=0 n
	for slave in "/sys/block/${1##*/}/slaves"/*; do
		[[ ${slave##*/} != dm-* ]] || { n=$(depth "${slave##*/}"); ((n <= deepest)) || deepest=$n; }
	done
	printf '%s' $((deepest + 1))
}
"$helpers/dm-settle" home "$store"
sub settle
deepest=0
for device in /sys/block/dm-*; do
	n=$(depth "${device##*/}")
	((n <= deepest)) || deepest=$n
done
is "$((deepest <= 12))" 1 "no path is deeper than 12 devices: $deepest"
expect 0 'remove one of its snapshots' sub remove 2
unset 'own[2]'
expect 0 'stop it' sub stop
expect 0 'restart below' restart
expect 0 'start it' "$helpers/dm-start" work /dev/zumastor/home/one "$on"
is "$(own_differing)$(differing)" '' 'all are right after that'
expect 3 'a clone with a volume that has clones stays' sh -c "'$helpers/dm-stop' work $on; '$helpers/dm-clone' remove home $store one"
expect 0 'start it' "$helpers/dm-start" work /dev/zumastor/home/one "$on"
expect 0 'its clone goes' "$helpers/dm-clone" remove work "$on" deep
expect 0 'stop it' sub stop
expect 0 'then the clone goes' dm_clone remove one
expect 0 'and the other' dm_clone remove three
is "$(differing)" '' 'the snapshots are right'
for id in "${!taken[@]}"; do
	"$helpers/dm-remove" home "$store" "$id"
done
is "$(fact store_used_bytes)" 0 'and nothing is left in the pool'
"$helpers/dm-stop" home "$store"
is "$(dmsetup ls)$(ls /dev/zumastor 2>/dev/null)" 'No devices found' 'nothing is left'
done_testing
