#!/bin/bash
# Starts mongod as a replica set with authentication; its members know one another by the key from MONGODB_KEYFILE.
set -euo pipefail

umask 077
printf '%s' "${MONGODB_KEYFILE:?}" >/etc/mongodb-keyfile
chown mongodb:mongodb /etc/mongodb-keyfile
chmod 400 /etc/mongodb-keyfile
unset MONGODB_KEYFILE
# the image's own entry point makes the root user on the first start, and runs mongod as the user mongodb
exec docker-entrypoint.sh mongod --replSet rs0 --keyFile /etc/mongodb-keyfile --bind_ip_all
