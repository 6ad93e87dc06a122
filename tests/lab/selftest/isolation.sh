#!/bin/bash
# A host sees the machine's files and can change them for itself alone.
. "$(dirname "$0")/lib.sh"

echo machine >"$scratch/file"
echo secret >/var/tmp/lab-selftest.$$
trap 'rm -rf "$scratch" /var/tmp/lab-selftest.$$' EXIT
expect 0 <<END
[[ -x /usr/bin/python3 && -e tests/lab/run ]]
[[ ! -e /var/tmp/lab-selftest.$$ ]]
[[ \$(ls -A /var/lib/zumastor /etc/zumastor /root/.ssh | grep -v :) == "" ]]
touch /usr/lab-selftest.$$ /etc/lab-selftest.$$ /tmp/lab-selftest.$$
touch tests/lab/lab-selftest.$$
mkdir -p /lib/modules/lab-selftest.$$
cat "$scratch/file"
echo guest >"$scratch/file"
cat "$scratch/file"
rm /usr/bin/python3
END
expect_lines out machine guest
[[ $(<"$scratch/file") == machine && -x /usr/bin/python3 ]] || die 'the machine was changed'
for dir in /usr /etc /tmp /lib/modules "$lab"; do
	[[ ! -e $dir/lab-selftest.$$ ]] || die "the host wrote to $dir"
done
