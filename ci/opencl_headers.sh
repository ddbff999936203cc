# Sourced by the scripts beside it.

# opencl_headers FOLDER : let gcc find OpenCL's headers for C, and g++ those that cpp/ includes, through CPATH: the system's, else
# Debian's packages, unpacked in FOLDER.
opencl_headers() {
    command -v gcc >/dev/null || return 0
    headers_of opencl-c-headers CL/cl.h "$1/opencl-headers" gcc -x c
    command -v g++ >/dev/null || return 0
    headers_of opencl-clhpp-headers CL/opencl.hpp "$1/opencl-headers" g++ -std=c++17 -x c++
    headers_of nlohmann-json3-dev nlohmann/json.hpp "$1/opencl-headers" g++ -std=c++17 -x c++
    headers_of doctest-dev doctest/doctest.h "$1/opencl-headers" g++ -std=c++17 -x c++
}

# headers_of PACKAGE HEADER FOLDER COMPILER... : unpack Debian's PACKAGE in FOLDER and add it to CPATH, where COMPILER finds no HEADER.
headers_of() {
    local package=$1 header=$2 folder=$3 draft
    shift 3
    finds_header "$header" "$@" && return 0
    if [ ! -f "$folder/usr/include/$header" ]; then
        command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || return 0
        draft=$(mktemp -d) || return 0
        (cd "$draft" && apt-get -q download "$package" >/dev/null 2>&1 && dpkg-deb -x "$package"*.deb unpacked \
            && mkdir -p "$folder" && cp -R unpacked/. "$folder/") || true
        rm -rf "$draft"
    fi
    [ -f "$folder/usr/include/$header" ] || return 0
    case ":${CPATH:-}:" in
        *":$folder/usr/include:"*) ;;
        *) export CPATH=$folder/usr/include${CPATH:+:$CPATH} ;;
    esac
}

# finds_header HEADER COMPILER... : whether COMPILER finds HEADER.  OpenCL's are made for one version, which a program names.
finds_header() {
    local header=$1
    shift
    printf '#include <%s>\n' "$header" | "$@" -E -DCL_TARGET_OPENCL_VERSION=120 -DCL_HPP_TARGET_OPENCL_VERSION=120 \
        -DCL_HPP_MINIMUM_OPENCL_VERSION=120 - >/dev/null 2>&1
}
