#!/bin/bash
# lab: --hosts 2 --disk 32M --disk 64M --timeout 600
# The base: kept from expiry, found by uuid, and never guessed.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/pair.sh"

pair_make
z define master home --hourly 2
z snapshot home hourly >/dev/null
expect 0 'a full copy' z replicate home
base=$(newest)
for ((n = 0; n < 4; n++)); do
	pair_change 40
	z snapshot home hourly >/dev/null
done
is "$(z list home -H -o id | wc -l)" 3 'two are kept by the schedule, one as a base'
like "$(z list home -H -o uuid,kinds)" "$base.expired" 'the base is held though it expired'
expect 3 'it cannot be removed' z remove home "$base"
expect 0 'an incremental over it' z replicate home
z snapshot home hourly >/dev/null
is "$(z list home -H -o uuid | grep -c "$base" || true)" 0 'then it goes'

# A base that is not ours: the replica took one of its own once it was a master.
far zumastor define master home --hourly 3
far touch "$files/theirs"
far zumastor snapshot home hourly >/dev/null
expect 1 'no replica any more' z replicate home
like "$(<"$err")" "is no replica here; 'zumastor define source home HOST' makes it one" 'it says why'
far zumastor define source home host1 --yes
expect 6 'no common base' z replicate home
like "$(<"$err")" 'a full copy is needed; --full makes it' 'it says what helps'
expect 0 'a full copy over it' z replicate home --full
is "$(hashes | tail -n 1)" "$(far_hashes | tail -n 1)" 'is right'
is "$(far_tree)" "$(tree "/run/zumastor/volumes/home-snapshots/hourly.0")" 'readers see it'

for method in none gzip lz4 zstd xz zstd:3 xz:1; do
	z define target home host2 -C "$method"
	pair_change 40
	z snapshot home hourly >/dev/null
	expect 0 "by $method" z replicate home
	is "$(hashes | tail -n 1)" "$(far_hashes | tail -n 1)" 'is right'
done

expect 0 'forget the target' z forget target home host2
expect 4 'then there is none' z replicate home host2
expect 0 'stop here' z stop
expect 0 'stop there' far zumastor stop
is "$(dmsetup ls) $(far dmsetup ls)" 'No devices found No devices found' 'nothing is left'
done_testing
