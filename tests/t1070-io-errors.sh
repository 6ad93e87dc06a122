#!/bin/bash
# lab: --disk 4M --disk 16M --timeout 900
# R17: each device - the origin, the store's record, metadata and data - fails each kind of I/O - read, write, flush -
# under each command.  Nothing hangs, nothing stays suspended, and afterwards every snapshot is right, or is said to be lost.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/stack.sh"
modprobe -a dm-delay dm-flakey

devices=(origin record meta data)
faults=(read write flush)
commands=(snapshot remove show start stop settle)
count=50
[[ -z ${ZUMASTOR_LONG-} ]] || count=1000
seed=${ZUMASTOR_SEED:-$RANDOM}
RANDOM=$seed

# The disks, and on each a device that fails everything.
disk1=$origin disk2=$store
sectors1=$(blockdev --getsz "$disk1") sectors2=$(blockdev --getsz "$disk2")
dmsetup create bad1 --table "0 $sectors1 flakey $disk1 0 0 100"
dmsetup create bad2 --table "0 $sectors2 flakey $disk2 0 0 100"
dmsetup create one --table "0 $sectors1 linear $disk1 0"
dmsetup create two --table "0 $sectors2 linear $disk2 0"
origin=/dev/mapper/one store=/dev/mapper/two

# part DISK START SECTORS [FAULT] - a line of a table.
part() {
	local good="$1 $2 0" bad="/dev/mapper/bad1 $2 0"
	[[ $1 == "$disk1" ]] || bad="/dev/mapper/bad2 $2 0"
	case ${4-} in
	read)	printf '%s\n' "$2 $3 delay $bad $good $good" ;;
	write)	printf '%s\n' "$2 $3 delay $good $bad $good" ;;
	flush)	printf '%s\n' "$2 $3 delay $good $good $bad" ;;
	*)	printf '%s\n' "$2 $3 linear $1 $2" ;;
	esac
}

# arm [DEVICE FAULT] - let that fail from now on, or nothing.
arm() {
	local -A failing=([${1:-nothing}]=${2-})
	part "$disk1" 0 "$sectors1" "${failing[origin]-}" | dmsetup load one
	{
		part "$disk2" 0 2048 "${failing[record]-}"
		part "$disk2" 2048 "$meta" "${failing[meta]-}"
		part "$disk2" $((2048 + meta)) $((sectors2 - 2048 - meta)) "${failing[data]-}"
	} | dmsetup load two
	dmsetup suspend --nolockfs one two
	dmsetup resume one two
}

hash() {
	local sum
	sum=$(dd if="$1" bs=1M iflag=direct status=none 2>/dev/null | md5sum)
	REPLY=${sum%% *}
}

change() {
	dd if=/dev/urandom of=/dev/mapper/home bs=16k seek=$((RANDOM % 250)) count=2 oflag=direct conv=notrunc status=none 2>/dev/null
}

# read_states - states[ID]: what the record says of each snapshot.
read_states() {
	local line
	states=()
	while IFS= read -r line; do
		[[ $line =~ ^snapshot=([0-9]+)\ .*state=([a-z]+)\  ]] || continue
		states[${BASH_REMATCH[1]}]=${BASH_REMATCH[2]}
	done < <("$helpers/store-show" "$store")
}

take_one() {
	hash /dev/mapper/home
	id=$("$helpers/dm-snapshot" home "$store" | sed -n 's/^id=//p')
	taken[$id]=$REPLY
	change
}

# fresh - a new volume.
fresh() {
	"$helpers/dm-stop" home "$store" 2>/dev/null || true
	"$helpers/store-format" home "$origin" "$store" >/dev/null
	"$helpers/dm-start" home "$origin" "$store" 2>/dev/null
	taken=()
}

# ready - running, with two good snapshots and no others.
ready() {
	local id
	read_states
	for id in "${!taken[@]}"; do
		if [[ ${states[$id]-} == lost ]] || ((${#taken[@]} > 2)); then
			"$helpers/dm-remove" home "$store" "$id"
			unset "taken[$id]"
		fi
	done
	while ((${#taken[@]} < 2)); do
		take_one
	done
	"$helpers/dm-settle" home "$store"
}

# under_fault COMMAND - its status.
under_fault() {
	local -a ids=("${!taken[@]}")
	local text
	case $1 in
	snapshot)	text=$(timeout 60 "$helpers/dm-snapshot" home "$store" 2>"$err") || return
			taken[$(sed -n 's/^id=//p' <<<"$text")]=$now ;;
	remove)		timeout 60 "$helpers/dm-remove" home "$store" "${ids[0]}" 2>"$err" || return
			unset "taken[${ids[0]}]" ;;
	show)		timeout 60 "$helpers/dm-show" home "$store" "${ids[0]}" >/dev/null 2>"$err" || return
			dd if="/dev/zumastor/home/${ids[0]}" of="$scratch/seen" bs=1M iflag=direct status=none 2>/dev/null ||
				return 0
			text=$(md5sum <"$scratch/seen")
			read_states
			[[ ${text%% *} == "${taken[${ids[0]}]}" || ${states[${ids[0]}]} == lost ]] ||
				silent "wrong data was read" ;;
	start)		timeout 60 "$helpers/dm-start" home "$origin" "$store" 2>"$err" ;;
	stop)		timeout 60 "$helpers/dm-stop" home "$store" 2>"$err" ;;
	settle)		timeout 60 "$helpers/dm-settle" home "$store" 2>"$err" ;;
	esac
}

silent() {
	silent+=("$device $fault $command: $*")
}

# mend - after the fault: what a human does when start tells him.
mend() {
	local meta_device
	if "$helpers/dm-start" home "$origin" "$store" 2>"$err" && [[ $(fact store_mode) == rw ]]; then
		return
	fi
	"$helpers/dm-stop" home "$store" || silent 'stop failed'
	meta_device=$("$helpers/dm-meta" home "$store")
	"$helpers/dm-lost" home "$store"
	thin_check -q --clear-needs-check-flag "$meta_device" >/dev/null 2>&1 || damaged=$((damaged + 1))
	"$helpers/dm-stop" home "$store"
	"$helpers/dm-start" home "$origin" "$store" 2>"$err"
}

# judge STATUS - is what was said true?
judge() {
	local id
	[[ $1 -ne 124 ]] || silent 'it hangs'
	(($1 < 124)) || silent "exit $1"
	(($1 == 0)) || [[ -s $err ]] || silent "exit $1 without a word"
	[[ -z $(dmsetup info -c --noheadings -o suspended -S 'uuid=~^ZUMASTOR' 2>/dev/null | grep -v Active || true) ]] ||
		silent 'something stays suspended'
	if ! mend; then
		silent "cannot be mended: $(<"$err")"
		fresh
		return
	fi
	read_states
	for id in "${!taken[@]}"; do
		case ${states[$id]-} in
		live)	"$helpers/dm-show" home "$store" "$id" >/dev/null
			hash "/dev/zumastor/home/$id"
			[[ $REPLY == "${taken[$id]}" ]] || silent "snapshot $id is wrong" ;;
		lost)	lost=$((lost + 1)) ;;
		removed | deleting | '')
			[[ $command == remove ]] || silent "snapshot $id is ${states[$id]-gone}"
			unset "taken[$id]" ;;
		esac
	done
}

declare -A taken=() states=()
silent=() lost=0 damaged=0 failed=0
dd if=/dev/urandom of="$origin" bs=1M oflag=direct status=none count=4
"$helpers/store-format" home "$origin" "$store" >/dev/null
meta=$("$helpers/store-show" "$store" | sed -n 's/^meta_sectors=//p')
fresh
combinations=$((${#devices[@]} * ${#faults[@]} * ${#commands[@]}))
for ((n = 0; n < count; n++)); do
	# 29 has no factor in common with 72: all are met before one is met again.
	which=$(((seed + n * 29) % combinations))
	device=${devices[which % 4]} fault=${faults[which / 4 % 3]} command=${commands[which / 12]}
	ready
	[[ $command != start ]] || "$helpers/dm-stop" home "$store"
	[[ $command == start ]] || hash /dev/mapper/home
	now=$REPLY
	: >"$err"
	arm "$device" "$fault"
	[[ $command == start || $command == snapshot ]] || change || true
	status=0
	under_fault "$command" || status=$?
	[[ $command != start || $status -ne 0 ]] || change || true
	arm
	((status == 0)) || failed=$((failed + 1))
	judge "$status"
done
is "$(IFS=$'\n'; printf '%s' "${silent[*]-}")" '' "R17 $count faults, ${#silent[@]} silent"
diag "seed $seed: $failed commands failed, $lost snapshots were lost, metadata damaged $damaged times"
is "$((failed > count / 10 && lost > 0))" 1 'the faults were felt'
done_testing
