# Sourced by the scripts below tests/ and .ci/: a few words that all of them need.

die() {
  echo "${0##*/}: $*" >&2
  exit 1
}

# all_answered FILE: each request of the `ping -n` that wrote FILE has its answer. Of the last, that may have been on its
# way still when SIGINT came, at which ping does not wait.
all_answered() {
  awk -F 'icmp_seq=' '/ bytes from / { ++heard; if ($2 + 0 > last) last = $2 + 0 }
    / packets transmitted/ { sent = $0 + 0 }
    END { exit !(heard > 0 && heard == last && sent - heard <= 1) }' "$1"
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
