#!/bin/bash
# lab: --disk 8M --disk 64M --timeout 600
# status --usage is exact: what it says that snapshots share, and that removing one frees, is found when they are removed.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cli.sh"
. "$(dirname "$0")/stack.sh"

# change FIRST COUNT... - write those chunks.
change() {
	while (($#)); do
		dd if=/dev/urandom of=/dev/mapper/home bs=16k seek="$1" count="$2" oflag=direct conv=notrunc status=none
		shift 2
	done
}

snap() {
	"$helpers/dm-snapshot" home "$store" >/dev/null
}

# said ID NAME - a figure of dm-usage, read before into $usage.
said() {
	sed -n "s/^snapshot=$1 .*$2=\([0-9]*\).*/\1/p" <<<"$usage"
}

measure() {
	usage=$("$helpers/dm-usage" home "$store")
}

expect 0 'define a volume' z define volume home "$origin" "$store"
snap; change 0 10
snap; change 5 10
snap; change 0 3 100 300
snap; change 5 2
snap; change 20 10
z snapshot home >/dev/null
z remove home 6

measure
is "$(grep -o 'snapshot.*alone=[0-9]*' <<<"$usage")" 'snapshot=1 changed=0 shared=315 alone=10
snapshot=2 changed=10 shared=318 alone=5
snapshot=3 changed=10 shared=315 alone=0
snapshot=4 changed=303 shared=12 alone=0
snapshot=5 changed=2 shared=10 alone=0' 'chunks of each snapshot'
is "$(grep sharing <<<"$usage")" 'sharing=1 chunks=15
sharing=2 chunks=10
sharing=3 chunks=300
sharing=5 chunks=10' 'chunks by the number of snapshots that share them'

expect 0 'status --usage' z status home --usage --bytes
like "$(<"$out")" $'\n2 +[0-9.-]+ +163840 +5210112 +81920 +[0-9]+ +[0-9]+\n' 'the table has it in bytes'
like "$(<"$out")" $'SHARED BY +SIZE\n1 +245760\n2 +163840\n3 +4915200\n5 +163840$' 'and what is shared'
expect 0 'for people' z status home -u
like "$(<"$out")" $'\n2 +[0-9.-]+ +160K +4.9M +80K ' 'in sizes'
expect 0 'of one snapshot' z status home 4 -u
like "$(<"$out")" $'changed +4.7M\nshared +192K' 'its own'
expect 0 'of all volumes' z status -u
like "$(<"$out")" $'\nhome\nSNAPSHOT ' 'a table for each'
z status home -u --json >"$out"
is "$(jq -c '.volumes[0].usage.sharing[0], .volumes[0].usage.snapshots[1].shared_bytes' "$out")" \
	$'{"snapshots":1,"bytes":245760}\n5210112' '--json has it'
z list home >/dev/null
is "$(dmsetup ls | grep -c cow)" 1 'no exception store stays up for that'

# remove_one ID - does it free what was said?
remove_one() {
	local before
	measure
	before=$(fact store_used_bytes)
	"$helpers/dm-remove" home "$store" "$1"
	is "$((before - $(fact store_used_bytes)))" "$(said "$1" frees)" "removing $1 frees what was said"
}

for ((n = 0; n < 8; n++)); do
	snap
	scribble $((RANDOM % 30))
done
snap
for id in $("$helpers/dm-usage" home "$store" | sed -n 's/^snapshot=\([0-9]*\) .*/\1/p' | shuf -n 9); do
	remove_one "$id"
done
measure
mapfile -t ids < <(sed -n 's/^snapshot=\([0-9]*\) .*/\1/p' <<<"$usage")
all=$(said "${ids[2]}" all) before=$(fact store_used_bytes)
for id in "${ids[@]:0:3}"; do
	"$helpers/dm-remove" home "$store" "$id"
done
is "$((before - $(fact store_used_bytes)))" "$all" 'removing all up to one frees what was said'
expect 0 'stop' z stop volume home
refused 1 'is stopped' status home --usage
expect 0 'all volumes, one of them stopped' z status --usage
done_testing
