#!/bin/bash
# A script that does not end is ended, a kernel that dies is told, and nothing is left behind either way.
. "$(dirname "$0")/lib.sh"

mkdir "$scratch/tmp"
export TMPDIR=$scratch/tmp

nothing_left() {
	local left
	left=$(ls -A "$TMPDIR")
	[[ -z $left ]] || die "left: $left"
	left=$(pgrep -af -- "$TMPDIR" || :)
	[[ -z $left ]] || die "still running: $left"
}

expect 124 --timeout "${LAB_SELFTEST_TIMEOUT:-6}" <<'END'
echo begun
sleep 1000
END
expect_lines out begun
expect_in err 'timed out after'
nothing_left

expect 125 <<'END'
echo 1 >/proc/sys/kernel/sysrq
echo c >/proc/sysrq-trigger
sleep 10
END
expect_in err 'the kernel of host 1 died'
expect_in err 'sysrq'
nothing_left

expect 125 --hosts 2 <<'END'
ssh host2 'echo o >/proc/sysrq-trigger'
sleep 10
END
expect_in err 'the kernel of host 2 died'
nothing_left

# However the harness itself ends.
new_script script <<'END'
echo begun
sleep 1000
END
for signal in INT TERM KILL; do
	: >"$scratch/out"
	"$lab/run" --kernel "${LAB_SELFTEST_KERNEL:-uml}" --install "$scratch/nothing" --hosts 2 "$scratch/script" \
		>"$scratch/out" 2>"$scratch/err" &
	until [[ -s $scratch/out ]]; do sleep 0.1; done
	kill -s "$signal" "$!"
	status=0
	wait "$!" || status=$?
	case $signal:$status in
	INT:130 | TERM:143) ;;
	KILL:137) sleep 2 ;;	# nobody is left who could have waited
	*) die "status $status after SIG$signal" ;;
	esac
	nothing_left
done
