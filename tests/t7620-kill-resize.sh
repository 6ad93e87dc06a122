#!/bin/bash
# lab: --disk 8M --disk 64M --timeout 600
# Resizing the volume, its store and the metadata at once is killed, or fails, at each of its steps: nothing is left
# suspended, the next command or start completes what is on record, and no snapshot changes.  Each step has one of the
# three faults, by turns; with ZUMASTOR_LONG=yes it has each of them.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/stack.sh"
. "$(dirname "$0")/resize.sh"

# look - sets actual, what the kernel has of volume, data and metadata, and recorded, what is on record.
look() {
	local text key
	text=$("$helpers/dm-status" home "$store" && "$helpers/store-show" "$store")
	actual=$(volume_size) recorded=
	for key in store_total_bytes meta_total_bytes; do
		[[ $text =~ $key=([0-9]+) ]] && actual+=" ${BASH_REMATCH[1]}"
	done
	for key in origin data meta; do
		[[ $text =~ ${key}_sectors=([0-9]+) ]] && recorded+=" $((BASH_REMATCH[1] * 512))"
	done
	recorded=${recorded# }
}

fresh_volume() {
	slice_origin 2103296
	slice_store $((16 << 20))
	make_volume
	slice_origin $((8 << 20))
	slice_store $((60 << 20))
	taken=()
	take; scribble 4
	take; scribble 4
	origin_bytes=2103296 store_bytes=$((16 << 20)) meta_bytes=$(fact meta_total_bytes)
}

# try FAULT:STEP - all three a little larger, with that fault; true when it passed.
try() {
	local status=0
	origin_bytes=$((origin_bytes + 33280)) store_bytes=$((store_bytes + (1 << 20)))
	meta_bytes=$((meta_bytes + (64 << 10)))
	{
		ZUMASTOR_FAULT=$1 resize --origin $origin_bytes --store $store_bytes --meta $meta_bytes
	} &>/dev/null || status=$?
	((status == 0))
}

# again STEP - the next command comes along; or the volume is stopped and started, where the first start is killed.
again() {
	if (($1 % 2)); then
		"$helpers/dm-settle" home "$store"
	else
		"$helpers/dm-stop" home "$store" || return
		{ ZUMASTOR_FAULT=kill:$(($1 / 2)) "$helpers/dm-start" home "$origin" "$store"; } &>/dev/null || true
		"$helpers/dm-start" home "$origin" "$store"
	fi
}

# check_fault FAULT STEP - sets passed when it was not reached any more.
check_fault() {
	local old=${actual%% *}
	passed=
	! try "$1:$2" || passed=yes
	at_rest "$1" || fail "$1 at step $2 leaves nothing suspended" "$(dmsetup info)"
	if [[ $1 == killboth ]]; then
		expect 0 "$1 at step $2: status" timeout 20 "$helpers/dm-status" home "$store"
	fi
	expect 0 "$1 at step $2: the next command" again "$2"
	look
	is "$actual" "$recorded" 'leaves what is on record'
	(($2 == 1)) || like "$actual" "^$origin_bytes " 'which is the new size'
	write_end "$old"
}

faults=(kill killboth fail) passes=(0 1 2)
[[ ${ZUMASTOR_LONG-} == yes ]] || passes=(0)
steps=0
for pass in "${passes[@]}"; do
	fresh_volume
	look
	passed=
	for ((step = 1; ; step++)); do
		check_fault "${faults[(step + pass) % 3]}" $step
		[[ -z $passed ]] || break
	done
	steps=$((steps + step - 1))
	is "$((step > 15))" 1 "every step was tried ($((step - 1)))"
	is "$(differing)" '' 'the snapshots are right'
	take; scribble 4
	is "$(differing)" '' 'and a new one is'
	"$helpers/dm-stop" home "$store"
done
score R7 "$steps" faults "$tap_failed" violations
done_testing
