#!/bin/bash
# engine.sh - writes with 1 to 512 snapshots beside what else Linux offers; the snapshot pause, removal, reading old
# snapshots; reverting; a delta.
# Runs in the lab: DEV1NAME is the origin, DEV2NAME the store.  ZUMASTOR_BENCH="reads changes" runs only those parts.
set -euo pipefail
shopt -s inherit_errexit
helpers=/usr/libexec/zumastor
origin=$DEV1NAME store=$DEV2NAME
modprobe -a dm-snapshot dm-thin-pool loop
area=512M	# of the volume that is written
rounds=5	# of writes, in each of which every row has its turn: what else the machine does falls on all of them alike
rows=('zumastor 1' 'zumastor 16' 'zumastor 64' 'zumastor 512' 'dm-snapshot 1' 'dm-snapshot 4' 'dm-snapshot 16' thin raw)

# speed DEVICE KIND - MB/s of 16 KiB random writes with queue depth 16 (qd16) or each fsynced (fsync), or of
# 1 MiB sequential ones (seq).
speed() {
	local -a job
	case $2 in
	qd16)	job=(--rw=randwrite --bs=16k --iodepth=16 --io_size=128M) ;;
	fsync)	job=(--rw=randwrite --bs=16k --iodepth=1 --fsync=1 --io_size=16M) ;;
	seq)	job=(--rw=write --bs=1M --iodepth=4 --io_size=192M) ;;
	esac
	fio --name=job --filename="$1" --direct=1 --ioengine=libaio --size="$area" --randrepeat=0 --end_fsync=1 \
		--output-format=terse --terse-version=3 "${job[@]}" | awk -F';' '{ printf "%.1f", $48 / 1024 }'
}

zeroed() {
	dd if=/dev/zero of="$store" bs=1M count=2 oflag=direct status=none
}

# fill N - a zumastor volume with N snapshots, each of which kept something; leaves the last pauses, in ms, in
# /tmp/pause.
fill() {
	local n
	"$helpers/store-format" bench "$origin" "$store" >/dev/null
	"$helpers/dm-start" bench "$origin" "$store"
	for ((n = 0; n < $1; n++)); do
		((n == 0)) || dd if=/dev/urandom of=/dev/mapper/bench bs=16k count=8 seek=$((n * 64)) oflag=direct \
			conv=notrunc status=none
		"$helpers/dm-snapshot" bench "$store"
	done | sed -n 's/^pause_us=//p' | tail -n 5 >/tmp/pause
	"$helpers/dm-settle" bench "$store"
}

# median - of the numbers on stdin.
median() {
	sort -n | awk '{ n[NR] = $1 } END { print n[int((NR + 1) / 2)] }'
}

# timed CMD [ARG...] - milliseconds.
timed() {
	local start=$EPOCHREALTIME
	"$@" >/dev/null
	awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.0f", (b - a) * 1000 }'
}

# nth_id oldest|middle - of the snapshots.
nth_id() {
	local -a ids
	mapfile -t ids < <("$helpers/store-show" "$store" | sed -n 's/^snapshot=\([0-9]*\) .*/\1/p')
	[[ $1 == oldest ]] || ids=("${ids[@]:(${#ids[@]} - 1) / 2}")
	printf '%s' "${ids[0]}"
}

# cost N - of a snapshot and of removing one, by number of snapshots: milliseconds, added to /tmp/cost.N.
cost() {
	local snapshot middle oldest
	snapshot=$(timed "$helpers/dm-snapshot" bench "$store")
	middle=$(timed "$helpers/dm-remove" bench "$store" "$(nth_id middle)")
	oldest=$(timed "$helpers/dm-remove" bench "$store" "$(nth_id oldest)")
	printf '%s %s %s %s\n' "$(awk '{ printf "%.2f", $1 / 1000 }' <<<"$(median </tmp/pause)")" \
		"$snapshot" "$middle" "$oldest" >>"/tmp/cost.$1"
}

# anew - a new head, so that all is copied out once more, and as many snapshots as before.
anew() {
	"$helpers/dm-snapshot" bench "$store" >/dev/null
	"$helpers/dm-remove" bench "$store" "$(nth_id oldest)"
}

# speeds DEVICE ANEW [ARG...] - MB/s of each kind, before every one of which ANEW sees to it that all is still to be copied
# out.
speeds() {
	local device=$1 kind
	shift
	for kind in qd16 fsync seq; do
		"$@"
		printf '%s ' "$(speed "$device" "$kind")"
	done
	echo
}

# Each of the rows is a command that prints its speeds.

zumastor() {
	fill "$1"
	speeds /dev/mapper/bench anew
	cost "$1"
	"$helpers/dm-stop" bench "$store"
}

# dm-snapshot N - that many on the origin, as LVM does it.
dm-snapshot() {
	local sectors each
	sectors=$(blockdev --getsz "$origin")
	each=$(($(blockdev --getsz "$store") / $1))
	dmsetup create real --table "0 $sectors linear $origin 0"
	speeds /dev/mapper/plain plain_anew "$1"
	plain_end "$1"
	dmsetup remove real
}

plain_anew() {
	local n
	[[ ! -e /dev/mapper/plain ]] || plain_end "$1"
	for ((n = 0; n < $1; n++)); do
		dd if=/dev/zero of="$store" bs=512 seek=$((n * each)) count=64 oflag=direct conv=notrunc status=none
		dmsetup create "cow$n" --table "0 $each linear $store $((n * each))"
		dmsetup create "snap$n" --table "0 $sectors snapshot /dev/mapper/real /dev/mapper/cow$n P 32"
	done
	dmsetup create plain --table "0 $sectors snapshot-origin /dev/mapper/real"
}

plain_end() {
	local n
	dmsetup remove plain
	for ((n = 0; n < $1; n++)); do
		dmsetup status "snap$n" | grep -q ' snapshot [0-9]*/'	# and not Invalid, which costs nothing
		dmsetup remove "snap$n"
		dmsetup remove "cow$n"
	done
}

# thin - a thin volume, filled, with one snapshot.
thin() {
	local sectors
	sectors=$(blockdev --getsz "$origin")
	zeroed
	dmsetup create meta --table "0 131072 linear $store 0"
	dmsetup create data --table "0 $(($(blockdev --getsz "$store") - 131072)) linear $store 131072"
	dmsetup create pool --table "0 $(($(blockdev --getsz "$store") - 131072)) thin-pool \
		/dev/mapper/meta /dev/mapper/data 512 0 1 skip_block_zeroing"
	dmsetup message pool 0 'create_thin 0'
	dmsetup create thin --table "0 $sectors thin /dev/mapper/pool 0"
	dd if=/dev/zero of=/dev/mapper/thin bs=1M count="${area%M}" oflag=direct status=none
	speeds /dev/mapper/thin thin_anew
	dmsetup remove thin
	dmsetup remove pool
	dmsetup remove meta
	dmsetup remove data
}

thin_anew() {
	dmsetup suspend thin
	dmsetup message pool 0 'delete 1' 2>/dev/null || true	# the first time there is none
	dmsetup message pool 0 'create_snap 1 0'
	dmsetup resume thin
}

raw() {
	speeds "$origin" true
}

# best N NAME - of its rounds: what disturbs only ever makes slower.
best() {
	cut -d' ' -f"$1" "/tmp/speeds.$2" | sort -n | tail -n 1
}

# row NAME - the best of its rounds, and its ratio to that of the volume with one snapshot.
row() {
	local n
	printf '%-28s' "$1"
	for n in 1 2 3; do
		awk -v a="$(best "$n" "$1")" -v b="$(best "$n" 'zumastor 1')" 'BEGIN { printf " %8.1f %5.2f", a, a / b }'
	done
	printf '\n'
}

# The lab's disks are sparse, and slower when written for the first time.
warm_up() {
	dd if=/dev/zero of="$origin" bs=1M oflag=direct status=none count=2048
	dd if=/dev/zero of="$store" bs=1M oflag=direct status=none count=4096
}

writes() {
	local name n
	for ((n = 0; n < rounds; n++)); do
		for name in "${rows[@]}"; do
			$name >>"/tmp/speeds.$name"
		done
	done
	printf '%-28s %8s %5s %8s %5s %8s %5s\n' 'writes, MB/s and ratio' 'qd16' '' 'fsync' '' 'seq' ''
	for name in "${rows[@]}"; do
		row "$name"
	done
}

costs() {
	local name n
	printf '\n%-28s %8s %8s %8s %8s\n' 'snapshots; ms' pause snapshot 'remove one' 'oldest'
	for name in "${rows[@]}"; do
		[[ $name == zumastor* ]] || continue
		name=${name#* }
		printf '%-28s' "$name"
		for n in 1 2 3 4; do
			printf ' %8s' "$(cut -d' ' -f"$n" "/tmp/cost.$name" | median)"
		done
		printf '\n'
	done
}

# pause CHUNKS - milliseconds the volume is suspended with that many changed chunks since the head.
pause() {
	"$helpers/dm-snapshot" bench "$store" >/dev/null
	random_writes "$1" 1G
	"$helpers/dm-settle" bench "$store"
	"$helpers/dm-snapshot" bench "$store" | awk -F= '/^pause_us/ { printf "%.2f", $2 / 1000 }'
}

# random_writes CHUNKS SIZE [BS] - to as many chunks in the first SIZE of the volume, in runs of BS.
random_writes() {
	fio --name=job --filename=/dev/mapper/bench --direct=1 --ioengine=libaio --iodepth=16 --rw=randwrite --bs="${3:-16k}" \
		--norandommap=0 --randrepeat=0 --size="$2" --io_size=$(($1 * 16))k --output=/dev/null
}

pauses() {
	local few many
	few=$(pause 10)
	many=$(pause 50000)
	printf '\nsnapshot pause, ms: %s with 10 changed chunks, %s with 50000\n' "$few" "$many"
}

# read_speed DEVICE KIND - MB/s: rand16k, 16 at a time, or seq of 1 MiB.
read_speed() {
	local -a job=(--rw=randread --bs=16k --iodepth=16)
	[[ $2 == rand16k ]] || job=(--rw=read --bs=1M --iodepth=4)
	fio --name=job --filename="$1" --readonly --direct=1 --ioengine=libaio --size="$area" --io_size=256M --randrepeat=0 \
		--output-format=terse --terse-version=3 "${job[@]}" | awk -F';' '{ printf "%.1f", $7 / 1024 }'
}

# read_speeds BS - of 64 snapshots, each of which kept 1/64 of what is read, changed in runs of BS.  Each speed is the
# best of three, taken in turn.
read_speeds() {
	local n kind device
	local -A best=()
	"$helpers/store-format" bench "$origin" "$store" >/dev/null
	"$helpers/dm-start" bench "$origin" "$store"
	for ((n = 0; n < 64; n++)); do
		"$helpers/dm-snapshot" bench "$store" >/dev/null
		random_writes 512 "$area" "$1"
	done
	"$helpers/dm-show" bench "$store" 1 64 >/dev/null
	for kind in rand16k seq rand16k seq rand16k seq; do
		for device in "$origin" /dev/zumastor/bench/{64,1}; do
			n=$(read_speed "$device" "$kind")
			best[$kind:${device##*/}]=$(printf '%s\n' "$n" "${best[$kind:${device##*/}]-0}" | sort -n | tail -n 1)
		done
	done
	for kind in rand16k seq; do
		printf '%s\n' "$kind,changed-by-$1 ${best[$kind:${origin##*/}]} ${best[$kind:64]} ${best[$kind:1]}"
	done | awk '{ printf "%-28s %8.1f %8.1f %8.1f %.2f\n", $1, $2, $3, $4, $4 / $3 }'
	"$helpers/dm-stop" bench "$store"
}

reads() {
	printf '\n%-28s %8s %8s %8s %s\n' 'reads, MB/s' raw newest oldest 'oldest/newest of 64'
	read_speeds 16k
	read_speeds 1M
}

read_sectors() {
	awk '{ print $3 }' "/sys/block/${1##*/}/stat"
}

# delta - 1 % of the volume: seconds, and bytes read from both disks over bytes changed.
delta() {
	local chunks before after changed seconds list
	local -a ids
	"$helpers/dm-snapshot" bench "$store" >/dev/null
	chunks=$(($(blockdev --getsize64 "$origin") / 16384))
	random_writes $((chunks / 100)) 2G
	"$helpers/dm-snapshot" bench "$store" >/dev/null
	"$helpers/dm-settle" bench "$store"
	mapfile -t ids < <("$helpers/store-show" "$store" | sed -n 's/^snapshot=\([0-9]*\) .*/\1/p' | tail -n 2)
	"$helpers/dm-show" bench "$store" "${ids[1]}" >/dev/null
	before=$(($(read_sectors "$origin") + $(read_sectors "$store")))
	seconds=$EPOCHREALTIME
	mapfile -t list < <("$helpers/dm-cows" bench "$store" "${ids[0]}" "${ids[1]}")
	"$helpers/cow-chunks" 16384 "$chunks" "${list[@]}" >/tmp/ranges
	{
		printf '%s\n' "volume=$(cat /proc/sys/kernel/random/uuid)" name=bench "base=$(cat /proc/sys/kernel/random/uuid)" \
			"snapshot=$(cat /proc/sys/kernel/random/uuid)" time=1 kinds=manual \
			"volume_bytes=$((chunks * 16384))" chunk_bytes=16384 ''
		cat /tmp/ranges
		echo end
	} >/tmp/description
	"$helpers/delta-pack" --compress none "/dev/zumastor/bench/${ids[1]}" </tmp/description >/tmp/delta
	seconds=$(awk -v a="$seconds" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.2f", b - a }')
	after=$(($(read_sectors "$origin") + $(read_sectors "$store")))
	changed=$(awk '{ n += $2 } END { printf "%.0f", n * 16384 }' /tmp/ranges)
	awk -v s="$seconds" -v read=$(((after - before) * 512)) -v changed="$changed" -v size="$(stat -c %s /tmp/delta)" 'BEGIN {
		printf "delta of 1 %% of 2 GiB: %s s, %.1f MiB changed, read %.3f times that, stream %.3f times\n", s,
			changed / 1048576, read / changed, size / changed }'
}

# changes - what depends on how much has changed.
changes() {
	"$helpers/store-format" bench "$origin" "$store" >/dev/null
	"$helpers/dm-start" bench "$origin" "$store"
	pauses
	delta
	"$helpers/dm-stop" bench "$store"
}

# back - to snapshot 1, with an undo point: from then on the volume can be used.
back() {
	"$helpers/dm-snapshot" --kinds undo bench "$store"
	"$helpers/dm-revert" begin bench "$store" 1
}

# revert_time CHUNKS - milliseconds until a volume with that many changed chunks can be used with its old content.
revert_time() {
	"$helpers/store-format" bench "$origin" "$store" >/dev/null
	"$helpers/dm-start" bench "$origin" "$store"
	"$helpers/dm-snapshot" bench "$store" >/dev/null
	random_writes "$1" 1700M
	"$helpers/dm-settle" bench "$store"
	timed back
	"$helpers/dm-stop" bench "$store"
}

reverts() {
	local few many
	few=$(revert_time 10)
	many=$(revert_time 100000)
	printf '\nrevert until the volume can be used, ms: %s with 10 changed chunks, %s with 100000\n' "$few" "$many"
}

# Each part formats the store anew and leaves the volume stopped.
warm_up
for part in ${ZUMASTOR_BENCH:-writes costs reads reverts changes}; do
	"$part"
done
