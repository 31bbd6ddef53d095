#!/usr/bin/env bash
# Counts what one echo over loopback costs the server: user instructions (callgrind) and system calls
# (strace), each as the difference of two run lengths, so that start and end cancel out. The counts
# carry no noise of the machine. Needs valgrind and strace. Writes benches/cost.txt.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$(cargo locate-project --workspace --message-format plain)
target=${CARGO_TARGET_DIR:-$(dirname "$root")/target}
CARGO_PROFILE_RELEASE_PANIC=abort cargo build --quiet --release --bins -p cloverleaf-examples
server=$target/release/cost_server
client=$target/release/cost_client
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# One loop of the server's runtime serves about this many messages.
connections=10

# run NAME ROUNDS IN_FLIGHT SIZE COMMAND...: the server under COMMAND, the client beside it.
run() {
    local name=$1 rounds=$2 in_flight=$3 size=$4
    shift 4
    rm -f "$scratch/$name.out"
    touch "$scratch/$name.out"
    "$@" "$server" "$connections" >"$scratch/$name.out" 2>"$scratch/$name.err" &
    local pid=$!
    until [ -s "$scratch/$name.out" ]; do :; done
    "$client" "$(head -n1 "$scratch/$name.out")" "$connections" "$rounds" "$in_flight" "$size"
    wait "$pid"
}

instructions() {
    run "$1" "$2" "$3" "$4" valgrind --tool=callgrind --callgrind-out-file="$scratch/$1.callgrind"
    awk '/^(summary|totals):/ { print $2; exit }' "$scratch/$1.callgrind"
}

calls() {
    run "$1" "$2" "$3" "$4" strace -f -c -o "$scratch/$1.strace"
    awk '$NF ~ /^(recvfrom|read|sendto|write|writev|sendmsg|epoll_wait|futex)$/ { print $NF, $4 }' \
        "$scratch/$1.strace"
}

report() {
    local in_flight=$1 size=$2 short=50 long=550
    local messages=$(((long - short) * in_flight * connections))
    local a b
    a=$(instructions short "$short" "$in_flight" "$size")
    b=$(instructions long "$long" "$in_flight" "$size")
    printf '%5d octets, %2d in flight: %6d instructions' "$size" "$in_flight" \
        $(((b - a) / messages))
    calls short "$short" "$in_flight" "$size" | sort >"$scratch/a"
    calls long "$long" "$in_flight" "$size" | sort >"$scratch/b"
    join -a 2 -e 0 -o 0,1.2,2.2 "$scratch/a" "$scratch/b" |
        awk -v n="$messages" '{ d = ($3 - $2) / n; if (d >= 0.005) printf "  %s %.2f", $1, d }'
    printf '\n'
}

{
    echo "What one echo over loopback costs the server: the plain recv/send loop, one thread, text,"
    echo "$connections connections, so many messages in flight on each."
    echo "$(rustc --version), $(valgrind --version); measured by benches/cost.sh"
    echo
    report 1 20
    report 1 1024
    report 16 20
    report 16 1024
    report 1 16384
} | tee benches/cost.txt
