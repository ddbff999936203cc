# Sourced by the scripts beside it.

# opencl_headers FOLDER : let gcc find OpenCL's headers for C, through CPATH: the system's, else Debian's package, unpacked in FOLDER.
opencl_headers() {
    command -v gcc >/dev/null || return 0
    echo '#include <CL/cl.h>' | gcc -fsyntax-only -DCL_TARGET_OPENCL_VERSION=120 -x c - 2>/dev/null && return 0
    local folder=$1/opencl-headers
    if [ ! -d "$folder" ]; then
        command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || return 0
        local draft
        draft=$(mktemp -d) || return 0
        if (cd "$draft" && apt-get -q download opencl-c-headers >/dev/null 2>&1 && dpkg-deb -x opencl-c-headers*.deb unpacked); then
            mv "$draft/unpacked" "$folder" 2>/dev/null || true
        fi
        rm -rf "$draft"
    fi
    [ ! -d "$folder/usr/include" ] || export CPATH=$folder/usr/include${CPATH:+:$CPATH}
}
