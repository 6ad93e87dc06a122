#!/bin/bash
# lab: --disk 32M --disk 64M --disk 32M --disk 64M --timeout 600
# A replica is compared with what it was given, by sums that were made as it arrived: nothing is reported that is as it
# should be, whatever was cut, and one byte that is not is.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cli.sh"
modprobe loop
source=$database/volumes/copy/source
mb=1048576

# next - a snapshot, and in $scratch/N.tar what changed since the one before.
n=0
next() {
	z snapshot home hourly >/dev/null
	n=$((n + 1))
	z export home "$scratch/$n.tar" "$@" -q
}

# well DESC [OPTION...] - all is as it was received, of snapshot $n.
well() {
	local desc=$1
	shift
	expect 0 "$desc" z verify copy "$@"
	is "$(<"$out")" "snapshot $n of 'copy': 32M compared, all as it was received" 'says so'
}

# noise SEEK COUNT [FROM] - KiB.
noise() {
	dd if="${3:-/dev/urandom}" of=/dev/mapper/home bs=1K seek="$1" count="$2" oflag=direct conv=notrunc status=none
}

# damage OFFSET - a byte of the replica's disk is another.
damage() {
	dd if="$DEV3NAME" of="$scratch/byte" bs=1 skip="$1" count=1 status=none
	tr '\0-\377' '\1-\377\0' <"$scratch/byte" | dd of="$DEV3NAME" bs=1 seek="$1" conv=notrunc,fsync status=none
	echo 1 >/proc/sys/vm/drop_caches
}

z define volume home "$DEV1NAME" "$DEV2NAME" >/dev/null
noise 0 20480
z define master home --hourly 24 >/dev/null
z define volume copy "$DEV3NAME" "$DEV4NAME" >/dev/null
z define source copy host9 --yes >/dev/null
refused 1 "'home' receives nothing" verify home
refused 4 'nothing was recorded' verify copy
refused 2 'need HOST' verify copy --repair
next
z import copy "$scratch/1.tar" -q
well 'in full'

# Parts of chunks, what is zero now, and what is equal.
noise 100 1
noise 5000 4
noise 8192 1024 /dev/zero
next --since 1 --compare yes
z import copy "$scratch/2.tar" -q
well 'what changed'
damage $((8 * mb + 5000))
expect 7 'a byte where it was zero' z verify copy
is "$(head -n 1 "$out")" "$((8 * mb + 4096)) 4096" 'is found'

dd if="$scratch/byte" of="$DEV3NAME" bs=1 seek=$((8 * mb + 5000)) conv=notrunc,fsync status=none
well 'undone'

# Cut, and then something else: what was there is known still.
noise 1000 3000
noise 9000 1000
next --since 2
head -c 2000000 "$scratch/3.tar" >"$scratch/cut"
expect 7 'an archive that is cut' z import copy "$scratch/cut"
n=2
well 'changes nothing'
n=3

# A crash in the moment when all has arrived: what is new is laid over the rest by whoever comes next.
touch "$source/sums.next"
ln "$source/sums.next" "$source/kept"
cp "$source/sums" "$source/sums-of" "$scratch"
z import copy "$scratch/3.tar" -q
well 'the whole'
of=$(<"$source/sums-of")
mv -T "$source/kept" "$source/sums.next"
printf '%s %s\n' "$(<"$scratch/sums-of")" "$of" >"$source/sums-step"
cp "$scratch/sums" "$scratch/sums-of" "$source"
well 'after a crash'
is "$(<"$source/sums-of")" "$of" 'it is the newest'
is "$(cd "$source" && ls sums*)" $'sums\nsums-of' 'and nothing is left'

# Killed on the way.
damage $((2 * mb))
zumastor verify copy --rate 4M </dev/null &>/dev/null &
pid=$!
for ((i = 0; i < 300; i++)); do
	! grep -sq ^at "$source/verify" || grep -q ^end "$source/verify" || break
	sleep 0.1
done
kill -9 "$pid"
wait "$pid" || true
dd if="$scratch/byte" of="$DEV3NAME" bs=1 seek=$((2 * mb)) conv=notrunc,fsync status=none
for ((i = 0; i < 300; i++)); do
	! flock -n /run/zumastor/lock/copy:verify true || break
	sleep 0.1
done
expect 7 'killed' z verify copy
is "$(head -n 1 "$out")" "$((2 * mb)) 4096" 'goes on'
like "$(z status copy)" 'received +4K differ, verified' 'status has it'
like "$(z list copy -o id,kinds)" '3 +hourly,damaged' 'the list, too'
well 'from the beginning' --restart

damage $((3 * mb))
expect 0 'take what is there' z verify copy --record
is "$(<"$out")" "snapshot 3 of 'copy': recorded as it is" 'says so'
well 'from now on'
done_testing
