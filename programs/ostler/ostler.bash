# SPDX-License-Identifier: GPL-2.0-or-later
# bash completion for ostler: the program itself knows what may come next.
_ostler() {
    local line word answer directive=
    local -a words=("${COMP_WORDS[@]:1:COMP_CWORD}")

    # Readline cuts words at '=' and ':'; the program wants them whole.
    if declare -F _get_comp_words_by_ref >/dev/null; then
        local cur cword
        _get_comp_words_by_ref -n =: cur words cword
        words=("${words[@]:1:cword}")
    fi
    word=${words[-1]-}
    COMPREPLY=()
    while IFS= read -r line; do
        case $line in
        :*) directive=$line ;;
        *) COMPREPLY+=("$(printf '%q' "${line%%$'\t'*}")") ;;
        esac
    done < <("${COMP_WORDS[0]}" __complete "${words[@]}" 2>/dev/null)

    case $directive in
    :files) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "${word#*=}") ;;
    :folders) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "${word#*=}") ;;
    esac
    [[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace
    # What readline took for the start of the word is not to be inserted again.
    if [[ $word == --*=* && -z $directive ]]; then
        COMPREPLY=("${COMPREPLY[@]#"${word%%=*}="}")
    fi
}
complete -F _ostler ostler
