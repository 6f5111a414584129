// whoami answers every HTTP request with what it knows of itself and of the request.
module f0labs/whoami

go 1.25.0
