#!/bin/sh
# Creates the namespace and the search attributes by which the UI lists campaigns and trials; may be run again.
# TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE say where; RETENTION is how long ended workflows are kept (default 30d).
set -eu

: "${TEMPORAL_ADDRESS:?}" "${TEMPORAL_NAMESPACE:?}"
retention=${RETENTION:-30d}

# says `ask` until it succeeds, at most 60 times
until_ok() {
  tries=0
  until "$@" >/dev/null 2>&1; do
    tries=$((tries + 1))
    if [ "$tries" -ge 60 ]; then
      echo "gave up: $*" >&2
      "$@"
    fi
    sleep 2
  done
}

until_ok temporal operator cluster health

if temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1; then
  temporal operator namespace update --namespace "$TEMPORAL_NAMESPACE" --retention "$retention"
else
  temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention "$retention"
fi

# a new namespace is known to every part of the server only after some seconds
until_ok temporal operator search-attribute list --namespace "$TEMPORAL_NAMESPACE"

known=$(temporal operator search-attribute list --namespace "$TEMPORAL_NAMESPACE")
while read -r name type; do
  if printf '%s\n' "$known" | grep -qw "$name"; then continue; fi
  temporal operator search-attribute create --namespace "$TEMPORAL_NAMESPACE" --name "$name" --type "$type"
done <<ATTRIBUTES
AssayTask Keyword
AssayRole Keyword
AssayStatus Keyword
AssayScore Double
AssayTrial Int
ATTRIBUTES

until_ok temporal workflow list --namespace "$TEMPORAL_NAMESPACE" --limit 1
echo "namespace $TEMPORAL_NAMESPACE is ready, retention $retention"
