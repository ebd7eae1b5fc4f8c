$ver = 'NATS_SERVER 2.14.4'.Split(' ')[1]
Set-Location ../windowsservercore-ltsc2025
docker build --tag "nats:${ver}-windowsservercore-ltsc2025" .
Set-Location ../nanoserver-ltsc2025
docker build --tag "nats:${ver}-nanoserver-ltsc2025" .
