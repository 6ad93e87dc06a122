#!/bin/bash
# lab: --disk 34M --disk 1G --timeout 900
# The power fails at any flush of any operation, with any part of what was not yet flushed on the
# disks: the volume starts without a human, holds all that was flushed, and every snapshot and clone
# shows what it did.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/stack.sh"
. "$(dirname "$0")/crash.sh"
. "$(dirname "$0")/revert.sh"
. "$(dirname "$0")/powercut/workload.sh"

cuts=${ZUMASTOR_CUTS:-$(long_or 2000 200)}
seed=${ZUMASTOR_SEED:-$RANDOM}

# In a boot of its own: what the first one has counted about the disks is of no use, as after any
# power cut.
if ((LAB_BOOT == 1)); then
	printf '%s\n' "$seed" >/persist/seed
	workload "${ZUMASTOR_ROUNDS:-$(long_or 3 1)}" "$seed"
	sync
	lab restart-self
	sleep 60
	exit 1
fi

seed=$(</persist/seed)
modprobe brd rd_nr=2 rd_size=$((store_sectors / 2))
"$tools/replay" "$DEV2NAME" /dev/ram0 "$origin_sectors" /dev/ram1 "$store_sectors" "$cuts" "$seed" \
	${ZUMASTOR_SECONDS:+"$ZUMASTOR_SECONDS"} >"$scratch/replayed"
fact() {
	sed -n "s/^$1=//p" "$scratch/replayed"
}
diag "seed $seed: $(grep -v '^violation:' "$scratch/replayed" | tr '\n' ' ')"
diag "$(grep '^violation:' "$scratch/replayed" || true)"
score R1 "$(fact cuts)" cuts "$(fact violations)" violations
done_testing
