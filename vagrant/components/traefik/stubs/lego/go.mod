// A stand-in for lego, the ACME client: its many DNS providers need cloud SDKs that some networks refuse, and no lab
// asks an ACME server. UnFqdn and the protocol's name are real, since Traefik uses them without ACME as well.
module github.com/go-acme/lego/v5

go 1.26.0
