// Package tlsalpn01 has the options of a challenge by TLS.
package tlsalpn01

import (
	"time"

	"github.com/go-acme/lego/v5/acme"
)

// ACMETLS1Protocol is the protocol that an ACME server asks for (RFC 8737). Traefik treats it apart, ACME or not.
const ACMETLS1Protocol = "acme-tls/1"

type ChallengeOption struct{}

func SetDelay(time.Duration) ChallengeOption { return ChallengeOption{} }

func ChallengeBlocks(_, _ string) (certificate, key []byte, err error) {
	return nil, nil, acme.ErrNotSupported
}
