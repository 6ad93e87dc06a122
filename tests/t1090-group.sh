#!/bin/bash
# lab: --disk 2M --disk 32M --disk 2M --disk 32M --timeout 900
# dm-snapshot of two volumes: they are shown as they were at one instant, and killed or failing at any of its steps it
# leaves both running, both snapshots right, and both there or none.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/stack.sh"

stores=(left "$DEV2NAME" right "$DEV4NAME")
dd if=/dev/urandom of="$DEV1NAME" bs=1M oflag=direct status=none count=2
dd if=/dev/urandom of="$DEV3NAME" bs=1M oflag=direct status=none count=2
for disk in "$DEV1NAME" "$DEV3NAME"; do
	printf '%-512d' 0 | dd of="$disk" bs=512 conv=notrunc,fsync status=none
done
for volume in left:"$DEV1NAME":"$DEV2NAME" right:"$DEV3NAME":"$DEV4NAME"; do
	IFS=: read -r volume origin store <<<"$volume"
	printf '%-512d' 0 | dd of="$origin" oflag=direct conv=notrunc status=none
	"$helpers/store-format" "$volume" "$origin" "$store" >/dev/null
	"$helpers/dm-start" "$volume" "$origin" "$store"
done

group_snapshot() {
	"$helpers/dm-snapshot" "${stores[@]}"
}

settle() {
	"$helpers/dm-settle" left "$DEV2NAME" && "$helpers/dm-settle" right "$DEV4NAME"
}

remove_all() {
	local -a ids
	mapfile -t ids < <(live "$2")
	for id in "${ids[@]}"; do
		"$helpers/dm-remove" "$1" "$2" "$id"
	done
}

uuids=(--uuid 11111111-2222-4333-8444-555555555555 --uuid 11111111-2222-4333-8444-666666666666)
expect 2 'a volume is there once' "$helpers/dm-snapshot" left "$DEV2NAME" left "$DEV2NAME"
expect 2 'a uuid for each' "$helpers/dm-snapshot" "${uuids[@]:0:2}" "${stores[@]}"
expect 2 'no more uuids than volumes' "$helpers/dm-snapshot" "${uuids[@]}" left "$DEV2NAME"
expect 2 'a store for each' "$helpers/dm-snapshot" left "$DEV2NAME" right
expect 4 'none without a record' "$helpers/dm-snapshot" left "$DEV2NAME" right "$DEV3NAME"
"$helpers/dm-stop" right "$DEV4NAME"
expect 1 'all must run' group_snapshot
is "$(live "$DEV2NAME")$(live "$DEV4NAME")" '' 'no snapshot comes of all that'
"$helpers/dm-start" right "$DEV3NAME" "$DEV4NAME"

# The counter is on the left before it is on the right.
perl -e 'use Fcntl;
	for (0, 1) { sysopen($f[$_], "/dev/mapper/" . ("left", "right")[$_], O_WRONLY | O_SYNC) or die }
	for ($n = 1; ; $n++) { for (@f) { sysseek($_, 0, 0); syswrite($_, sprintf("%-512d", $n)) == 512 or die } }' &
writer=$!
for ((n = 0; n < 8; n++)); do
	"$helpers/dm-snapshot" "${uuids[@]:0:n == 7 ? 4 : 0}" "${stores[@]}" >"$scratch/said"
done
is "$(sed -n 's/^uuid=/--uuid /p' "$scratch/said" | xargs)" "${uuids[*]}" 'each has the uuid it was given'
is "$(sed -n 's/^time=//p' "$scratch/said" | sort -u | wc -l)" 1 'the time is the same'
expect 1 'a uuid is taken once' "$helpers/dm-snapshot" "${uuids[@]:0:2}" left "$DEV2NAME"
kill "$writer"
wait "$writer" || true
number() {
	"$helpers/dm-show" "$1" "$2" "$3" >/dev/null
	dd if="/dev/zumastor/$1/$3" bs=512 count=1 status=none | tr -d ' \0'
	"$helpers/dm-hide" "$1" "$2" "$3"
}
wrong=() moved=0 before=-
mapfile -t left < <(live "$DEV2NAME")
mapfile -t right < <(live "$DEV4NAME")
for n in "${!left[@]}"; do
	a=$(number left "$DEV2NAME" "${left[n]}") b=$(number right "$DEV4NAME" "${right[n]}")
	((a == b || a == b + 1)) || wrong+=("$a:$b")
	[[ $a == "$before" ]] || moved=$((moved + 1))
	before=$a
done
is "${#left[@]} ${wrong[*]}" '8 ' 'each shows one instant of the writer'
is "$((moved > 4))" 1 "it was writing ($moved of 8 differ)"
"$helpers/dm-remove" left "$DEV2NAME" "${left[-1]}"
expect 1 'also while the removed one is on record' "$helpers/dm-snapshot" "${uuids[@]:0:2}" left "$DEV2NAME"
expect 0 'the record can be read' "$helpers/store-show" "$DEV2NAME"
remove_all left "$DEV2NAME"
remove_all right "$DEV4NAME"

# try FAULT - one snapshot with the fault; sets status, and fresh to the volumes that have a new one.
try() {
	local before after
	before=$("$helpers/store-show" "$DEV2NAME") status=0 fresh=''
	{ ZUMASTOR_FAULT=$1 group_snapshot; } &>/dev/null || status=$?
	at_rest "$1" || fail "$1 leaves nothing suspended"
	after=$("$helpers/store-show" "$DEV2NAME")
	# Before anything is recorded it is t1010's.
	[[ $before != "$after" ]] || return 0
	first=${first:-$step}
	settle || fail "$1: settle"
	[[ $(live "$DEV2NAME") == "$old_left" ]] || fresh+=left
	[[ $(live "$DEV4NAME") == "$old_right" ]] || fresh+=right
}

# same VOLUME STORE - does the new snapshot show what the volume has shown since?
same() {
	local id
	id=$(live "$2" | tail -n 1)
	"$helpers/dm-show" "$1" "$2" "$id" >/dev/null
	cmp -s "/dev/mapper/$1" "/dev/zumastor/$1/$id" || fail "$1: snapshot $id is wrong"
	dd if=/dev/urandom of="/dev/mapper/$1" bs=16k count=3 seek=$((RANDOM % 100)) oflag=direct conv=notrunc status=none
	"$helpers/dm-remove" "$1" "$2" "$id"
}

group_snapshot >/dev/null	# so that there is a base to be swapped
old_left=$(live "$DEV2NAME") old_right=$(live "$DEV4NAME")
kinds=(kill fail)
rounds=('kill or fail')	# at each step one of them, or in the long run all
[[ -z ${ZUMASTOR_LONG-} ]] || rounds=("${kinds[@]}" killboth)
for round in "${rounds[@]}"; do
	both=0 half=0 odd=$((RANDOM % 2))
	for ((step = ${first:-1}; ; step++)); do
		fault=$round
		[[ $round != *' '* ]] || fault=${kinds[(step + odd) % 2]}
		try "$fault:$step"
		case $fresh in
		'')		continue ;;
		leftright)	both=$((both + 1)) ;;
		*)		half=$((half + 1))
				[[ $fault == killboth ]] || fail "$fault at step $step: $fresh alone has one" ;;
		esac
		[[ $fresh == right ]] || same left "$DEV2NAME"
		[[ $fresh == left ]] || same right "$DEV4NAME"
		((status != 0)) || break
	done
	is "$((step > first + 12 && both > 1))" 1 "$round at steps $first to $step: $both times both, $half times one"
done
is "$(for store in "$DEV2NAME" "$DEV4NAME"; do "$helpers/store-show" "$store"; done | grep -c state=pending || true)" 0 \
	'nothing is pending'
for volume in left:"$DEV2NAME" right:"$DEV4NAME"; do
	expect 0 'stop' "$helpers/dm-stop" "${volume%:*}" "${volume#*:}"
done
is "$(dmsetup ls)" 'No devices found' 'nothing is left'
done_testing
