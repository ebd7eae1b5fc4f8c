﻿$images = @(
	"nats-streaming:0.25.5-windowsservercore-1809",
	"nats-streaming:0.25.5-nanoserver-1809"
)
foreach ($img in $images) {
	docker run -d $img
}