#!/bin/bash
# lab: --disk 4M --disk 64M --timeout 600
# dm-snapshot and dm-settle are killed, or fail, at each of their steps: the volume is never left suspended, and
# the next command puts all right.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/stack.sh"

make_volume
take
scribble
take
"$helpers/dm-show" home "$store" 1 >/dev/null

newest=$id

# consistent DESCRIPTION - settle, and every snapshot that is on record shows what it should.
consistent() {
	local id
	"$helpers/dm-settle" home "$store" || { result bad "$1: settle"; return; }
	for id in "${!taken[@]}"; do
		"$helpers/store-show" "$store" | grep -q "^snapshot=$id .*state=live" || { result bad "$1: snapshot $id is live"; return; }
	done
	is "$(differing)" '' "$1: all snapshots are right"
}

# forget_middle - look at the oldest and the newest three only: it is their turn that can go wrong.
forget_middle() {
	local -a ids
	mapfile -t ids < <(printf '%s\n' "${!taken[@]}" | sort -n)
	while ((${#ids[@]} > 4)); do
		unset "taken[${ids[1]}]"
		"$helpers/dm-hide" home "$store" "${ids[1]}"
		ids=("${ids[0]}" "${ids[@]:2}")
	done
}

# try_step FAULT STEP - sets status, which is 0 when it was not reached any more.
try_step() {
	local fault=$1 step=$2 hash id
	status=0
	hash=$(content /dev/mapper/home)
	{ ZUMASTOR_FAULT=$fault:$step "$helpers/dm-snapshot" home "$store"; } &>/dev/null || status=$?
	if ! at_rest "$fault"; then
		result bad "$fault at step $step leaves nothing suspended" "$(dmsetup info)"
	fi
	"$helpers/dm-settle" home "$store"
	# Whatever is on record now and was not before was taken before anything else was written.
	for id in $(live "$store"); do
		((id <= newest)) || taken[$id]=$hash newest=$id
	done
	scribble 3
	consistent "$fault at step $step"
	is "$("$helpers/store-show" "$store" | grep -c 'state=pending')" 0 "$fault at step $step: nothing pending"
	forget_middle
}

# In `make check` each step has one of the faults.
steps=0 faults=(kill killboth fail)
for pass in $(long_or '0 1 2' $((RANDOM % 3))); do
	for ((step = 1; ; step++)); do
		try_step "${faults[(step + pass) % 3]}" "$step"
		((status != 0)) || break
	done
	steps=$((steps + step - 1))
	is "$((step > 8))" 1 "every step was tried ($((step - 1)))"
done
"$helpers/dm-stop" home "$store"
"$helpers/dm-start" home "$origin" "$store"
is "$(differing)" '' 'after stop and start all are right'
is "$(dmsetup ls | grep -c 'home-cow')" "$("$helpers/store-show" "$store" | grep -c '^snapshot=')" 'one thin volume per snapshot'
score R7 "$steps" faults "$tap_failed" violations
done_testing
