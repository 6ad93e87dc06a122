#!/bin/bash
# lab: --disk 2M --disk 128M --mem 768M --timeout 3000
# R30: hundreds of snapshots are taken, the host is reset, each shows what was there, and they are removed in random order.
#
# ZUMASTOR_LONG=yes: ten times, and once 512 of them with 64 shown at once.  A run has two boots of this script.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/stack.sh"
notes=/persist/taken		# ID HASH, of each snapshot
rounds=1 count=256 batch=32
[[ -z ${ZUMASTOR_LONG-} ]] || rounds=11
round=$(((LAB_BOOT + 1) / 2))
((round < 11)) || count=512 batch=64

# take_all - with two chunks changed before each; no pipes, as a process more takes User-Mode Linux long.
take_all() {
	local n
	dd if=/dev/zero of="$store" bs=1M count=1 oflag=direct conv=notrunc status=none
	"$helpers/store-format" "$volume" "$origin" "$store" >/dev/null
	"$helpers/dm-start" "$volume" "$origin" "$store"
	for ((n = 0; n < count; n++)); do
		dd if=/dev/urandom of=/dev/mapper/home bs=16k count=2 seek=$((RANDOM % 127)) oflag=direct \
			conv=notrunc status=none
		sha256sum /dev/mapper/home >"$out"
		read -r hash _ <"$out"
		"$helpers/dm-snapshot" "$volume" "$store" >"$out"
		{ read -r _ && read -r id; } <"$out"
		printf '%s %s\n' "${id#id=}" "$hash"
	done >"$notes"
	sync "$notes"
}

note_depth() {
	local depth
	depth=$(deepest)
	((depth <= most_deep)) || most_deep=$depth
}

# verify ID... - adds those with another content to wrong, and keeps count of the deepest path.
verify() {
	local line id
	"$helpers/dm-show" "$volume" "$store" "$@" >/dev/null
	while read -r line id; do
		[[ $line == "${taken[${id##*/}]}" ]] || wrong+=("${id##*/}")
	done < <(sha256sum "${@/#//dev/zumastor/home/}")
	note_depth
}

# look_deep - between a snapshot and settling, a view of the oldest is deepest.
look_deep() {
	local -a ids=("${!taken[@]}")
	"$helpers/dm-show" "$volume" "$store" "${ids[0]}" >/dev/null
	id=$("$helpers/dm-snapshot" "$volume" "$store" | sed -n 's/^id=//p')
	note_depth
	"$helpers/dm-remove" "$volume" "$store" "$id"
}

# verify_all - batch by batch: hundreds of views at once are too much for a small machine.
verify_all() {
	local i
	local -a ids
	mapfile -t ids < <(printf '%s\n' "${!taken[@]}" | sort -n)
	for ((i = 0; i < ${#ids[@]}; i += batch)); do
		verify "${ids[@]:i:batch}"
		"$helpers/dm-hide" "$volume" "$store" "${ids[@]:i:batch}"
	done
}

# remove_all - sixteen at a time, and look at all that is left when it is a quarter of what was before.
remove_all() {
	local i next=$((count / 4))
	local -a ids
	mapfile -t ids < <(shuf -e "${!taken[@]}")
	for ((i = 0; i < ${#ids[@]}; i += 16)); do
		"$helpers/dm-remove" "$volume" "$store" "${ids[@]:i:16}"
		forget "${ids[@]:i:16}"
		if ((${#taken[@]} == next)); then
			verify_all
			next=$((next / 4))
		fi
	done
}

forget() {
	local id
	for id in "$@"; do
		unset "taken[$id]"
	done
}

if ((LAB_BOOT % 2)); then
	take_all
	lab restart-self
	sleep 600
fi

declare -a wrong=()
most_deep=0
while read -r id hash; do
	taken[$id]=$hash
done <"$notes"
"$helpers/dm-start" "$volume" "$origin" "$store"
before=$(dmsetup ls | wc -l)
verify_all
look_deep
remove_all
if ((round < rounds)) && ((${#wrong[@]} == 0 && most_deep <= 12)); then
	lab restart-self
	sleep 600
fi
is "${#wrong[@]}" 0 "R30 $count snapshots, ${#wrong[@]} wrong"
is "$((most_deep <= 12))" 1 "no path is deeper than 12 devices ($most_deep)"
is "$before" 7 'none that is not shown has devices'
is "$(fact store_used_bytes)" 0 'nothing of them is left in the store'
done_testing
