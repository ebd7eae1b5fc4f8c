# Builds and tags the Windows images of Server 2019, each after the image that it copies the server from.
$ErrorActionPreference = 'Stop'

$NATS_STREAMING_SERVER = '0.25.6'

foreach ($variant in 'windowsservercore-1809', 'nanoserver-1809') {
    docker build --tag "nats-streaming:$NATS_STREAMING_SERVER-$variant" "$PSScriptRoot/../$NATS_STREAMING_SERVER/$variant"
    if ($LASTEXITCODE -ne 0) { exit $LASTEXITCODE }
}
