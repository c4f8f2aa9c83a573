#!/bin/sh
# Makes the store's connection string of its parts, so that the password can come from a file (a secret) and appears neither in the compose file
# nor in `docker inspect`. Without EVENTMESH_STORE_HOST nothing is changed.
set -eu

if [ -n "${EVENTMESH_STORE_HOST:-}" ]; then
  # Quoted for Npgsql: a quote in the password is doubled.
  password=$(sed 's/"/""/g' "${EVENTMESH_STORE_PASSWORD_FILE:?names the file with the password}")
  EventMesh__Store__ConnectionString="Host=$EVENTMESH_STORE_HOST;Database=${EVENTMESH_STORE_DATABASE:-eventmesh};Username=${EVENTMESH_STORE_USER:-eventmesh};Password=\"$password\""
  export EventMesh__Store__ConnectionString
fi

exec /usr/share/dotnet/dotnet /app/mesh.dll "$@"
