#!/bin/bash
# lab: --hosts 2 --disk 32M --disk 64M --timeout 600
# A full copy and five incrementals, or twenty in the long run: every snapshot is the same on both hosts.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/pair.sh"

pair_make
z snapshot home hourly >/dev/null
expect 0 'a full copy' z replicate home host2
like "$(<"$out")" "^host2: snapshot 1 of 'home' in full: 32M changed, .* sent in" 'it says what it did'
is "$(hashes)" "$(far_hashes)" 'the first snapshot is the same over there'

count=$(long_or 20 5)
for ((n = 1; n <= count; n++)); do
	pair_change 40
	z snapshot home hourly >/dev/null
	if ((n == 4)); then
		# Bases need not follow each other: this one is left out over there.
		continue
	fi
	expect 0 "incremental $n" z replicate home -q
	is "$(<"$out")$(<"$err")" '' 'quietly'
done
is "$(far zumastor list home -H -o id | wc -l)" "$count" 'all arrived'
hashes >"$scratch/here"
far_hashes >"$scratch/there"
is "$(sort "$scratch/here" "$scratch/there" | uniq -d | wc -l)" "$count" 'all of them are as they are here'
is "$(far_tree)" "$(tree "/run/zumastor/volumes/home-snapshots/hourly.0")" 'readers see the newest tree'
is "$(far zumastor list home -H -o names | tail -n 1)" hourly.0 'kinds came along'

expect 0 'nothing new' z replicate home
like "$(<"$out")" 'is there already' 'is no failure'
expect 0 'an older one' z replicate home host2 -s 3
like "$(<"$out")" 'is there already' 'is superseded'
pair_change 4
z snapshot home hourly >/dev/null
expect 0 'dry run' z replicate home --dry-run
like "$(<"$out")" "on base $((count + 1)): [0-9.]+K to send" 'tells how much'
is "$(far zumastor list home -H -o id | wc -l)" "$count" 'and sends nothing'

# In the other direction nothing may be written.
expect 1 'the replica refuses writes' far touch "$files/x"
like "$(<"$err")" 'Read-only file system' 'by its mount'
expect 1 'the replica takes no snapshots of its own' far zumastor snapshot home
expect 4 'and has no target' far zumastor replicate home host3

far zumastor stop
expect 1 'a replica that is stopped stays one' far zumastor forget source home
like "$(<"$err")" "'home' is stopped" 'as it cannot go back to its newest snapshot'
expect 1 'and is no master' far zumastor define master home --hourly 1
expect 0 'start there' far zumastor start
is "$(far_tree)" "$(tree "/run/zumastor/volumes/home-snapshots/hourly.1")" 'readers see the same again'
expect 0 'it still follows' z replicate home
is "$(far_tree)" "$(tree "/run/zumastor/volumes/home-snapshots/hourly.0")" 'to the newest'
done_testing
