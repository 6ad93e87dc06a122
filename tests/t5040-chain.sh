#!/bin/bash
# lab: --hosts 3 --disk 32M --disk 64M --mem 384M --timeout 900
# R23: a replica is sent on, under load, and every snapshot is the same on all hosts; whoever follows it can follow its
# source, or it when it is a master.  Snapshots in between; everything each time.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/pair.sh"

third() {
	ssh -n -o ControlMaster=auto -o ControlPath=/run/third -o ControlPersist=yes host3 "$(printf '%q ' "$@")"
}

third_hashes() {
	third sh -c "$hashes_script"
}

third_newest_hash() {
	third sh -c "$newest_script"
}

# load - writes all the time, in one process: the processor is for what is tested.
load() {
	exec fio --name=load --filename="$files/load" --size=2M --rw=randwrite --bs=4k --rate_iops=50 --time_based --runtime=1d \
		--output=/dev/null
}

# round - three snapshots, one by one to the second host and on to the third.
round() {
	local n
	for n in 1 2 3; do
		pair_change 40
		z snapshot home hourly >/dev/null
	done
	z replicate home --each >"$scratch/sent"
	far zumastor replicate home >"$scratch/sent on"
	[[ $(wc -l <"$scratch/sent") == 3 && $(wc -l <"$scratch/sent on") == 3 ]]
}

# same - is every snapshot the same on all hosts?
same() {
	hashes >"$scratch/here"
	far_hashes >"$scratch/far"
	third_hashes >"$scratch/third"
	cmp "$scratch/here" "$scratch/far" && cmp "$scratch/here" "$scratch/third"
}

pair_make
far zumastor define schedule home --hourly 24
third zumastor define volume home "$DEV1NAME" "$DEV2NAME"
third zumastor define source home host2
third zumastor define schedule home --hourly 24
far zumastor define target home host3 --each yes
load &
loader=$!
count=$(long_or 498 15) wrong=0
for ((n = 3; n <= count; n += 3)); do
	round || wrong=$((wrong + 1))
	((n % 15)) || same || wrong=$((wrong + 1))
done
kill "$loader"
wait "$loader" 2>/dev/null || true
score R23 $((2 * count)) deltas "$wrong" 'not equal'

# Not those in between.
for n in 1 2; do
	pair_change 40
	z snapshot home hourly >/dev/null
done
expect 0 'what would be sent' z replicate home --each --dry-run
is "$(wc -l <"$out")" 1 'is the first'
expect 0 'only the newest' z replicate home
is "$(wc -l <"$out")" 1 'is one'
expect 0 'and the third asks for it' third zumastor replicate home
is "$(third_hashes | tail -n 2)" "$(far_hashes | tail -n 2)" 'the same'

# Everything, each time.
z define target home host2 --test fullvolume
pair_change 40
z snapshot home hourly >/dev/null
expect 0 'a full volume' z replicate home
like "$(<"$out")" 'in full: 32M changed' 'is sent'
is "$(newest_hash)" "$(far_newest_hash)" 'and is right'
expect 0 'not again' z replicate home
like "$(<"$out")" 'is there already' 'when it is there'
z define target home host2 --test ''

# The second host is lost: the third follows the first, from what both have.
z define target home host3
third zumastor define source home host1 --yes
pair_change 40
z snapshot home hourly >/dev/null
expect 0 'the third from the first' z replicate home host3
like "$(<"$out")" "host3: snapshot [0-9]+ of 'home' on base [0-9]+: " 'is no full copy'
is "$(newest_hash)" "$(third_newest_hash)" 'and is right'

# The second host becomes the master: the third follows it.
expect 0 'the second gets it, too' z replicate home host2
far zumastor define master home --hourly 24
third zumastor define source home host2 --yes
far touch "$files/theirs"
far zumastor snapshot home hourly >/dev/null
expect 0 'a new master is followed' far zumastor replicate home host3
like "$(<"$out")" ' on base ' 'without beginning anew'
is "$(third_newest_hash)" "$(far_newest_hash)" 'and is right'
done_testing
