# SPDX-License-Identifier: BSD-2-Clause
# Completion for mcproxyctl. It parses two kinds of lines in --help:
#   `  COMMAND ARGUMENTS  summary`     a command; its arguments may contain WHAT, FILTER and OPTION
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
		sed -n 's/^  \([a-z][a-z]*\) .*/\1/p' <<<"$1"
		return
	fi
	line=$(grep "^  $2 " <<<"$1")
	if [ "$3" = "$2" ] && [[ $line == *WHAT* ]]; then
		sed -n 's/ or / /; s/,//g; s/^WHAT: //p' <<<"$1"
		return
	fi
	echo "--json"
	grep -oE -- '--[a-z]+' <<<"$line"
	[[ $line != *FILTER* ]] || grep '^FILTER: ' <<<"$1" | grep -oE -- '--[a-z]+'
	[[ $line != *OPTION* ]] || grep '^OPTION: ' <<<"$1" | grep -oE -- '--[a-z]+'
	[[ $line != *LEVEL* ]] || echo "error warning info debug"
}

_mcproxyctl() { # program, word, word before
	case $3 in
	--socket | -s)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$2")
		;;
	--link)
		mapfile -t COMPREPLY < <(compgen -W "$(ls /sys/class/net)" -- "$2")
		;;
	--instance | --group | --seconds) ;;
	*)
		mapfile -t COMPREPLY < <(compgen -W "$(_mcproxyctl_words "$("$1" --help 2>/dev/null)" "$(_mcproxyctl_command)" "$3")" -- "$2")
		;;
	esac
}
complete -F _mcproxyctl mcproxyctl
