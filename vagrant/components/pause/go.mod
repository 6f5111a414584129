// pause holds a pod's network name space open.
module f0labs/pause

go 1.25.0
