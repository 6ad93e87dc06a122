#!/bin/bash
# lab: --hosts 2 --disk 32M --disk 64M --timeout 900
# A replica that went on by itself is brought back to follow its source, and dies at any moment of that: started again, it shows
# one of its own snapshots whole until it shows the source's, and what was its own is still there.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/pair.sh"

# part - both sides go on from what they have in common.
part() {
	pair_change 400
	z snapshot home hourly
	far zumastor promote home --force
	far zumastor define master home --hourly 24
	far_sh "head -c 2000000 /dev/urandom >$files/theirs; date +%N >$files/stamp; zumastor snapshot home hourly"
	far zumastor define source home host1 --yes
} >/dev/null

# far_hash_all - of every snapshot there; undo is not shown after a start unless somebody wants it.
# shellcheck disable=SC2016 # expanded over there
far_hash_all() {
	far_sh 'for id in $(zumastor list home -H -o id); do
		[ -e /dev/zumastor/home/$id ] || zumastor mount home $id >/dev/null
	done'
	far_hashes
}

# far_kept - how many of those that were there are not, or read otherwise.
far_kept() {
	comm -23 <(sort "$scratch/far.before") <(far_hash_all | sort) | wc -l
}

pair_make
z snapshot home hourly >/dev/null
z replicate home -q
part
far_hash_all >"$scratch/far.before"
began=$(date +%s%N)
expect 0 'it follows, undisturbed' z replicate home -q
took=$((($(date +%s%N) - began) / 1000000))
is "$(far_kept)" 0 'and nothing of its own is lost'

wrong=0
count=$(long_or 40 2)

# wrong WHAT... - it was, and this is how it looked.
wrong() {
	wrong=$((wrong + 1))
	diag "round $n, after $delay ms: $*"
	diag "$(z list home; far zumastor list home; far zumastor status home)" || true
}

# disturb - kill the host that follows, or what works there for us, in the middle of it.
disturb() {
	read -r -t "$((delay / 1000)).$(printf %03d $((delay % 1000)))" <> <(:) || true
	if ((n % 2)); then
		lab kill 2
		wait "$job" || true
		lab restart 2
		until far true 2>/dev/null; do sleep 0.2; done
		far zumastor start >/dev/null || wrong 'not started'
	else
		far_sh 'pkill -9 -f "[z]umastor-(receive|revert)|[d]elta-apply|[c]ow-rewind|[d]m-revert"' || true
		wait "$job" || true
	fi
}

for ((n = 0; n < count; n++)); do
	part
	far_hash_all >"$scratch/far.before"
	z replicate home -q &>/dev/null &
	job=$!
	delay=$(((took * n / count) + RANDOM % (took / count + 1)))
	disturb
	[[ $(far_kept) == 0 ]] || wrong 'a snapshot of its own is lost'
	z replicate home -q 2>"$scratch/again" || wrong "$(<"$scratch/again")"
	[[ $(newest_hash) == "$(far_newest_hash)" ]] || wrong 'not equal'
	[[ $(tree "$files-snapshots/hourly.0") == "$(far_tree)" ]] || wrong 'readers see another'
done
is "$wrong" 0 "killed $count times, nothing was wrong"
is "$(far zumastor check home >/dev/null; echo $?)" 0 'check finds nothing'
done_testing
