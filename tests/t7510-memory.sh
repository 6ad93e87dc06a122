#!/bin/bash
# lab: --disk 16M --disk 256M --timeout 600
# Looking at old snapshots takes no more kernel memory than -k allows, and about what status says.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cli.sh"
. "$(dirname "$0")/stack.sh"

change() {
	dd if=/dev/urandom of=/dev/mapper/home bs=16k seek="$1" count=20 oflag=direct conv=notrunc status=none
}

# available - KiB of memory that is not in use.
available() {
	sync
	echo 3 >/proc/sys/vm/drop_caches
	awk '/^MemAvailable/ { print $2 }' /proc/meminfo
}

shown() {
	fact shown
}

expect 0 'define a volume' z define volume home "$origin" "$store" -k 3000K
expect 0 'with a rotation' z define master home --hourly 30
for ((n = 1; n <= 5; n++)); do
	change $((n * 50))
	z snapshot home hourly >"$out" 2>"$err"
done
is "$(<"$err")" '' 'a snapshot says nothing about it'
is "$(shown)" 3,4,5 'the oldest are hidden where there is not memory for all'
bytes=$(fact view_bytes)
is "$((bytes > 0 && bytes <= 3000 << 10))" 1 "what is taken is within the bound ($bytes)"
expect 0 'status' z status home
like "$(<"$out")" 'shown +3 snapshots, kernel memory [0-9.]+[KM] of 2.9M' 'it says how much'
expect 1 'one more is refused' z mount home 1
like "$(<"$err")" "^dm-show: cannot show snapshot 1 of 'home': .*; --cachesize allows 3000K$" 'with the option to raise it'
is "$(shown)" 3,4,5 'the others are as they were'
is "$(dmsetup ls | grep -c cow)" 3 'nothing is left of the attempt'
expect 0 'allow more' z mount home 1 -k 10M
is "$(shown)" 1,3,4,5 'then it is shown'
expect 0 'allow less' z mount home -k 3000K
is "$(shown)" 3,4,5 'the oldest are hidden again'
z stop volume home
z start volume home 2>"$err"
is "$(shown)" 3,4,5 'start shows the newest'
is "$(<"$err")" "zumastor start: warning: the 2 oldest rotated snapshots of 'home' are not shown, to keep within 2.9M of\
 kernel memory; 'zumastor mount home --cachesize SIZE' allows more" 'and says what it does not'
expect 0 'no bound' z mount home --cachesize 0
is "$(shown)" 1,2,3,4,5 'all are shown'
refused 2 "bad cache size 'much'" mount home -k much

many=$(long_or 40 24)
for ((n = 0; n < many; n++)); do
	"$helpers/dm-snapshot" home "$store" >/dev/null
	change $((n * 20))
done
"$helpers/dm-snapshot" home "$store" >/dev/null
"$helpers/dm-settle" home "$store"
before=$(available)
said=$(fact view_bytes)
mapfile -t ids < <("$helpers/store-show" "$store" | sed -n 's/^snapshot=\([0-9]*\) .*/\1/p')
"$helpers/dm-show" home "$store" "${ids[@]}" >/dev/null
cost=$(((before - $(available)) << 10))
said=$(($(fact view_bytes) - said))
is "$((said * 10 > cost * 7 && said * 7 < cost * 10))" 1 "$many views take what is said: $cost, said $said"
is "$(shown | tr , '\n' | wc -l)" $((many + 6)) 'they are shown'
"$helpers/dm-hide" home "$store" "${ids[@]}"
is "$(fact view_bytes)" 0 'and nothing when none is shown'
is "$(dmsetup ls | grep -c 'cow\|view\|map')" 1 'only the exception store of the head stays'
done_testing
