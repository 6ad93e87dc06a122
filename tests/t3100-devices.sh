#!/bin/bash
# lab: --disk 64M --disk 64M
# On real block devices: what fails is told, and a device that somebody uses is left alone.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/delta.sh"
pack=/usr/libexec/zumastor/delta-pack	# AddressSanitizer does not run in the lab
apply=/usr/libexec/zumastor/delta-apply
cd "$scratch"
modprobe dm-mod
size=$(blockdev --getsize64 "$DEV1NAME")
sectors=$((size / 512))
chunk=16384

random $((2 << 20)) "$DEV1NAME" $((8 << 20))
random $((1 << 20)) "$DEV1NAME" $((size - (1 << 20)))
describe_full "$size" "$chunk" >full
describe "$BASE" "$size" "$chunk" '512 128' "$((size / chunk - 64)) 64" >incremental

expect 0 'pack a device in full' "$pack" "$DEV1NAME" <full
mv "$out" stream.full
expect 0 'apply it to another' "$apply" "$DEV2NAME" <stream.full
is "$(cmp "$DEV1NAME" "$DEV2NAME" 2>&1)" '' 'they are the same'
is "$(fact written_bytes "$out")" $((3 << 20)) 'the zeros of a blank disk were not written again'
expect 0 'pack what changed' "$pack" "$DEV1NAME" <incremental
mv "$out" stream
expect 0 'apply that' "$apply" --base "$BASE" "$DEV2NAME" <stream

# in_use DESC - neither read nor written
in_use() {
	expect 3 "$1" "$apply" --base "$BASE" "$DEV2NAME" <stream
	like "$(cat "$err")" "^delta-apply: cannot open '$DEV2NAME': .*busy" 'says so'
}
mkfs.ext4 -q -F "$DEV2NAME"
mkdir mounted
mount "$DEV2NAME" mounted
in_use 'a device that is mounted'
umount mounted
dmsetup create t3100 --table "0 $sectors linear $DEV2NAME 0"
in_use 'a device under another one'
dmsetup remove t3100

# The last MiB of the device fails.
bad=$((sectors - 2048))
dmsetup create t3100 <<-END
	0 $bad linear $DEV2NAME 0
	$bad 2048 error
END
expect 1 'a write that fails' "$apply" --base "$BASE" /dev/mapper/t3100 <stream
like "$(cat "$err")" "^delta-apply: cannot apply to '/dev/mapper/t3100': Input/output error$" 'is told'
is "$(cat "$out")" '' 'and nothing is said to be done'
expect 1 'a read that fails, in full' "$apply" /dev/mapper/t3100 <stream.full
expect 1 'a read that fails' "$pack" /dev/mapper/t3100 <incremental
like "$(cat "$err")" "^delta-pack: cannot read '/dev/mapper/t3100': Input/output error$" 'is told'
mv "$out" unfinished
expect 7 'and what was packed is refused' "$apply" --dry-run <unfinished
dmsetup remove t3100
done_testing
