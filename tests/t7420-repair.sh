#!/bin/bash
# lab: --disk 8M --disk 24M --timeout 600
# The pool's metadata: afraid after a failed write, with wrong accounts, damaged for good.
# check tells, --repair mends, and what may be wrong afterwards is recorded as lost.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cli.sh"
. "$(dirname "$0")/stack.sh"
. "$(dirname "$0")/faults.sh"
meta_sector=2048

# fresh - a volume with two snapshots, running.
fresh() {
	z forget volume home --quiet >/dev/null 2>&1 || true
	dd if=/dev/zero of="$store" bs=1M count=8 oflag=direct status=none
	z define volume home "$origin" "$store" >/dev/null
	taken=()
	take; scribble 5
	take; scribble 5
}

# fail_metadata - a write of the pool's metadata fails.
fail_metadata() {
	while_failing home-store-meta dmsetup message home-store 0 'create_thin 5000' 2>/dev/null || true
}

# want_check - the kernel's mark on the metadata that a write of it failed, where the disk took the mark.
want_check() {
	python3 - "$store" "$meta_sector" <<-'END'
		import sys, struct

		def crc32c(data, crc=0xffffffff):
		    for byte in data:
		        crc ^= byte
		        for _ in range(8):
		            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
		    return crc

		# dm-thin-metadata.c of the kernel: csum, flags (1: needs check), block number, ...
		with open(sys.argv[1], "r+b") as disk:
		    disk.seek(int(sys.argv[2]) * 512)
		    block = bytearray(disk.read(4096))
		    struct.pack_into("<I", block, 4, 1)
		    struct.pack_into("<I", block, 0, crc32c(block[4:]) ^ 160774)
		    disk.seek(int(sys.argv[2]) * 512)
		    disk.write(block)
	END
}

states() {
	"$helpers/store-show" "$store" | sed -n 's/^snapshot=.*state=\([a-z]*\) .*/\1/p' | sort -u | paste -sd' '
}

fresh
fail_metadata
expect 7 'check of a running volume' z check home
like "$(<"$out")" "the pool .*; 'zumastor stop volume home' and 'zumastor check home --repair' repair it" 'says what to do'
expect 3 '--repair is refused while it runs' z check home --repair
expect 0 'stop' z stop volume home
want_check
expect 1 'the pool cannot be used' z start volume home
like "$(<"$err")" 'needs thin_check' 'start says why'
expect 7 'check' z check home
expect 0 'check --repair' z check home --repair
is "$(states)" live 'the volume was stopped in order: no snapshot is lost'
expect 0 'start' z start volume home
is "$(differing)" '' 'the snapshots are right'

# The same, but nobody has stopped the volume: as after a crash.
fail_metadata
while read -r name _; do
	names+=("$name")
done < <(dmsetup ls)
for ((n = 0; n < 12; n++)); do
	for name in "${names[@]}"; do
		dmsetup remove "$name" 2>/dev/null || true
	done
done
is "$(dmsetup ls)" 'No devices found' 'gone without a stop'
want_check
expect 6 'check --repair' z check home --repair
like "$(<"$err")" 'warning: snapshots 1 2 of .home. are lost' 'nobody can say what the kernel had given up'

# Accounts alone.
fresh
expect 0 'stop' z stop volume home
sector=$(python3 - "$store" "$meta_sector" <<-'END'
	import sys, struct
	with open(sys.argv[1], "rb") as disk:
	    disk.seek(int(sys.argv[2]) * 512)
	    superblock = disk.read(4096)
	# magic is at 32; the root of the data space map: nr blocks, nr allocated, bitmap root, ref count root.
	print(struct.unpack_from("<QQQQ", superblock, 64)[2])
	END
)
dd if=/dev/urandom of="$store" bs=4k seek=$((meta_sector / 8 + sector)) count=1 oflag=direct conv=notrunc status=none
expect 7 'a damaged space map' z check home
like "$(<"$out")" "metadata is damaged" 'is found'
expect 0 'and repaired' z check home --repair
is "$(states)" live 'no snapshot is lost'
is "$(find /var/lib/zumastor/saved -type f | wc -l)" 1 'a copy is kept'
expect 0 'start' z start volume home
is "$(differing)" '' 'the snapshots are right'

# Mappings.
fresh
expect 0 'stop' z stop volume home
hash=$(content "$origin")
python3 - "$store" "$meta_sector" <<-'END'
	import os, sys, struct
	disk = os.open(sys.argv[1], os.O_RDWR)
	start = int(sys.argv[2]) * 512
	superblock = os.pread(disk, 4096, start)
	root = struct.unpack_from("<Q", superblock, 320)[0]		# data mapping root
	top = os.pread(disk, 4096, start + root * 4096)
	entries, size = struct.unpack_from("<II", top, 16)[0], struct.unpack_from("<I", top, 20)[0]
	leaf = struct.unpack_from("<Q", top, 32 + 8 * size)[0]		# the first thin volume's tree
	os.pwrite(disk, os.urandom(4096), start + leaf * 4096)
	os.fsync(disk)
	END
expect 7 'a damaged mapping' z check home
expect 6 'is repaired' z check home --repair
is "$(states)" lost 'but the snapshots are lost'
expect 0 'start' z start volume home
is "$(content /dev/mapper/home)" "$hash" 'the volume is as it was'
for id in 1 2; do
	expect 0 'remove' "$helpers/dm-remove" home "$store" "$id"
done
taken=()
take; scribble 5
is "$(differing)" '' 'a new snapshot is right'
expect 0 'check' z check home
is "$(fact store_mode)" rw 'the pool works'
done_testing
