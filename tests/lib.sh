# Sourced by the scripts below tests/ and .ci/: a few words that all of them need.

die() {
  echo "${0##*/}: $*" >&2
  exit 1
}

# below_usr PATH: /lib/x and /bin/x as what they are on Debian, /usr/lib/x and /usr/bin/x.
below_usr() {
  [[ $1 == /usr/* ]] && echo "$1" || echo "/usr$1"
}

# copy_libraries PROGRAM ROOT: copies the shared libraries that PROGRAM loads below ROOT, at their own paths.
copy_libraries() {
  local library target
  { ldd "$1" 2>/dev/null || true; } | { grep -o '/[^ ]*' || true; } | while read -r library; do
    target=$2$(below_usr "$library")
    [[ ! -e $target ]] || continue
    mkdir -p "${target%/*}"
    cp -L "$library" "$target"
  done
}
