# config.sh - /etc/zumastor/zumastor.conf: KEY = VALUE lines, parsed, never sourced.
#
# Needs core.sh, check.sh.
# shellcheck shell=bash

declare -gA config=(
	[utc]=yes
	[lock_wait]=30
	[chunk_size]=16K
	[compress]=zstd
	[compress_threads]=2
	[connect_timeout]=20
	[peer_timeout]=60
	[monitor_period]=10
	[jitter]=30
	[base_days]=7
	[base_space]=25%
	[export_to]=localhost
	[export_options]=ro
	[hook_timeout]=60
	[hook_failure]=stop
	[hook_size]=1G
	[alarm_patience]=900
	[alarm_overdue]=14400
	[alarm_silent]=100800
	[alarm_full]=86400
	[alarm_delay]=45
	[alarm_mail]=''
	[alarm_command]=''
	[alarm_timeout]=30
	[metrics_file]=''
)

config_check() {
	local key=$1 value=$2
	case $key in
	utc)		[[ $value == yes || $value == no ]] ;;
	chunk_size)	is_size "$value" ;;
	hook_timeout | peer_timeout)
			is_number "$value" && ((${#value} <= 6 && value > 0)) ;;
	alarm_patience | alarm_overdue | alarm_silent | alarm_full)
			is_number "$value" && ((${#value} <= 8)) ;;
	alarm_timeout)	is_number "$value" && ((${#value} <= 3 && value > 0)) ;;
	alarm_mail)	[[ -z $value ]] || is_mail "$value" ;;
	alarm_command | metrics_file)
			[[ -z $value ]] || is_path "$value" ;;
	hook_failure)	[[ $value == stop || $value == continue ]] ;;
	hook_size)	is_size "$value" ;;
	base_space)	is_space "$value" ;;
	export_to)	is_clients "$value" ;;
	export_options)	is_export_options "$value" ;;
	compress)	is_compress "$value" ;;
	compress_threads) is_number "$value" && ((${#value} <= 2 && value >= 1 && value <= 16)) ;;
	monitor_period)	is_number "$value" && ((${#value} <= 5 && value >= 1 && value <= 86400)) ;;
	*)		is_number "$value" && ((${#value} <= 6)) ;;
	esac
}

# config_load - dies on the first line that is not understood: an option that is silently dropped
# is worse than one that stops the command.
config_load() {
	local file=${ZUMASTOR_CONF:?}/zumastor.conf line key value number=0
	local form='^[[:space:]]*([a-z_]+)[[:space:]]*=[[:space:]]*([^[:space:]]*)[[:space:]]*$'
	[[ -e $file ]] || return 0
	while IFS= read -r line || [[ -n $line ]]; do
		number=$((number + 1))
		line=${line%%#*}
		[[ $line =~ [^[:space:]] ]] || continue
		[[ $line =~ $form ]] || die "'$file' line $number: expected KEY = VALUE"
		key=${BASH_REMATCH[1]} value=${BASH_REMATCH[2]}
		[[ -n ${config[$key]+set} ]] || die "'$file' line $number: unknown option '$key'"
		config_check "$key" "$value" ||
			die "'$file' line $number: bad value '$value' for '$key'"
		config[$key]=$value
	done <"$file"
}
