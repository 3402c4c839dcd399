# Sourced by the scenarios of CouchNet: a home with a router, a server in the cloud, a laptop with a virtual machine
# inside it, a phone, and hosts that know nothing of Anubis.
#
#            lan1 .11    lan2 .12                     surya  internal 10.66.0.2 fd66::2
#              │           │                            │     WireGuard 10.44.0.2 fd44::2
#   ─┬─────────┴───────────┴─ lan ─┐                    │ .2 ::2
#    ┊      192.168.7.0/24 fd07::/64                    │
#    ┊                             │ .1 ::1   .1 (no v6)│
#    ┊                           jacinth ───────────────┴─┬─────────────── wild 192.0.2.0/24 2001:db8::/64 ───┐
#    ┊                             WireGuard 10.44.0.1    │                    ┊                              │ .254 ::fe
#    ┊                                       fd44::1      │ .3 (no v6)         ┊ .20 ::20                  internet
#    ┊ .20 ::20                                         hotel (NAT)            ┊                 198.51.100.80, 2001:db8:80::80
#    ┊                                                    │ .1                 ┊
#    ┊                            ────┬────────┬── cafe 10.9.0.0/24 (no v6)    ┊
#    ┊                                │ .30    ┊ .20                           ┊
#    ┊                              selen      ┊                               ┊
#    └┄┄┄┄┄┄┄┄┄┄┄┄ at home ┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄ xena ┄┄┄┄┄┄┄┄┄ on the wild side ┄┘
#     selen: WireGuard 10.44.0.8 fd44::8       │ WireGuard 10.44.0.7 fd44::7
#                                              │ .1 ::1
#                                            ──┴── inner 192.168.122.0/24 fd16::/64 ── .10 petra
#
# xena stands on one of the three dotted wires, see `move`. The configurations are the files beside this one.
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
couchnet=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
readonly couchnet gateways="jacinth surya" roamers="xena selen"
declare -A place=()

# address HOST LINK ADDRESS...: gives the link these addresses, and sets it up. With IPv6 comes a link-local address: a
# router asks for its neighbours with it.
address() {
  local host=$1 link=$2 each
  shift 2
  for each in "$@"; do
    if [[ $each == *:* ]]; then
      ip -n "lab$lab_id-$host" address add "$each" dev "$link" nodad
      [[ $link == lo ]] || ip -n "lab$lab_id-$host" address replace "fe80::${each##*:}" dev "$link" nodad
    else
      ip -n "lab$lab_id-$host" address add "$each" dev "$link"
    fi
  done
  ip -n "lab$lab_id-$host" link set "$link" up
}

gateway() { # HOST ADDRESS...: where its default routes lead
  local host=$1 each
  shift
  for each in "$@"; do ip -n "lab$lab_id-$host" route replace default via "$each"; done
}

forwards() { on "$1" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1; }

no_ipv6() { on "$1" sysctl -qw "net.ipv6.conf.$2.disable_ipv6=1"; } # HOST LINK

# masquerade HOST LINK RANGE...: what comes from these ranges leaves by the link with its address.
masquerade() {
  local host=$1 link=$2 each family
  shift 2
  {
    echo "table inet lab {"
    echo "chain out { type nat hook postrouting priority srcnat;"
    for each in "$@"; do
      family=ip
      [[ $each != *:* ]] || family=ip6
      echo "oifname $link $family saddr $each masquerade"
    done
    echo "}"
    echo "}"
  } | on "$host" nft -f -
}

# configure HOST: its file beside this one, with the keys of this run.
configure() {
  local host=$1 peer file
  file=$lab_dir/$host/anubis.toml
  cp "$couchnet/$host.toml" "$file"
  for peer in $gateways $roamers; do
    sed -i "s,$peer's production public key,$(<"$lab_dir/$peer/production.pub"),; s,$peer's side public key,$(<"$lab_dir/$peer/side.pub")," "$file"
  done
  sed -i "/^\[production\]/a backend = \"$lab_backend\"" "$file"
}

# knows HOST: it resolves names as at home, by a file that `moved_to` changes.
knows() {
  on "$1" mount --bind "$lab_dir/hosts" /etc/hosts
  on "$1" mount --bind "$lab_dir/nsswitch.conf" /etc/nsswitch.conf
}

# move PLACE: xena's cable goes to another wire. PLACE is home, wild or nat.
move() {
  local wire
  place[xena]=$1
  on xena ip address flush dev eth0 scope global
  on xena ip link set eth0 down # takes its routes away
  case $1 in
    home) wire=lan ;;
    wild) wire=wild ;;
    nat) wire=cafe ;;
    *) lab_die "there is no place called $1" ;;
  esac
  ip -n "lab$lab_id-wild" link set xena master "$wire"
  case $1 in
    home) address xena eth0 192.168.7.20/24 fd07::20/64 && gateway xena 192.168.7.1 fd07::1 ;;
    wild) address xena eth0 192.0.2.20/24 2001:db8::20/64 && gateway xena 192.0.2.254 2001:db8::fe ;;
    nat) address xena eth0 10.9.0.20/24 && gateway xena 10.9.0.1 ;;
  esac
}

# couchnet: all hosts with their links and configurations; no daemon runs. xena is at home.
couchnet() {
  local host
  for host in internet jacinth surya hotel xena petra selen lan1 lan2; do namespace "$host"; done
  for host in wild lan cafe inner cloud; do wire "$host"; done
  printf 'hosts: files\n' >"$lab_dir/nsswitch.conf"
  printf '192.0.2.1 jacinth.example.net\n192.0.2.2 surya.example.net\n2001:db8::2 surya.example.net\n' >"$lab_dir/hosts"

  plug internet eth0 wild
  address internet eth0 192.0.2.254/24 2001:db8::fe/64
  address internet lo 198.51.100.80/32 2001:db8:80::80/128
  forwards internet

  plug jacinth wan0 wild
  no_ipv6 jacinth wan0
  address jacinth wan0 192.0.2.1/24
  plug jacinth lan0 lan jacinth-lan
  address jacinth lan0 192.168.7.1/24 fd07::1/64
  gateway jacinth 192.0.2.254
  forwards jacinth
  masquerade jacinth wan0 192.168.7.0/24 192.168.122.0/24 10.44.0.0/24

  plug surya wan0 wild
  address surya wan0 192.0.2.2/24 2001:db8::2/64
  plug surya int0 cloud surya-cloud
  address surya int0 10.66.0.2/24 fd66::2/64
  gateway surya 192.0.2.254 2001:db8::fe
  forwards surya

  plug hotel wan0 wild
  address hotel wan0 192.0.2.3/24
  plug hotel cafe0 cafe hotel-cafe
  address hotel cafe0 10.9.0.1/24
  gateway hotel 192.0.2.254
  forwards hotel
  masquerade hotel wan0 10.9.0.0/24

  plug xena eth0 lan
  plug xena inner0 inner xena-inner
  address xena inner0 192.168.122.1/24 fd16::1/64
  forwards xena
  move home
  plug petra eth0 inner
  address petra eth0 192.168.122.10/24 fd16::10/64
  gateway petra 192.168.122.1 fd16::1

  plug selen eth0 cafe
  address selen eth0 10.9.0.30/24
  gateway selen 10.9.0.1

  local number=11
  for host in lan1 lan2; do
    plug "$host" eth0 lan
    address "$host" eth0 "192.168.7.$number/24" "fd07::$number/64"
    gateway "$host" 192.168.7.1 fd07::1
    number=$((number + 1))
  done

  for host in $gateways $roamers; do
    configure "$host"
    knows "$host"
  done
}

# all_start: every daemon, and the segment tunnel.
all_start() {
  local host
  for host in $gateways $roamers; do start "$host"; done
  expect 0 on jacinth anubis up surya --persist
}

# matrix STATE [HOST...]: all hosts, or only these, ask all others; what comes of it must be what the file `matrix` says.
matrix() {
  step "everybody to everybody, with xena $*"
  /usr/bin/python3 -B "$couchnet/probe.py" "$lab_id" "$couchnet/matrix" "$@" || lab_die "the matrix differs with xena $1"
}

# between HOST HOST ADDRESS: from now on the first one sends the second a number every 20 ms, by TCP and UDP.
between() {
  enter "$2" /usr/bin/python3 -B "$couchnet/stream.py" serve "$3" 7777 &
  lab_background+=($!)
  rm -f "$lab_dir/stream-ends"
  lab_wait 30 listens "$2" || lab_die "$2 does not listen"
  enter "$1" /usr/bin/python3 -B "$couchnet/stream.py" "$3" 7777 "$lab_dir/stream-ends" >"$lab_dir/stream-$1" &
  stream[$1]=$!
  lab_background+=($!)
}
listens() { [[ -n $(on "$1" ss -Hltn sport = :7777) ]]; }
declare -A stream=()

# stream_ends MOST: they end; TCP must have stayed open, and at most MOST datagrams been lost of each.
stream_ends() {
  local host result most=$1
  [[ -z ${ANUBIS_VM:-} ]] || most=$(($1 * 10)) # an emulated guest takes so long for each command that moves a cable
  touch "$lab_dir/stream-ends"
  for host in "${!stream[@]}"; do
    wait "${stream[$host]}" || lab_die "the stream of $host ended badly"
    result=$(<"$lab_dir/stream-$host")
    echo "  $host: $result"
    jq -e --argjson most "$most" '.tcp == "open" and .lost <= $most and .datagrams > 20' <<<"$result" >/dev/null || lab_die "the stream of $host did not get through"
  done
  stream=()
}
