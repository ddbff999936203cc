# Sourced by the scripts beside it: finds a Python, and makes or reuses a virtual environment with it.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

find_python() {
    local name
    for name in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11 python3.10 python}; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
    echo "${0##*/}: needs Python 3.10 or newer; found none as ${PYTHON:-python3, python3.1x or python}." \
        "Install one (Debian, Ubuntu: apt-get install python3 python3-venv), or name it: PYTHON=/path/to/python $0" >&2
    return 1
}

# asks_for_help ARGUMENT... : whether -h or --help is among the arguments; those after -- are another program's
asks_for_help() {
    local argument
    for argument in "$@"; do
        case $argument in
            -h | --help) return 0 ;;
            --) return 1 ;;
        esac
    done
    return 1
}

# print_head SCRIPT : the comment at its head
print_head() {
    sed -n '2,/^[^#]/{s/^# \{0,1\}//p}' "$1"
}

# environment FOLDER EXTRA... : prints the path of the environment's Python
environment() {
    local python
    python=$(find_python) || return 1
    "$python" "$root/ci/environment.py" "$@"
}
