$ver = 'NATS_SERVER 2.12.15'.Split(' ')[1]
foreach ($img in "nats:${ver}-windowsservercore-ltsc2022", "nats:${ver}-nanoserver-ltsc2022") {
	docker run -d $img
}
