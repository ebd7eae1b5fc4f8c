$ver = 'NATS_SERVER 2.14.4'.Split(' ')[1]
foreach ($img in "nats:${ver}-windowsservercore-ltsc2022", "nats:${ver}-nanoserver-ltsc2022") {
	docker run -d $img
}
