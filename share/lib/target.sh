# target.sh - one host that a volume is sent to: its facts in $dir/targets/HOST.
#
# Needs core.sh, check.sh, config.sh, state.sh.
# shellcheck shell=bash disable=SC2034

# target_load HOST - sets host, target_dir, port, user, remote_name, compress, compare, rate, each and feature.
target_load() {
	check host "$1" 'host'
	host=$1
	target_dir=$dir/targets/$1
	[[ -d $target_dir && ! -L $target_dir ]] ||
		die_with "$ABSENT" "volume '$volume' has no target '$1'"
	state_get port "$target_dir/port"
	port=$REPLY
	state_get user "$target_dir/user"
	user=$REPLY
	state_get name "$target_dir/name" "$volume"
	remote_name=$REPLY
	state_get compress_auto "$target_dir/compress" "${config[compress]}"
	compress=$REPLY
	state_get compare "$target_dir/compare" auto
	compare=$REPLY
	state_get size "$target_dir/rate"
	rate=$REPLY
	state_get answer "$target_dir/each" no
	each=$REPLY
	state_get feature "$target_dir/test"
	feature=$REPLY
}

# target_list - the hosts, one a line.
target_list() {
	state_entries host "$dir/targets"
}
