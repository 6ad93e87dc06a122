#!/bin/bash
# The script's status is the lab's, its output the lab's output, its environment as promised.
. "$(dirname "$0")/lib.sh"

expect 0 <<'END'
END
[[ ! -s $scratch/out ]] || die 'output out of nothing'

expect 37 --disk 100M --disk 1G <<'END'
echo to stdout
echo to stderr >&2
blockdev --getsize64 "$DEV1NAME" "$DEV2NAME"
echo "$IPADDR $LAB_BOOT $LAB_HOSTS $PWD $(id -u) $HOME $(hostname)"
[[ -z ${DEV3NAME:-} ]]
[[ :$PATH: == *:/usr/sbin:* ]]
[[ $(cat) == "" ]]
exit 37
END
expect_lines out 'to stdout' 'to stderr' 104857600 1073741824 \
	"10.77.0.1 1 1 $(realpath "$lab/../..") 0 /root host1"

new_script given <<'END'
printf '%s\n' "$#" "$@"
END
"$lab/run" --kernel "${LAB_SELFTEST_KERNEL:-uml}" --install "$scratch/nothing" "$scratch/given" \
	--hosts 'a  b' "'\"\$x" '' >"$scratch/out"
expect_lines out 4 --hosts 'a  b' "'\"\$x" ''
