#!/bin/bash
# engine.sh - writes with 1, 4 and 16 snapshots beside what else Linux offers; the snapshot pause; a delta.
# Runs in the lab: DEV1NAME is the origin, DEV2NAME the store.
set -euo pipefail
helpers=/usr/libexec/zumastor
origin=$DEV1NAME store=$DEV2NAME
modprobe -a dm-snapshot dm-thin-pool loop
area=512M	# of the volume that is written

# speed DEVICE KIND - MB/s of 16 KiB random writes with queue depth 16 (qd16) or each fsynced (fsync), or of
# 1 MiB sequential ones (seq).
speed() {
	local -a job
	case $2 in
	qd16)	job=(--rw=randwrite --bs=16k --iodepth=16 --io_size=128M) ;;
	fsync)	job=(--rw=randwrite --bs=16k --iodepth=1 --fsync=1 --io_size=16M) ;;
	seq)	job=(--rw=write --bs=1M --iodepth=4 --io_size=256M) ;;
	esac
	fio --name=job --filename="$1" --direct=1 --ioengine=libaio --size="$area" --randrepeat=0 --end_fsync=1 \
		--output-format=terse --terse-version=3 "${job[@]}" | awk -F';' '{ printf "%.1f", $48 / 1024 }'
}

all_speeds() {
	local kind
	for kind in qd16 fsync seq; do
		speed "$1" "$kind"
		printf ' '
	done
}

zeroed() {
	dd if=/dev/zero of="$store" bs=1M count=2 oflag=direct status=none
}

# ours N - a zumastor volume with N snapshots, each of which kept something.
ours() {
	local n
	"$helpers/store-format" bench "$origin" "$store" >/dev/null
	"$helpers/dm-start" bench "$origin" "$store"
	for ((n = 0; n < $1; n++)); do
		((n == 0)) || dd if=/dev/urandom of=/dev/mapper/bench bs=16k count=8 seek=$((n * 64)) oflag=direct \
			conv=notrunc status=none
		"$helpers/dm-snapshot" bench "$store" >/dev/null
	done
	"$helpers/dm-settle" bench "$store"
	all_speeds /dev/mapper/bench
	"$helpers/dm-stop" bench "$store"
}

# plain N - N dm-snapshots on the origin, as LVM does it.
plain() {
	local sectors n each
	sectors=$(blockdev --getsz "$origin")
	each=$(($(blockdev --getsz "$store") / 16))
	zeroed
	dmsetup create real --table "0 $sectors linear $origin 0"
	for ((n = 0; n < $1; n++)); do
		dd if=/dev/zero of="$store" bs=512 seek=$((n * each)) count=64 oflag=direct conv=notrunc status=none
		dmsetup create "cow$n" --table "0 $each linear $store $((n * each))"
		dmsetup create "snap$n" --table "0 $sectors snapshot /dev/mapper/real /dev/mapper/cow$n P 32"
	done
	dmsetup create plain --table "0 $sectors snapshot-origin /dev/mapper/real"
	all_speeds /dev/mapper/plain
	dmsetup remove plain
	for ((n = 0; n < $1; n++)); do
		dmsetup remove "snap$n"
		dmsetup remove "cow$n"
	done
	dmsetup remove real
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
	dmsetup suspend thin
	dmsetup message pool 0 'create_snap 1 0'
	dmsetup resume thin
	all_speeds /dev/mapper/thin
	dmsetup remove thin
	dmsetup remove pool
	dmsetup remove meta
	dmsetup remove data
}

# row NAME QD16 FSYNC SEQ - figures, and their ratio to the volume with one snapshot.
row() {
	printf '%s %s %s %s %s %s %s\n' "$1" "$2" "$3" "$4" "$base_qd16" "$base_fsync" "$base_seq" |
		awk '{ printf "%-28s %8.1f %5.2f %8.1f %5.2f %8.1f %5.2f\n", $1, $2, $2/$5, $3, $3/$6, $4, $4/$7 }'
}

# The lab's disks are sparse files, slower when written for the first time.
warm_up() {
	dd if=/dev/zero of="$origin" bs=1M oflag=direct status=none count=2048
	dd if=/dev/zero of="$store" bs=1M oflag=direct status=none count=4096
}

writes() {
	local name figures
	printf '%-28s %8s %5s %8s %5s %8s %5s\n' 'writes, MB/s and ratio' 'qd16' '' 'fsync' '' 'seq' ''
	read -r base_qd16 base_fsync base_seq <<<"$(ours 1)"
	row zumastor,1 "$base_qd16" "$base_fsync" "$base_seq"
	for name in 'ours 4' 'ours 16' 'plain 1' 'plain 4' 'plain 16' thin 'all_speeds raw'; do
		case $name in
		*raw)	figures=$(all_speeds "$origin") ;;
		*)	figures=$($name) ;;
		esac
		read -ra figures <<<"$figures"
		name=${name/ours/zumastor} name=${name/plain/dm-snapshot} name=${name/all_speeds /}
		row "${name/ /,}" "${figures[@]}"
	done
}

# pause CHUNKS - milliseconds the volume is suspended with that many changed chunks since the head.
pause() {
	"$helpers/dm-snapshot" bench "$store" >/dev/null
	fio --name=job --filename=/dev/mapper/bench --direct=1 --ioengine=libaio --iodepth=16 --rw=randwrite --bs=16k \
		--norandommap=0 --randrepeat=0 --size=1G --io_size=$(($1 * 16))k --output=/dev/null
	"$helpers/dm-settle" bench "$store"
	"$helpers/dm-snapshot" bench "$store" | awk -F= '/^pause_us/ { printf "%.2f", $2 / 1000 }'
}

pauses() {
	local few many
	few=$(pause 10)
	many=$(pause 50000)
	printf '\nsnapshot pause, ms: %s with 10 changed chunks, %s with 50000\n' "$few" "$many"
}

read_sectors() {
	awk '{ print $3 }' "/sys/block/$1/stat"
}

# delta - 1 % of the volume: seconds, and bytes read from both disks over bytes changed.
delta() {
	local chunks before after changed seconds list
	local -a ids
	"$helpers/dm-snapshot" bench "$store" >/dev/null
	chunks=$(($(blockdev --getsize64 "$origin") / 16384))
	fio --name=job --filename=/dev/mapper/bench --direct=1 --ioengine=libaio --iodepth=16 --rw=randwrite --bs=16k \
		--randrepeat=0 --io_size=$((chunks * 16 / 100))k --output=/dev/null
	"$helpers/dm-snapshot" bench "$store" >/dev/null
	"$helpers/dm-settle" bench "$store"
	mapfile -t ids < <("$helpers/store-show" "$store" | sed -n 's/^snapshot=\([0-9]*\) .*/\1/p' | tail -n 2)
	"$helpers/dm-show" bench "$store" "${ids[1]}" >/dev/null
	before=$(($(read_sectors "${origin##*/}") + $(read_sectors "${store##*/}")))
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
	after=$(($(read_sectors "${origin##*/}") + $(read_sectors "${store##*/}")))
	changed=$(awk '{ n += $2 } END { printf "%.0f", n * 16384 }' /tmp/ranges)
	awk -v s="$seconds" -v read=$(((after - before) * 512)) -v changed="$changed" -v size="$(stat -c %s /tmp/delta)" 'BEGIN {
		printf "delta of 1 %% of 2 GiB: %s s, %.1f MiB changed, read %.3f times that, stream %.3f times\n", s,
			changed / 1048576, read / changed, size / changed }'
}

warm_up
writes
"$helpers/store-format" bench "$origin" "$store" >/dev/null
"$helpers/dm-start" bench "$origin" "$store"
pauses
delta
"$helpers/dm-stop" bench "$store"
