$ver = 'NATS_SERVER 2.14.4'.Split(' ')[1]
foreach ($img in "nats:${ver}-windowsservercore-ltsc2025", "nats:${ver}-nanoserver-ltsc2025") {
	docker run -d $img
}
