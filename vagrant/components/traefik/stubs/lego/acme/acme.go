// Package acme declares what Traefik needs of ACME to compile. Every call fails with ErrNotSupported.
package acme

import "errors"

// ErrNotSupported is what every call of this module returns.
var ErrNotSupported = errors.New("ACME is not part of this build")

type Account struct{}

type ExtendedAccount struct {
	Account
	Location string
}
