# workload.sh - what is done to a volume while dm-log-writes looks on.
#
# workload ROUNDS SEED.  Source it after lib.sh, stack.sh, crash.sh and revert.sh.  Origin and store are
# slices of one logged device, so that there is one order of all writes.  tests/powercut/history.h tells
# what the marks in the log say.
# shellcheck shell=bash disable=SC2154,SC2034 # what those give, and use
tools=$top/build/plain/powercut
origin_sectors=2048
store_sectors=65536		# at most
store_now=40960

mark() {
	dmsetup message logged 0 mark "$1"
}

# The scribbler: all of the volume first, then a series of writes until it is told to stop.

series=0

start_scribbling() {
	series=$((series + 1))
	mark synced:-
	"$tools/scribble" "/dev/mapper/$volume" $((seed * 100 + series)) 0 1 logged >/dev/null
	next=1
	go_on_scribbling
}

go_on_scribbling() {
	"$tools/scribble" "/dev/mapper/$volume" $((seed * 100 + series)) "$next" 0 logged \
		>"$scratch/next" &
	scribbler=$!
}

stop_scribbling() {
	kill "$scribbler"
	wait "$scribbler" || (($? == 143))	# that early it has written nothing
	[[ ! -s $scratch/next ]] || next=$(<"$scratch/next")
}

# scribble_some COUNT SEED - so many writes, with nothing said about them.
scribble_some() {
	"$tools/scribble" "/dev/mapper/$volume" "$2" 1 "$1" >/dev/null
}

ids=()			# of the snapshots, oldest first
declare -A uuids=()

# taken_while_suspended PID - wait until it has stopped there.
taken_while_suspended() {
	local i
	for ((i = 0; i < 1000; i++)); do
		[[ $(awk '{ print $3 }' "/proc/$1/stat") != T ]] || return 0
		sleep 0.01
	done
	return 1
}

take_one() {
	local uuid pid
	uuid=$(</proc/sys/kernel/random/uuid)
	"$helpers/dm-settle" "$volume" "$store"
	ZUMASTOR_FAULT=stop:$suspended_step "$helpers/dm-snapshot" --uuid "$uuid" "$volume" "$store" \
		>"$scratch/taken" &
	pid=$!
	taken_while_suspended "$pid"
	[[ $(dmsetup info -c --noheadings -o suspended "$volume") == Suspended ]]
	mark "taken:$uuid:$("$tools/sum" "$origin")"
	kill -CONT "$pid"
	wait "$pid"
	mark "returned:$uuid"
	id=$(sed -n 's/^id=//p' "$scratch/taken")
	ids+=("$id")
	uuids[$id]=$uuid
}

# remove_one INDEX
remove_one() {
	local gone=${ids[$1]}
	mark "removing:${uuids[$gone]}"
	"$helpers/dm-remove" "$volume" "$store" "$gone"
	unset "ids[$1]"
	ids=("${ids[@]}")
}

op_take() {
	local n
	for n in 1 2 3; do
		take_one
		sleep 0.2
	done
}

op_remove_oldest() {
	remove_one 0
}

op_remove_middle() {
	remove_one $((${#ids[@]} / 2))
}

# With the writer held, so that each flush is one of absorbing.
op_absorb() {
	kill -STOP "$scribbler"
	op_remove_middle
	kill -CONT "$scribbler"
}

op_remove_newest() {
	remove_one $((${#ids[@]} - 1))
	sleep 0.1
	take_one
}

op_show() {
	"$helpers/dm-show" "$volume" "$store" "${ids[@]}" >/dev/null
	take_one
}

op_restart() {
	stop_scribbling
	"$helpers/dm-stop" "$volume" "$store"
	"$helpers/dm-start" "$volume" "$origin" "$store"
	go_on_scribbling
}

# A receiver whose stream was cut takes back what it has written; one whose stream was not takes a
# snapshot.
op_receive() {
	stop_scribbling
	mark synced:-
	take_one
	scribble_some 40 7
	"$helpers/cow-rollback" 16384 "/dev/mapper/$volume-cow-$(thin_of "$id")" "/dev/mapper/$volume"
	scribble_some 40 8
	take_one
	start_scribbling
}

# thin_of ID
thin_of() {
	"$helpers/store-show" "$store" | sed -n "s/^snapshot=$1 .* thin=\([0-9]*\) .*/\1/p"
}

# sum_of ID - of what it shows
sum_of() {
	"$tools/sum" "/dev/zumastor/$volume/$1"
}

op_revert() {
	local before after to=${ids[0]}
	stop_scribbling
	mark synced:-
	take_one
	before=$("$tools/sum" "/dev/mapper/$volume")
	"$helpers/dm-show" "$volume" "$store" "$to" >/dev/null
	after=$(sum_of "$to")
	mark "shows:$before,$after"
	revert_begin "$to" >/dev/null
	mark "shows:$after"
	mark shows:-
	start_scribbling
	revert_rewind >/dev/null
	"$helpers/dm-revert" merge "$volume" "$store"
	revert_finish
	mark shows:
}

clones=0

# write_clone NAME SEED
write_clone() {
	mark "clone:$1:-"
	"$tools/scribble" "/dev/zumastor/$volume/$1" "$2" 1 20 >/dev/null
	blockdev --flushbufs "/dev/zumastor/$volume/$1"
	mark "clone:$1:$("$tools/sum" "/dev/zumastor/$volume/$1")"
}

op_clone() {
	clones=$((clones + 1))
	local name=copy-$clones
	"$helpers/dm-clone" create "$volume" "$store" "${ids[0]}" "$name" >/dev/null
	mark "clone:$name:-"
	write_clone "$name" 1
	take_one
	op_restart
	write_clone "$name" 2
	mark "unclone:$name"
	"$helpers/dm-clone" remove "$volume" "$store" "$name"
}

# store_table - of the store's slice.
store_table() {
	printf '0 %d linear /dev/mapper/logged %d\n' "$store_now" "$origin_sectors"
}

# The disk under the store gets larger, and so do the pool's data and metadata.
op_resize() {
	local meta
	((store_now < store_sectors)) || return 0
	store_now=$((store_now + 8192))
	store_table | dmsetup load logged-store
	dmsetup suspend logged-store
	dmsetup resume logged-store
	"$helpers/dm-resize" --store $((store_now * 512 - (2 << 20))) "$volume" "$origin" "$store" \
		>"$scratch/sizes"
	meta=$(sed -n 's/^meta_bytes=//p' "$scratch/sizes")
	"$helpers/dm-resize" --meta $((meta + (1 << 20))) "$volume" "$origin" "$store" >/dev/null
	take_one
}

# begin_round - few enough snapshots that all fits.
begin_round() {
	while ((${#ids[@]} > 3)); do
		remove_one $((RANDOM % ${#ids[@]}))
	done
}

workload() {
	local rounds=$1 n op
	seed=$2
	RANDOM=$2
	modprobe -a dm-log-writes
	dmsetup create logged --table \
		"0 $((origin_sectors + store_sectors)) log-writes $DEV1NAME $DEV2NAME"
	dmsetup create logged-origin --table "0 $origin_sectors linear /dev/mapper/logged 0"
	store_table | dmsetup create logged-store
	origin=/dev/mapper/logged-origin store=/dev/mapper/logged-store
	"$helpers/store-format" "$volume" "$origin" "$store" >/dev/null
	"$helpers/dm-start" "$volume" "$origin" "$store"
	mark op:first
	start_scribbling
	mark ready
	for ((n = 0; n < rounds; n++)); do
		for op in take absorb show remove_middle remove_oldest restart remove_newest clone receive resize revert; do
			begin_round
			mark "op:$op"
			"op_$op"
		done
	done
	stop_scribbling
	"$helpers/dm-stop" "$volume" "$store"
	dmsetup remove logged-store
	dmsetup remove logged-origin
	dmsetup remove logged
	sync
}
