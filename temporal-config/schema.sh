#!/bin/sh
# Creates Temporal's two databases and brings their schemas up to date; may be run again.
# SQL_HOST, SQL_USER and SQL_PASSWORD say where; temporal-sql-tool reads the password from the environment.
set -eu

schema=/etc/temporal/schema/postgresql/v12

for part in temporal visibility; do
  database=temporal
  [ "$part" = visibility ] && database=temporal_visibility
  sql() { temporal-sql-tool --plugin postgres12 --ep "$SQL_HOST" -p 5432 -u "$SQL_USER" --db "$database" "$@"; }
  sql create
  sql setup-schema -v 0.0
  sql update-schema -d "$schema/$part/versioned"
done
