#!/bin/bash
# Labs that run at the same time do not know of each other.
. "$(dirname "$0")/lib.sh"

for n in 1 2; do
	new_script "script$n" <<END
ssh host2 "echo $n >\$DEV1NAME"
ssh host2 hostname
lab cut 1 2
sleep $n
lab restore 1 2
ssh host2 head -n 1 "\$DEV1NAME"
lab restart-self
END
	sed -i "3i [[ \$LAB_BOOT == 1 ]] || exit $n" "$scratch/script$n"
	"$lab/run" --kernel "${LAB_SELFTEST_KERNEL:-uml}" --install "$scratch/nothing" --hosts 2 \
		"$scratch/script$n" >"$scratch/out$n" 2>&1 &
	pids[n]=$!
done
for n in 1 2; do
	status=0
	wait "${pids[n]}" || status=$?
	((status == n)) || die "$(cat "$scratch/out$n")"
	expect_lines "out$n" host2 "$n"
done
