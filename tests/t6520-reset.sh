#!/bin/bash
# lab: --disk 4M --disk 64M --timeout 1500
# R8: the whole kernel is killed under load, again and again.  Each time the volume starts by itself, has what was flushed, and
# every snapshot that anybody has looked at is what it was then.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/stack.sh"
kills=$(long_or 200 20)
seen=/persist/seen		# ID HASH of each snapshot that was looked at; ID gone, before it is removed
counter=/persist/counter	# the last number known to be on the volume
broken=/persist/broken		# a line for each violation

# durably FILE - append stdin.
durably() {
	dd of="$1" oflag=append conv=notrunc,fsync status=none
}

# write_on - numbers at the beginning of the volume, each flushed and noted, and noise behind.
write_on() {
	local n
	read -r n <"$counter"
	while :; do
		scribble 2
		n=$((n + 1))
		printf '%-4096d' "$n" | dd of=/dev/mapper/home bs=4k count=1 conv=notrunc,fsync status=none
		printf '%-20d\n' "$n" | dd of="$counter" conv=notrunc,fsync status=none
	done
}

snapshot_hash() {
	"$helpers/dm-show" home "$store" "$1" >/dev/null
	content "/dev/zumastor/home/$1"
}

# take_on - take snapshots and remove them, five at most.
take_on() {
	local id
	local -a ids
	while :; do
		id=$("$helpers/dm-snapshot" home "$store" | sed -n 's/^id=//p')
		printf '%s %s\n' "$id" "$(snapshot_hash "$id")" | durably "$seen"
		mapfile -t ids < <(live "$store")
		((${#ids[@]} > 5)) || continue
		id=${ids[RANDOM % ${#ids[@]}]}
		printf '%s gone\n' "$id" | durably "$seen"
		"$helpers/dm-hide" home "$store" "$id"
		"$helpers/dm-remove" home "$store" "$id"
	done
}

violation() {
	diag "boot $LAB_BOOT: $*"
	printf '%s\n' "$*" | durably "$broken"
}

# look - is everything as it was?
look() {
	local id hash text n
	"$helpers/dm-start" home "$origin" "$store" || { violation 'it does not start'; return; }
	text=$(dd if=/dev/mapper/home bs=4k count=1 iflag=direct status=none | tr -d '\0')
	read -r n <"$counter"
	((${text:-0} >= n)) || violation "number $n was flushed, ${text:-none} is there"
	declare -A taken=()
	while read -r id hash; do
		taken[$id]=$hash
	done <"$seen"
	for id in "${!taken[@]}"; do
		[[ ${taken[$id]} != gone ]] || continue
		[[ $(snapshot_hash "$id") == "${taken[$id]}" ]] || violation "snapshot $id is another one"
	done
	text=$("$helpers/dm-check" home "$origin" "$store")
	[[ $text == state=running ]] || violation "$text"
}

# wait_for_one - until a snapshot was taken, or the store is too busy for it.
wait_for_one() {
	local i before
	before=$(wc -l <"$seen")
	for ((i = 0; i < 100 && $(wc -l <"$seen") == before; i++)); do
		sleep 0.05
	done
}

if ((LAB_BOOT == 1)); then
	printf '%-20d\n' 0 >"$counter"
	: >"$seen"
	: >"$broken"
	make_volume
	dd if=/dev/zero of=/dev/mapper/home bs=4k count=1 conv=fsync status=none
else
	look
fi
if ((LAB_BOOT <= kills)) && [[ ! -s $broken ]]; then
	sync /persist
	write_on &
	take_on &
	wait_for_one
	sleep "0.$((RANDOM % 900 + 100))"
	lab restart-self
	sleep 600
fi
diag "$(wc -l <"$seen") snapshots, $(<"$counter") numbers"
score R8 $((LAB_BOOT - 1)) kills "$(wc -l <"$broken")" violations
"$helpers/dm-stop" home "$store"
is "$(dmsetup ls)" 'No devices found' 'nothing is left'
done_testing
