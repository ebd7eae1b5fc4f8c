$ver = 'NATS_SERVER 2.14.4'.Split(' ')[1]
Set-Location ../windowsservercore-ltsc2022
docker build --tag "nats:${ver}-windowsservercore-ltsc2022" .
Set-Location ../nanoserver-ltsc2022
docker build --tag "nats:${ver}-nanoserver-ltsc2022" .
