$ErrorActionPreference = 'Stop'

$ver = 'NATS_STREAMING_SERVER 0.25.5'.Split(' ')[1]

Push-Location "../$ver/windowsservercore-1809"
docker build --tag "nats-streaming:${ver}-windowsservercore-1809" .
Pop-Location

Push-Location "..\0.25.5\nanoserver-1809"
docker build --tag "nats-streaming:$($ver)-nanoserver-1809" .
Pop-Location
