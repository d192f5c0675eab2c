#!/usr/bin/env bash
# `stripe listen` hears the simulator's events over its WebSocket and forwards them to `harness serve`, which takes them.
# Usage: listen.sh CLI_BINARY http://127.0.0.1:PORT HARNESS_BINARY
set -euo pipefail
cli=$1 url=$2 harness=$3
home=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait; rm -rf "$home"' EXIT
export HOME=$home XDG_CONFIG_HOME=$home STRIPE_CLI_TELEMETRY_OPTOUT=1
# A key of the form that Stripe's have.
key=$(printf '%s_%s_%s' sk test clijudge000000000000)
here=(--api-base "$url" --api-key "$key")

# Waits until a file has a line like this, and prints it.
line() {
    for _ in $(seq 300); do
        if grep -m1 -E "$2" "$1" 2>/dev/null; then return 0; fi
        sleep 0.1
    done
    echo "no line like $2 in:" >&2
    cat "$1" >&2
    return 1
}

secret=$("$cli" listen "${here[@]}" --print-secret)
STRIPE_WEBHOOK_SECRET=$secret "$harness" serve --listen 127.0.0.1:0 --json >"$home/received" 2>"$home/serve.log" &
hook=$(line "$home/received" '"listening"' | grep -o 'http://[^"]*')
"$cli" listen "${here[@]}" --all-snapshot --forward-to "$hook/webhooks/stripe" >"$home/listen" 2>&1 &
line "$home/listen" 'Ready!' >/dev/null

"$cli" customers create "${here[@]}" --email listener@example.com >/dev/null
line "$home/received" '"type":"event".*customer.created' >/dev/null
event=$(line "$home/listen" '<--.*\[200\] POST' | grep -o 'evt_[A-Za-z0-9]*')
"$cli" events resend "$event" "${here[@]}" >/dev/null
line "$home/received" "\"type\":\"duplicate\".*$event" >/dev/null
echo "command line: listens, forwards, and resends"
