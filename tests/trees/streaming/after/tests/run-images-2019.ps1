$images = @(
	"nats-streaming:0.25.6-windowsservercore-1809",
	"nats-streaming:0.25.6-nanoserver-1809"
)
foreach ($img in $images) {
	docker run -d $img
}