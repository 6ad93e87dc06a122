# shellcheck shell=bash
# What the self-tests of the lab share.  LAB_SELFTEST_KERNEL chooses the kernel (uml).
# A self-test exits 0 when the lab does what README.md says, else 1 and says what it did instead.
set -euo pipefail

lab=$(dirname "$(dirname "$(realpath "$0")")")
readonly lab
scratch=$(mktemp -d)
readonly scratch
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/nothing"	# the lab itself is tested, so there is no product to install

die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# new_script NAME <TEXT
new_script() {
	{
		printf '#!/bin/bash\nset -euo pipefail\n'
		cat
	} >"$scratch/$1"
	chmod +x "$scratch/$1"
}

# expect STATUS OPTION... <SCRIPT - runs it in a lab; what it and the lab print is in $scratch/out, err.
expect() {
	local wanted=$1 status=0
	shift
	new_script script
	"$lab/run" --kernel "${LAB_SELFTEST_KERNEL:-uml}" --install "$scratch/nothing" "$@" "$scratch/script" \
		>"$scratch/out" 2>"$scratch/err" || status=$?
	if ((status != wanted)); then
		tail -n 100 "$scratch/out" "$scratch/err" >&2
		die "status $status instead of $wanted"
	fi
}

# expect_lines FILE LINE... - FILE is just these lines.
expect_lines() {
	local file=$1
	shift
	printf '%s\n' "$@" | diff -u - "$scratch/$file" >&2 || die "$file is not as it should be"
}

# expect_in FILE TEXT
expect_in() {
	grep -qF -- "$2" "$scratch/$1" || {
		cat "$scratch/$1" >&2
		die "no '$2' in $1"
	}
}
