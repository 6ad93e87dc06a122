#!/bin/bash
# replication.sh - replication beside other ways of doing it (`make bench-replication`).
#
# Runs on two hosts of the lab, a 1 % change of a 4 GiB volume.  ZUMASTOR_BENCH names the parts to run.
set -euo pipefail
shopt -s inherit_errexit

helpers=/usr/libexec/zumastor
readonly MIB=4096 CHANGED=2621	# chunks of 16 KiB: 1 %
rounds=${ZUMASTOR_BENCH_ROUNDS:-2}

# seconds CMD... - how long it takes.
seconds() {
	local start=$EPOCHREALTIME
	"$@" >/tmp/said
	awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.2f\n", b - a }'
}

row() {
	printf '%-44s %8s %10s %6s\n' "$@"
}

ratio() {
	awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'
}

far() {
	ssh -n host2 "$@"
}

# least FILE - of its rounds: what disturbs only ever makes slower.
least() {
	sort -n "/tmp/$1" | head -n 1
}

random_writes() {
	fio --name=job --filename="$1" --direct=1 --ioengine=libaio --iodepth=16 --rw=randwrite --bs=16k --refill_buffers \
		--randrepeat=0 --size=${MIB}M --io_size=$((CHANGED * 16))k --output=/dev/null
}

take() {
	zumastor snapshot home hourly </dev/null | cut -f1
}

setup() {
	far zumastor define volume home "$DEV1NAME" "$DEV2NAME"
	far zumastor define source home host1
	zumastor define volume home "$DEV1NAME" "$DEV2NAME"
	zumastor define master home --hourly 2 --no-snapmount
	zumastor define target home host2 --compress none
	take
	zumastor replicate home -q
} >/dev/null

# How the others do it: FIRST COUNT lines in, chunks with their places out, and the other end of that.
# shellcheck disable=SC2016 # they are perl's
sender='open D, "<", $ARGV[0]; while (<STDIN>) { ($f, $n) = split; for (0 .. $n - 1) {
	sysseek D, ($f + $_) * $ARGV[1], 0; sysread D, $b, $ARGV[1]; print pack("Q<", ($f + $_) * $ARGV[1]), $b } }'
# shellcheck disable=SC2016
receiver='open D, "+<", $ARGV[0]; while (read STDIN, $o, 8) { read STDIN, $b, $ARGV[1];
	sysseek D, unpack("Q<", $o), 0; syswrite D, $b } IO::Handle->new_from_fd(fileno(D), "w")->sync'

# raw_send DEVICE BLOCK TARGET <ranges - the bytes sent are in /tmp/wire.
raw_send() {
	# shellcheck disable=SC2029 # expanded here
	perl -e "$sender" "$1" "$2" | tee >(wc -c >/tmp/wire) |
		ssh host2 "perl -MIO::Handle -e '$receiver' $3 $2 && sync"
}

ours() {
	zumastor replicate home --bytes </dev/null
}

# by_lvmsync - the exceptions of the snapshot's store, read and sent.
by_lvmsync() {
	local -a cows
	mapfile -t cows < <("$helpers/dm-cows" home "$DEV2NAME" "$((id - 1))" "$id")
	"$helpers/cow-chunks" 16384 $((MIB * 64)) "${cows[@]}" >/tmp/ranges
	"$helpers/dm-settle" home "$DEV2NAME"
	raw_send "/dev/zumastor/home/$id" 16384 "$DEV4NAME" </tmp/ranges
}

by_rsync() {
	rsync --ignore-times --inplace --copy-devices --write-devices --no-whole-file --stats "$(readlink -f "/dev/zumastor/home/$id")" \
		"host2:$DEV3NAME"
}

thin_setup() {
	local sectors
	sectors=$(blockdev --getsz "$DEV3NAME")
	dmsetup create meta --table "0 131072 linear $DEV4NAME 0"
	dmsetup create pool --table "0 $sectors thin-pool /dev/mapper/meta $DEV3NAME 128 0 1 skip_block_zeroing"
	dmsetup message pool 0 'create_thin 0'
	dmsetup create thin --table "0 $((MIB * 2048 * 7 / 8)) thin /dev/mapper/pool 0"
	thin_snap 1
}

# thin_snap ID - a snapshot of it.
thin_snap() {
	dmsetup suspend thin
	dmsetup message pool 0 "create_snap $1 0"
	dmsetup resume thin
}

# by_thin N - what thin-send-recv does with snapshots N and N + 1.
by_thin() {
	dmsetup message pool 0 reserve_metadata_snap
	thin_delta -m --snap1 "$1" --snap2 "$(($1 + 1))" /dev/mapper/meta >/tmp/thin.xml
	dmsetup message pool 0 release_metadata_snap
	dmsetup create "thin$1" --table "0 $((MIB * 2048 * 7 / 8)) thin /dev/mapper/pool $(($1 + 1))"
	sed -nE 's/.*<(different|right_only) begin="([0-9]+)" length="([0-9]+)".*/\2 \3/p' /tmp/thin.xml |
		raw_send "/dev/mapper/thin$1" 65536 "$DEV5NAME"
	dmsetup remove "thin$1"
}

incremental() {
	local n id changed=$((CHANGED * 16384)) name
	thin_setup
	for ((n = 1; n <= rounds; n++)); do
		random_writes /dev/mapper/home
		id=$(take)
		seconds ours >>/tmp/time.ours
		sed 's/.* \([0-9]*\) changed.* \([0-9]*\) sent.*/\1 \2/' /tmp/said >/tmp/ours
		read -r changed _ </tmp/ours
		cut -d' ' -f2 /tmp/ours >/tmp/wire.ours
		seconds by_lvmsync >>/tmp/time.lvmsync
		cp /tmp/wire /tmp/wire.lvmsync
		seconds by_rsync >>/tmp/time.rsync
		sed -n 's/,//g;s/^Total bytes sent: //p' /tmp/said >/tmp/wire.rsync
		random_writes /dev/mapper/thin
		thin_snap $((n + 1))
		seconds by_thin "$n" >>/tmp/time.thin
		cp /tmp/wire /tmp/wire.thin
	done
	row "1 % of 4 GiB changed, to another host" seconds 'wire/changed' ratio
	for name in ours lvmsync thin rsync; do
		row "$name" "$(least "time.$name")" "$(ratio "$(<"/tmp/wire.$name")" "$changed")" \
			"$(ratio "$(least "time.$name")" "$(least time.ours)")"
	done
}

describe() {
	printf '%s\n' "volume=$(</proc/sys/kernel/random/uuid)" name=home "base=$1" "snapshot=$(</proc/sys/kernel/random/uuid)" \
		time=1 kinds=manual "volume_bytes=$((MIB << 20))" chunk_bytes=16384 '' '0 16384' end >/tmp/description
}

pack() {
	"$helpers/delta-pack" --compress "$1" "$snapshot" </tmp/description >/tmp/stream
}

dd_pack() {
	dd if="$snapshot" bs=1M count=256 iflag=direct status=none | $2 >/tmp/copy
}

apply() {
	"$helpers/delta-apply" --base "$base" /dev/mapper/home </tmp/stream
}

dd_apply() {
	$1 </tmp/copy | dd of=/dev/mapper/home bs=1M oflag=direct iflag=fullblock conv=notrunc,fsync status=none
}

# codec METHOD COMPRESS DECOMPRESS - 256 MiB of text, packed and applied, beside dd through the same compressor; behind a new
# snapshot each time, so that all is copied out.
codec() {
	local n base snapshot
	base=$(</proc/sys/kernel/random/uuid)
	describe "$base"
	snapshot=/dev/zumastor/home/$text
	for ((n = 0; n < rounds + 1; n++)); do
		seconds pack "$1" >>"/tmp/pack.$1"
		seconds dd_pack "$1" "$2" >>"/tmp/dd_pack.$1"
		take >/dev/null
		seconds apply >>"/tmp/apply.$1"
		take >/dev/null
		seconds dd_apply "$3" >>"/tmp/dd_apply.$1"
	done
	row "pack $1" "$(least "pack.$1")" "$(least "dd_pack.$1")" "$(ratio "$(least "dd_pack.$1")" "$(least "pack.$1")")"
	row "apply $1" "$(least "apply.$1")" "$(least "dd_apply.$1")" "$(ratio "$(least "dd_apply.$1")" "$(least "apply.$1")")"
}

codecs() {
	local text
	{ tar -cf - /usr/bin /usr/lib || true; } 2>/dev/null | head -c 256M | dd of=/dev/mapper/home bs=1M oflag=direct iflag=fullblock status=none
	text=$(take)
	zumastor hold home "$text"
	row $'\n256 MiB; seconds' ours dd ratio
	codec none cat cat
	codec lz4 'lz4 -1' 'lz4 -dc'
	codec zstd 'zstd -1 -T2 -c' 'zstd -dc'
}

empty() {
	zumastor replicate home host2 </dev/null
}

greeting() {
	printf 'zumastor 1 receive home\nnothing\n' | ssh host2 zumastor serve
}

cycle() {
	local part
	zumastor replicate home -q
	row $'\nempty cycle' seconds '' ''
	for ((n = 0; n < 5; n++)); do
		seconds empty >>/tmp/empty
		seconds greeting >>/tmp/greeting
		seconds far true >>/tmp/ssh
		seconds zumastor list home >>/tmp/list
		seconds zumastor --version >>/tmp/version
	done
	for part in 'empty:the whole' 'ssh:of it ssh' 'greeting:ssh and all of the other host' 'list:a command that reads the record' \
		'version:a command that does nothing'; do
		row "${part#*:}" "$(least "${part%%:*}")" '' ''
	done
}

setup
for part in ${ZUMASTOR_BENCH:-incremental codecs cycle}; do
	"$part"
done
