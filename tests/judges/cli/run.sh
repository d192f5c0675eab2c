#!/usr/bin/env bash
# Every fixture of the official command line against a running simulator.
# Usage: run.sh CLI_BINARY http://127.0.0.1:PORT        exits 1 when a fixture fails that is not in unsupported.txt,
# when its event did not happen and it is not in without_event.txt, and when one passes that is.
set -euo pipefail
cli=$1 url=$2
here=$(cd "$(dirname "$0")" && pwd)
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
export HOME=$home XDG_CONFIG_HOME=$home STRIPE_CLI_TELEMETRY_OPTOUT=1
# A key of the form that Stripe's have.
key=$(printf '%s_%s_%s' sk test clijudge000000000000)

mapfile -t events < <("$cli" trigger --help | sed -n '/^Supported events:/,/^$/p' | sed -n 's/^  \([a-z0-9_.]*\)$/\1/p')
[ "${#events[@]}" -gt 100 ] || { echo "only ${#events[@]} fixtures found in the command line" >&2; exit 1; }

# Whether the event that a fixture is for is among those that happened; fixtures of regions name none of their own.
happened() {
    grep -q "^$1[[:space:]]" "$here/without_event.txt" && return 0
    # Two fixtures are named after what they are about, not after an event.
    set -- "${1/#subscription.payment_/invoice.payment_}"
    # Not `grep -q`: it hangs up on curl at the first match, and that is a failure here.
    curl --silent --fail --globoff --user "$key:" "$url/v1/events?limit=1&type=${1%.[eg][ub]}" | grep '"id": *"evt_' >/dev/null
}

passed=0 left_out=0 wrong=0
for event in "${events[@]}"; do
    known=$(grep -c "^$event[[:space:]]" "$here/unsupported.txt" || true)
    if output=$(timeout 60 "$cli" trigger "$event" --api-base "$url" --api-key "$key" 2>&1) \
        && grep -q '^Trigger succeeded' <<<"$output" && { [ "$known" -gt 0 ] || happened "$event"; }; then
        if [ "$known" -eq 0 ]; then
            passed=$((passed + 1))
        else
            wrong=$((wrong + 1))
            echo "$event passes: take it out of unsupported.txt" >&2
        fi
    elif [ "$known" -gt 0 ]; then
        left_out=$((left_out + 1))
    else
        wrong=$((wrong + 1))
        printf '%s fails:\n%s\n' "$event" "$(tail -n 12 <<<"$output" | cut -c1-600)" >&2
    fi
done
echo "command line: $passed fixtures passed, $left_out cannot, $wrong are wrong"
[ "$wrong" -eq 0 ]
