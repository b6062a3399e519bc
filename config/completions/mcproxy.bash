# SPDX-License-Identifier: BSD-2-Clause
# Completion for mcproxy. It parses --help for the options.

_mcproxy() { # program, word, word before
	case $3 in
	-c | --config | --record)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$2")
		;;
	*)
		mapfile -t COMPREPLY < <(compgen -W "$("$1" --help 2>/dev/null |
			sed -nE 's/^  (-[a-zA-Z])?,? +(--[a-z-]+).*/\1 \2/p')" -- "$2")
		;;
	esac
}
complete -F _mcproxy mcproxy
