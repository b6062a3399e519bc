# SPDX-License-Identifier: BSD-2-Clause
# Completion for mcproxyctl. It parses two kinds of lines in --help:
#   `  COMMAND ARGUMENTS  summary`     a command; its arguments may contain WHAT, FILTER, VIEW and OPTION
#   `WHAT: one, another or the last`   the values of such a placeholder

# Prints the first word that is neither an option nor an option's argument; prints nothing if there is none yet.
_mcproxyctl_command() {
	local i
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--socket | -s) ((i++)) ;;
		-*) ;;
		*)
			echo "${COMP_WORDS[i]}"
			return
			;;
		esac
	done
}

_mcproxyctl_words() { # help, command, word before
	local line
	if [ -z "$2" ]; then
		echo "--socket --json --help --version"
		sed -n 's/^  \([a-z][a-z]*\) .*/\1/p; s/ or / /; s/,//g; s/^WHAT: //p' <<<"$1"
		return
	fi
	line=$(grep "^  $2 " <<<"$1")
	# `groups` is `show groups`.
	[ -n "$line" ] || ! grep -qE "^WHAT: .*\b$2\b" <<<"$1" || line=$(grep "^  show " <<<"$1" | sed 's/WHAT//')
	if [ "$3" = "$2" ] && [[ $line == *WHAT* ]]; then
		sed -n 's/ or / /; s/,//g; s/^WHAT: //p' <<<"$1"
		return
	fi
	# A word that the arguments begin with.
	[ "$3" != "$2" ] || sed -nE "s/^  $2 ([a-z]+) .*/\1/p" <<<"$line"
	echo "--json"
	grep -oE -- '--[a-z]+' <<<"$line"
	local placeholder
	for placeholder in FILTER VIEW OPTION; do
		[[ $line != *$placeholder* ]] || grep "^$placeholder: " <<<"$1" | grep -oE -- '--[a-z]+'
	done
	[[ $line != *LEVEL* ]] || echo "error warning info debug"
}

_mcproxyctl() { # program, word, word before
	case $3 in
	--socket | -s | --config | -c | --output)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$2")
		;;
	--link)
		mapfile -t COMPREPLY < <(compgen -W "$(ls /sys/class/net)" -- "$2")
		;;
	--from)
		mapfile -t COMPREPLY < <(compgen -W "$("$1" convert 2>&1 | sed -n 's/^KIND: //p')" -- "$2")
		;;
	--instance | --group | --host | --seconds | --sort) ;;
	*)
		local command help
		command=$(_mcproxyctl_command)
		help=$("$1" --help 2>/dev/null)
		mapfile -t COMPREPLY < <(compgen -W "$(_mcproxyctl_words "$help" "$command" "$3")" -- "$2")
		if [ -n "$command" ] && grep -q "^  $command FILE" <<<"$help"; then
			compopt -o filenames 2>/dev/null
			mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- "$2")
		fi
		;;
	esac
}
complete -F _mcproxyctl mcproxyctl
