#!/usr/bin/env bash
# FFmpeg with NLVC inside: fetches Debian's source package, adds NLVC and builds ffmpeg, ffprobe and, where SDL is
# installed, ffplay, with little more than what the tests need.
#
#   build.sh NLVC_PREFIX FOLDER [SUITE]
#
# NLVC_PREFIX: where libnlvc is installed. FOLDER: source, objects and programs; what is there is used again. SUITE: the
# Debian release whose FFmpeg to take: bookworm (5.1, the default) or trixie (7.1). Needs apt-get on a Debian system, a
# C compiler, make, pkg-config, xz and python3; root is not needed, and the machine's own apt sources stay untouched.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
prefix=$(cd "$1" && pwd)
mkdir -p "$2"
folder=$(cd "$2" && pwd)
suite=${3:-bookworm}
source=$folder/source

# Downloads ffmpeg_*.orig.tar.xz into the folder with an apt configuration of its own.
fetch() {
    local apt=$folder/apt
    mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/sources"
    cat > "$apt/sources/ffmpeg.sources" <<END
Types: deb-src
URIs: http://deb.debian.org/debian
Suites: $suite
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
END
    local options=(-q -o Dir::Etc::SourceList=/dev/null -o "Dir::Etc::SourceParts=$apt/sources"
        -o "Dir::State::Lists=$apt/lists" -o "Dir::Cache=$apt/cache" -o APT::Sandbox::User="$(id -un)")
    apt-get "${options[@]}" update
    (cd "$folder" && apt-get "${options[@]}" source --download-only ffmpeg)
}

unpack() {
    rm -rf "$source"
    mkdir "$source"
    tar -xf "$folder"/ffmpeg_*.orig.tar.xz -C "$source" --strip-components 1
    python3 "$here/add_nlvc.py" "$source"
    cp "$here/add_nlvc.py" "$source/added"
}

# Copies a file where it differs, so that make sees what changed.
place() { cmp -s "$here/$1" "$source/$2/$1" || cp "$here/$1" "$source/$2/$1"; }

configuration=(
    --disable-everything --disable-doc --disable-debug --disable-autodetect --disable-network --disable-postproc
    --disable-x86asm --enable-libnlvc
    --enable-protocol=file,pipe
    --enable-demuxer=matroska,nut,mov,avi,yuv4mpegpipe,rawvideo,wav,concat
    --enable-muxer=matroska,nut,mov,avi,yuv4mpegpipe,rawvideo,wav,segment,stream_segment,framemd5,framecrc,md5,null,image2
    --enable-decoder=libnlvc,ffv1,rawvideo,wrapped_avframe,flac,pcm_s16le
    --enable-encoder=libnlvc,ffv1,rawvideo,wrapped_avframe,flac,pcm_s16le,pgm
    --enable-parser=flac --enable-bsf=null,noise
    --enable-indev=lavfi
    --enable-filter=nlvc,scale,format,aformat,aresample,null,anull,testsrc2,sine,movie,amovie,setpts,setfield,setsar,setparams
    --enable-filter=crop,hflip,transpose,fps,trim,select,metadata,showinfo
    --enable-swscale --enable-swresample
    "--extra-ldflags=-Wl,-rpath,$prefix/lib"
)
# What FFmpeg 7.1 calls "-" is a protocol of its own.
protocols() { if grep -q ff_fd_protocol "$source/libavformat/protocols.c"; then echo --enable-protocol=fd; fi; }
if pkg-config --exists sdl2; then configuration+=(--enable-sdl2 --enable-ffplay); fi

configure() {
    echo "Configuring FFmpeg ..."
    local more
    more=$(protocols)
    (cd "$source" && PKG_CONFIG_PATH=$prefix/lib/pkgconfig ./configure "${configuration[@]}" $more > configure.log 2>&1) || {
        tail -n 20 "$source/configure.log" "$source/ffbuild/config.log" >&2
        return 1
    }
    echo "$prefix ${configuration[*]}" > "$source/configured"
}

ls "$folder"/ffmpeg_*.orig.tar.xz > /dev/null 2>&1 || fetch
cmp -s "$here/add_nlvc.py" "$source/added" || unpack
place libnlvc.h libavcodec
place libnlvc_side.h libavcodec
place libnlvc_side.c libavcodec
place libnlvcenc.c libavcodec
place libnlvcdec.c libavcodec
place vf_nlvc.c libavfilter
[[ "$(cat "$source/configured" 2> /dev/null)" == "$prefix ${configuration[*]}" ]] || configure
echo "Building FFmpeg ..."
make --no-print-directory -C "$source" -j"$(nproc)" > "$source/make.log" 2>&1 || {
    grep -n -E 'error|Error' "$source/make.log" >&2
    exit 1
}
for program in ffmpeg ffprobe ffplay; do
    if [[ -x "$source/$program" ]]; then ln -sf "$source/$program" "$folder/$program"; fi
done
"$folder/ffmpeg" -hide_banner -version | head -n 1
