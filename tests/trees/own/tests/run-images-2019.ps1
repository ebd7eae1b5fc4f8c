# Starts each Windows image that build-images-2019.ps1 has built, and sees that it is still running a second later.
$ErrorActionPreference = 'Stop'

$NATS_STREAMING_SERVER = '0.25.6'

$failed = 0

foreach ($variant in 'windowsservercore-1809', 'nanoserver-1809') {
    $image = "nats-streaming:$NATS_STREAMING_SERVER-$variant"
    $container = docker run --detach $image
    if ($LASTEXITCODE -ne 0) { exit $LASTEXITCODE }
    Start-Sleep -Seconds 1
    if ((docker inspect --format '{{.State.Running}}' $container) -eq 'true') {
        Write-Output "$image runs"
    } else {
        Write-Output "$image stopped within a second:"
        docker logs $container
        $failed = 1
    }
    docker rm --force $container | Out-Null
}

exit $failed
