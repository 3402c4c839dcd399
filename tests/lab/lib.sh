# Sourced by the lab's scenarios: hosts in network namespaces, each with its own /run/wireguard, its own anubisd and its
# own configuration, joined by one wild network. Each has a user anubis.
#
#        xena                jacinth               …
#     eth0 192.0.2.N       eth0 192.0.2.N
#          2001:db8::N          2001:db8::N
#          └───────── bridge "wild" ─────────┘
#
# Needs root. ANUBIS_BIN is where the programs stand (default build/dev/bin), ANUBIS_BACKEND is kernel, userspace or auto.
set -euo pipefail

lab_id=${ANUBIS_LAB_ID:-$$}
lab_bin=${ANUBIS_BIN:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/build/dev/bin}
lab_backend=${ANUBIS_BACKEND:-auto}
lab_dir=$(mktemp -d "${TMPDIR:-/tmp}/anubis-lab.XXXXXX")
chmod 711 "$lab_dir"
declare -A lab_keeper=() lab_daemon=() lab_number=()
lab_background=()

lab_die() {
  echo "FAILED: $*" >&2
  exit 1
}

((EUID == 0)) || lab_die "the lab's hosts are network namespaces, which need root"
[[ -x $lab_bin/anubisd ]] || lab_die "no anubisd in $lab_bin: build first (cmake --preset dev && cmake --build --preset dev)"
# Others than root run it, too, wherever it was built, be it in root's own folder.
if ! setpriv --reuid 65534 --regid 65534 --clear-groups test -x "$lab_bin/anubis"; then
  mkdir -m 755 "$lab_dir/bin"
  cp "$lab_bin"/anubis* "$lab_dir/bin/"
  lab_bin=$lab_dir/bin
fi

lab_clean() {
  local status=$? host pid
  trap - EXIT
  if ((status != 0)); then
    for host in "${!lab_number[@]}"; do
      [[ -s $lab_dir/$host/log ]] || continue
      echo "--- the end of $host's log" >&2
      tail -n 25 "$lab_dir/$host/log" >&2
    done
  fi
  for pid in "${lab_background[@]}" "${lab_daemon[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${lab_daemon[@]}"; do
    timeout 3 tail --pid="$pid" -f /dev/null || kill -9 "$pid" 2>/dev/null || true
  done
  for pid in "${lab_keeper[@]}"; do kill "$pid" 2>/dev/null || true; done
  # Deleting the namespaces deletes their links, and with its link each wireguard-go ends.
  for host in "${!lab_number[@]}"; do
    pid=$(lab_pids "$host" wireguard-go)
    ip netns pids "lab$lab_id-$host" 2>/dev/null | grep -vxF "$pid" | xargs -r kill -9 2>/dev/null || true
    ip netns del "lab$lab_id-$host" 2>/dev/null || true
    [[ -z $pid ]] || kill $pid 2>/dev/null || true
  done
  ip netns del "lab$lab_id-wild" 2>/dev/null || true
  rm -rf "$lab_dir"
  exit "$status"
}
trap lab_clean EXIT
trap 'exit 130' INT TERM

# lab_pids HOST PROGRAM: its processes there.
lab_pids() {
  ip netns pids "lab$lab_id-$1" 2>/dev/null | while read -r pid; do
    if [[ $(cat "/proc/$pid/comm" 2>/dev/null) == "$2" ]]; then echo "$pid"; fi
  done
}

# netd_of HOST: its anubis-netd, which is its anubisd's child; the launcher of userspace WireGuard is netd's.
netd_of() { pgrep -P "${lab_daemon[$1]}" -x anubis-netd; }

# namespace NAME: a host without links, with its keys.
namespace() {
  local name=$1 number=$((${#lab_number[@]} + 1)) netns=lab$lab_id-$1 dir=$lab_dir/$1
  ((number > 1)) || ip netns add "lab$lab_id-wild"
  lab_number[$name]=$number
  mkdir -m 711 "$dir" # anubisd's user has its state directory there
  ip netns add "$netns"
  ip -n "$netns" link set lo up
  # A process that keeps the host's own view of /run/wireguard and /run/anubis.
  nsenter --net="/run/netns/$netns" unshare --mount --propagation private -- bash -c '
    mkdir -p /run/wireguard /run/anubis && mount -t tmpfs tmpfs /run/wireguard && mount -t tmpfs tmpfs /run/anubis &&
    cp /etc/passwd /etc/group "$1"
    grep -q "^anubis:" /etc/passwd || echo "anubis:x:64296:64296::/:/usr/sbin/nologin" >>"$1/passwd"
    grep -q "^anubis:" /etc/group || echo "anubis:x:64296:" >>"$1/group"
    mount --bind "$1/passwd" /etc/passwd && mount --bind "$1/group" /etc/group &&
    touch "$1/ready" && exec sleep 3600' - "$dir" </dev/null >/dev/null 2>&1 &
  lab_keeper[$name]=$!
  lab_wait 20 test -e "$dir/ready" || lab_die "the namespaces of $name could not be made"
  (
    umask 077
    wg genkey | tee "$dir/production.key" | wg pubkey >"$dir/production.pub"
    wg genkey | tee "$dir/side.key" | wg pubkey >"$dir/side.pub"
  )
}

# wire NAME: a bridge outside of all hosts, once there is a first one.
wire() {
  ip -n "lab$lab_id-wild" link add "$1" type bridge
  ip -n "lab$lab_id-wild" link set "$1" up
}

# plug HOST LINK WIRE [PORT]: gives the host that link, at that wire. The wire's end is called as the host, or PORT.
plug() {
  local port=${4:-$1}
  ip -n "lab$lab_id-wild" link add "$port" type veth peer name "$2" netns "lab$lab_id-$1"
  ip -n "lab$lab_id-wild" link set "$port" master "$3" up
  ip -n "lab$lab_id-$1" link set "$2" addrgenmode none # no address of its own that turns up later
}

# host NAME: adds a host to the wild network and makes its keys. Its production address is 10.44.0.N, fd44::N.
host() {
  local name=$1 number netns=lab$lab_id-$1
  namespace "$name"
  number=${lab_number[$name]}
  ((number > 1)) || wire wild
  plug "$name" eth0 wild
  ip -n "$netns" address add "192.0.2.$number/24" dev eth0
  ip -n "$netns" address add "2001:db8::$number/64" dev eth0 nodad
  ip -n "$netns" link set eth0 up
  cat >"$lab_dir/$name/anubis.toml" <<END
name = "$name"

[production]
interface = "wg0"
private_key_file = "production.key"
addresses = ["10.44.0.$number/24", "fd44::$number/64"]
backend = "$lab_backend"

[side]
interface = "anubis0"
private_key_file = "side.key"

END
}

# authorise HOST PEER [KEY=VALUE-LINE...]: HOST's configuration gets PEER. Lines that begin with a key replace the default.
authorise() {
  local host=$1 peer=$2 line
  shift 2
  declare -A lines=(
    [endpoint]="endpoint = \"192.0.2.${lab_number[$peer]}\""
    [allowed_ips]="allowed_ips = [\"10.44.0.${lab_number[$peer]}/32\", \"fd44::${lab_number[$peer]}/128\"]"
  )
  for line in "$@"; do lines[${line%% *}]=$line; done
  {
    echo "[[peer]]"
    echo "name = \"$peer\""
    echo "public_key = \"$(<"$lab_dir/$peer/production.pub")\""
    echo "side_public_key = \"$(<"$lab_dir/$peer/side.pub")\""
    for line in "${lines[@]}"; do [[ $line == *= ]] || echo "$line"; done
    echo
  } >>"$lab_dir/$host/anubis.toml"
}

# on HOST COMMAND...: runs it there.
on() {
  (enter "$@")
}

# enter HOST COMMAND...: becomes it, there. For what goes to the background, so that $! is the command itself.
enter() {
  local name=$1
  shift
  exec nsenter -t "${lab_keeper[$name]}" --net --mount -- env ANUBIS_CONFIG="$lab_dir/$name/anubis.toml" PATH="$lab_bin:$PATH" "$@"
}

# start HOST: its anubisd, until the control socket answers.
start() {
  local name=$1
  enter "$name" anubisd --config "$lab_dir/$name/anubis.toml" --state-dir "$lab_dir/$name/state" >>"$lab_dir/$name/log" 2>&1 &
  lab_daemon[$name]=$!
  lab_wait 10 on "$name" anubis peers >/dev/null 2>&1 || lab_die "anubisd on $name did not become ready"
}

# stop HOST [SIGNAL]: and wait for its end; returns its exit status.
stop() {
  local name=$1 pid=${lab_daemon[$1]} status=0
  kill "-${2:-TERM}" "$pid"
  wait "$pid" 2>/dev/null || status=$?
  unset "lab_daemon[$name]"
  return "$status"
}

# lab_wait SECONDS COMMAND...: until it succeeds; what it says meanwhile is not shown.
lab_wait() {
  local end=$((SECONDS + $1 + 1)) # it may be just before the next one
  shift
  until ("$@") 2>/dev/null; do
    ((SECONDS < end)) || return 1
    sleep 0.05
  done
}

# --- what scenarios say and expect ------------------------------------------------------------------------------------

step() { echo "- $*"; }

# expect STATUS COMMAND...: that exit status, and nothing else. What it printed is in $output.
expect() {
  local wanted=$1 status=0
  shift
  output=$("$@" 2>&1) || status=$?
  ((status == wanted)) || lab_die "\"$*\" ended with $status instead of $wanted and said: $output"
}

# says TEXT: the last expect printed it.
says() {
  [[ $output == *"$1"* ]] || lab_die "\"$1\" is not in: $output"
}

pings() { # HOST ADDRESS
  on "$1" ping -q -c 2 -i 0.05 -W 2 "$2" >/dev/null || lab_die "$1 cannot ping $2"
}

no_ping() { # HOST ADDRESS
  ! on "$1" ping -q -c 1 -W 0.4 "$2" >/dev/null 2>&1 || lab_die "$1 can ping $2, but should not"
}

# peers_of HOST [INTERFACE]: how many WireGuard has.
peers_of() { on "$1" wg show "${2:-wg0}" peers | wc -l; }

# our_routes HOST: those of Anubis in all tables, one a line, but for the side prefix's.
our_routes() {
  { on "$1" ip route show table all proto 214; on "$1" ip -6 route show table all proto 214; } | { grep -v anubis0 || true; } | sed 's/ *$//' | sort
}

no_session() { # HOST: nothing of any session is left there
  (($(peers_of "$1") == 0)) || lab_die "$1 still has a peer on wg0: $(on "$1" wg show wg0)"
  [[ -z $(our_routes "$1" | grep wg0 || true) ]] || lab_die "$1 still has routes: $(our_routes "$1")"
}

# network_of HOST: everything that Anubis could leave behind, for comparison.
network_of() {
  on "$1" ip -br link
  on "$1" ip -br address
  on "$1" ip route show table all
  on "$1" ip -6 route show table all
  on "$1" ip rule
  on "$1" ip -6 rule
}

# two_hosts: xena (a roamer for jacinth: no endpoint there) and jacinth, authorised for each other, both running.
two_hosts() {
  host xena
  host jacinth
  authorise xena jacinth
  authorise jacinth xena 'endpoint ='
  start jacinth
  start xena
}
